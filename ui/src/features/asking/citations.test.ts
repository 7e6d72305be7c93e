import { describe, expect, it } from "vitest";
import { parts } from "./citations";

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

  it("are none in code", () => {
    const text = "use `a[1]` as\n```rust\nlet x = a[1];\n```\nand [1]\n~~~\nb[2]\n~~~\n[2]";
    expect(sources(text)).toEqual([1, 2]);
    expect(parts(text, known).map((part) => part.text).join("")).toBe(text);
  });

  it("are none in code that is still coming", () => {
    expect(sources("```\na[1]")).toEqual([]);
  });
});
