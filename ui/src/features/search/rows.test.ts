import { describe, expect, it } from "vitest";
import type { Ranked } from "./reranking.svelte";
import { rowsOf, type Row } from "./rows";

const order = (ids: string): Ranked[] => [...ids].map((id) => ({ result: { context: { id } } }) as Ranked);
const keys = (rows: readonly Row[]): number[] => rows.map(({ key }) => key);
const shown = (rows: readonly Row[]): string => rows.map(({ ranked }) => ranked.result.context.id).join("");

describe("rows", () => {
  const abcd = rowsOf(order("abcd"), 4, []);

  it("go with their results into another order", () => {
    const rows = rowsOf(order("dbca"), 4, abcd);
    expect(shown(rows)).toBe("dbca");
    expect(keys(rows)).toEqual([4, 2, 3, 1]);
  });

  it("stay as they were until the order is drawn as far as them", () => {
    const rows = rowsOf(order("dbca"), 1, abcd);
    expect(shown(rows)).toBe("dabc");
    expect(shown(rowsOf(order("dbca"), 4, rows))).toBe("dbca");
  });

  it("of results that are no more are filled anew, from the first on", () => {
    const rows = rowsOf(order("wxyz"), 2, abcd);
    expect(shown(rows)).toBe("wxcd");
    expect(keys(rows)).toEqual([1, 2, 3, 4]);
  });

  it("are no more and no fewer than the results in the end", () => {
    expect(keys(rowsOf(order("bx"), 2, abcd))).toEqual([2, 1]);
    expect(new Set(keys(rowsOf(order("abxcdyz"), 7, abcd))).size).toBe(7);
    expect(rowsOf([], 0, abcd)).toEqual([]);
  });
});
