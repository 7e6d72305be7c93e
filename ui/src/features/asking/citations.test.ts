import { describe, expect, it } from "vitest";
import cases from "../../../../crates/hirag/src/answering/citations/cases.json";
import { markLabel, parts } from "./citations";

const known = new Set([1, 2]);
const sources = (text: string): (number | null)[] => parts(text, known).map(({ source }) => source).filter((source) => source !== null);

describe("the numbers of sources", () => {
  it("are cut out of the text, which stays whole", () => {
    expect(parts("Ada does [1]. Since May [2][1]", known)).toEqual([
      { text: "Ada does ", source: null },
      { text: "[1]", source: 1 },
      { text: ". Since May ", source: null },
      { text: "[2]", source: 2 },
      { text: "[1]", source: 1 },
    ]);
  });

  it("are each of those in one bracket", () => {
    expect(parts("so [1, 2].", known).map(({ text }) => text)).toEqual(["so ", "[1]", " ", "[2]", "."]);
  });

  it("name sources that there are", () => {
    expect(sources("[0] [3] [1, 3] [x] [1")).toEqual([]);
  });

  it.each(cases)("are those that the core counts: $told", ({ told, cited }) => {
    const found = parts(told, new Set([1, 2, 3]));
    expect(found.map(({ source }) => source).filter((source) => source !== null)).toEqual(cited);
// Nothing is lost: brackets with several numbers are parted, that is all.
    const bare = (text: string): string => text.replace(/[[\], ]/g, "");
    expect(bare(found.map(({ text }) => text).join(""))).toBe(bare(told));
  });

  it("are none in code", () => {
    const text = "use `a[1]` as\n```rust\nlet x = a[1];\n```\nand [1]\n~~~\nb[2]\n~~~\n[2]";
    expect(sources(text)).toEqual([1, 2]);
    expect(parts(text, known).map((part) => part.text).join("")).toBe(text);
  });

  it("leave a mark where they named none, which says which they were", () => {
    const text = "😀 a [?] b [?] `[?]` [?]";
    const marks = [
      { at: 4, numbers: "9" },
      { at: 20, numbers: "7, 8" },
    ];
    const found = parts(text, known, marks);
    expect(found.map(({ text }) => text)).toEqual(["😀 a ", "[?]", " b [?] `[?]` ", "[?]"]);
    expect(found.map(({ removed }) => removed)).toEqual([undefined, "9", undefined, "7, 8"]);
    expect(markLabel("9")).toBe("Source 9 removed: there is none");
    expect(markLabel("7, 8")).toBe("Sources 7, 8 removed: there are none");
  });

  it("are not known yet by a mark in a text that is still coming", () => {
    expect(parts("so [?] `[?]`", known, null).map(({ removed }) => removed)).toEqual([undefined, "", undefined]);
    expect(parts("so [?]", known)).toEqual([{ text: "so [?]", source: null }]);
  });

  it("are none in code that is still coming", () => {
    expect(sources("```\na[1]")).toEqual([]);
  });
});
