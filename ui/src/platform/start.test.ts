import { describe, expect, it } from "vitest";
import { startOf } from "./start";

const page = (body: string): Document => new DOMParser().parseFromString(`<!doctype html><body>${body}`, "text/html");

describe("what comes with a page", () => {
  it("is answers by the names of their commands", () => {
    const told = '{"stats":{"total_contexts":3},"startup":{"state":"ready","data_dir":"/\\u003c/script>"}}';
    const start = startOf(page(`<script type="application/json" id="start">${told}</script>`));
    expect(start).toEqual({ stats: { total_contexts: 3 }, startup: { state: "ready", data_dir: "/</script>" } });
  });

  it("is nothing where nothing came, and where it is not what it should be", () => {
    for (const told of ["", "{", "null", "3"]) {
      expect(startOf(page(`<script type="application/json" id="start">${told}</script>`))).toEqual({});
    }
    expect(startOf(page(""))).toEqual({});
  });
});
