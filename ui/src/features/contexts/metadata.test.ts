import { describe, expect, it } from "vitest";
import { fromRows, toRows } from "./metadata";

describe("metadata as rows", () => {
  it("comes back as it was, whatever it holds", () => {
    const metadata = { text: "plain", number: 3, digits: "3", flag: true, none: null, list: [1, "a"], word: "true" };
    expect(fromRows(toRows(metadata))).toEqual({ ok: true, metadata });
  });

  it("refuses a key that stands twice and a value without a key", () => {
    expect(fromRows([{ key: "a", value: "1" }, { key: "a ", value: "2" }])).toMatchObject({ ok: false });
    expect(fromRows([{ key: "", value: "1" }])).toMatchObject({ ok: false });
  });

  it("leaves empty rows out", () => {
    expect(fromRows([{ key: " ", value: "" }])).toEqual({ ok: true, metadata: {} });
  });
});
