import { describe, expect, it } from "vitest";
import type { ContextRequest } from "$bindings/ContextRequest";
import type { Trace } from "$bindings/Trace";
import { compare, differences } from "./comparing";
import { asCommand, quoted } from "./copies";
import { changed, slidable } from "./trying";
import { rounded, weightNames, withWeight } from "./reranking.svelte";

const request: ContextRequest = {
  query: "why did it fail",
  max_tokens: null,
  limit: null,
  levels: [],
  filter: { must: [], should: [], must_not: [] },
  mode: "hybrid",
  priority: "high",
  explain: true,
  exact: false,
};

describe("weights", () => {
  const weights = { similarity: 0.95, recency: 0.02, level: 0.02, frequency: 0.01 };
  const sum = (w: typeof weights): number => weightNames.reduce((total, name) => total + w[name], 0);

  it("always sum to 1, and the others keep their proportions", () => {
    for (const value of [0, 0.3, 0.999, 1]) {
      const next = withWeight(weights, "recency", value);
      expect(next.recency).toBe(value);
      expect(sum(next)).toBeCloseTo(1, 12);
      if (value < 1) expect(next.level / next.frequency).toBeCloseTo(2, 9);
    }
  });

  it("come back from 1 as equal shares", () => {
    const all = withWeight(weights, "similarity", 1);
    expect(withWeight(all, "similarity", 0.7).level).toBeCloseTo(0.1, 12);
  });

  it("sum to 1 after rounding too, as the host demands", () => {
    expect(sum(rounded({ similarity: 0.3333, recency: 0.3333, level: 0.3333, frequency: 0.0001 }))).toBeCloseTo(1, 9);
  });
});

describe("a search as a command line", () => {
  it("names just what differs from the defaults", () => {
    expect(asCommand(request)).toBe("hirag search --explain -- 'why did it fail'");
    expect(asCommand({ ...request, levels: ["LongTerm"], limit: 5, mode: "text", query: "x" })).toBe(
      "hirag search --limit 5 --level L3 --mode text --explain -- x",
    );
  });

  it("keeps a query from being read by the shell", () => {
    expect(quoted("$(rm -rf ~); it's")).toBe(`'$(rm -rf ~); it'\\''s'`);
  });
});

describe("a search then and today", () => {
  const trace = (ids: string[]): Trace =>
    ({
      candidates: ids.map((id, i) => ({ id, score: 1 - i / 10, outcome: { stage: "chosen", rank: i + 1 } })),
    }) as unknown as Trace;

  it("are listed by today's order, and what went out comes last", () => {
    const rows = compare(trace(["a", "b", "c"]), trace(["b", "a", "d"]));
    expect(rows.map(({ id, then, now }) => [id, then, now])).toEqual([
      ["b", 2, 1],
      ["a", 1, 2],
      ["d", null, 3],
      ["c", 3, null],
    ]);
    expect(differences(rows)).toEqual({ entered: 1, left: 1, moved: 2 });
  });

  it("differ in nothing when nothing changed", () => {
    expect(differences(compare(trace(["a", "b"]), trace(["a", "b"])))).toEqual({ entered: 0, left: 0, moved: 0 });
  });
});

describe("trying a suggestion", () => {
  it("changes the request where the request kept something out", () => {
    expect(changed({ ...request, limit: 5 }, [{ kind: "limit", from: 5, to: 9 }])?.limit).toBe(9);
    expect(changed({ ...request, levels: ["LongTerm"] }, [{ kind: "level", level: "ShortTerm" }])?.levels).toEqual([
      "LongTerm",
      "ShortTerm",
    ]);
    const filter = { must: [{ key: "agent", match: "a" }], should: [], must_not: [] };
    expect(changed({ ...request, filter }, [{ kind: "filter", condition: "agent = a" }])?.filter.must).toEqual([]);
  });

  it("leaves the rest to the sliders, and what it cannot know to the person", () => {
    expect(slidable([{ kind: "threshold", from: 0.2, to: 0.1 }])).toBe(true);
    expect(changed(request, [{ kind: "threshold", from: 0.2, to: 0.1 }])).toBeNull();
    const two = { must: [{ key: "agent", match: "a" }, { key: "session", match: "s" }], should: [], must_not: [] };
    expect(changed({ ...request, filter: two }, [{ kind: "filter", condition: "agent = a" }])).toBeNull();
  });
});
