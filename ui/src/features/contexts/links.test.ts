import { describe, expect, it } from "vitest";
import { linksTo } from "./links";

describe("links to a note", () => {
  it("are those of other notes", () => {
    const links = { key: "links", any: ["plan", "Plan#Day 1"] };
    const own = { key: "source", match: "/vault/Plan.md" };
    expect(linksTo(["plan", "Plan#Day 1"], "/vault/Plan.md")).toEqual({ must: [links], should: [], must_not: [own] });
    expect(linksTo(["plan"], null).must_not).toEqual([]);
  });
});
