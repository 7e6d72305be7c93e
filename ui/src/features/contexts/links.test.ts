import { describe, expect, it } from "vitest";
import { linksTo, namesOf } from "./links";

describe("links to a note", () => {
  it("name it by its file, its title, or its path", () => {
    const note = { source: "/home/ada/vault/trips/Plan.md", metadata: { file: "Plan.md", title: "The plan" } };
    expect(namesOf(note)).toEqual([
      "Plan",
      "The plan",
      "home/ada/vault/trips/Plan",
      "ada/vault/trips/Plan",
      "vault/trips/Plan",
      "trips/Plan",
    ]);
    const page = { source: "/graph/trips___Plan.md", metadata: { file: "trips___Plan.md" } };
    expect(namesOf(page)).toEqual(["trips___Plan", "trips/Plan", "graph/trips___Plan"]);
  });

  it("are none to what is no note", () => {
    expect(namesOf({ source: "/a.pdf", metadata: { file: "a.pdf" } })).toEqual([]);
    expect(namesOf({ source: null, metadata: {} })).toEqual([]);
  });

  it("are found with those to its headings, but for its own", () => {
    const filter = linksTo(["Plan"], "/vault/Plan.md");
    expect(filter.should).toEqual([
      { key: "links", any: ["Plan"] },
      { key: "links", range: { gte: "Plan#", lt: "Plan$" } },
    ]);
    expect(filter.must_not).toEqual([{ key: "source", match: "/vault/Plan.md" }]);
  });
});
