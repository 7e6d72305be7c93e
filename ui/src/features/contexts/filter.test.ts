import { describe, expect, it } from "vitest";
import { everything, fromFilter, isDay, isNarrowed, metadataConditions, toFilter } from "./filter";

describe("narrowing", () => {
  it("becomes conditions that all must hold", () => {
    const filter = toFilter({ ...everything, agent: " claude ", session: "s1" }, "ShortTerm");
    expect(filter).toEqual({
      must: [
        { key: "level", match: "ShortTerm" },
        { key: "agent", match: "claude" },
        { key: "session", match: "s1" },
      ],
      should: [],
      must_not: [],
    });
  });

  it("reads values as what they are, and a bare key as a question whether it is there", () => {
    expect(metadataConditions("topic=retrieval, draft=true, line=3, source_id")).toEqual([
      { key: "metadata.topic", match: "retrieval" },
      { key: "metadata.draft", match: true },
      { key: "metadata.line", match: 3 },
      { key: "metadata.source_id", exists: true },
    ]);
  });

  it("takes both days whole", () => {
    const { must } = toFilter({ ...everything, since: "2026-11-01", until: "2026-11-01" });
    const range = must[0]?.range;
    expect(Date.parse(String(range?.lt)) - Date.parse(String(range?.gte))).toBe(86_400_000);
  });

  it("takes no day that there is not", () => {
    expect(["", "2026-11-22", "2026-1-2"].map(isDay)).toEqual([true, true, true]);
    expect(["22.11.2026", "2026-02-30", "soon", "2026-13-01"].map(isDay)).toEqual([false, false, false, false]);
    expect(toFilter({ ...everything, since: "soon" }).must).toEqual([]);
  });

  it("knows when there is none", () => {
    expect(isNarrowed(everything)).toBe(false);
    expect(isNarrowed({ ...everything, metadata: "a" })).toBe(true);
  });

  it("comes back from a filter as it was typed, and says when the fields cannot tell it", () => {
    const typed = {
      ...everything,
      agent: "claude",
      since: "2026-11-01",
      until: "2026-11-03",
      metadata: "topic=retrieval, line=3, source_id",
    };
    expect(fromFilter(toFilter(typed))).toEqual(typed);
    expect(fromFilter(toFilter(everything))).toEqual(everything);
    expect(fromFilter({ must: [], should: [{ key: "agent", match: "a" }], must_not: [] })).toBeNull();
    expect(fromFilter({ must: [{ key: "agent", any: ["a", "b"] }], should: [], must_not: [] })).toBeNull();
  });
});
