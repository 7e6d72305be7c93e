import { describe, expect, it } from "vitest";
import { columns, labelInWords, nearest, valueInWords } from "./chart-points";

const point = (series: string, px: number, y: number | null) => ({ series, x: `${px}`, y, px, py: 0 });

describe("the points of a chart", () => {
  it("stand together where they are above one another, from left to right", () => {
    const all = columns([point("p50", 20, 1), point("p50", 10, 2), point("p95", 20, 3)]);
    expect(all.map((column) => [column.px, column.values.length])).toEqual([
      [10, 1],
      [20, 2],
    ]);
    expect(nearest(all, 14)).toBe(0);
    expect(nearest(all, 900)).toBe(1);
    expect(nearest([], 5)).toBe(-1);
  });

  it("have their unit, and say where there is no value", () => {
    expect(valueInWords("latency", 12.345)).toBe("12.35 ms");
    expect(valueInWords("cache", 0.5)).toBe("0.500 %");
    expect(valueInWords("histogram", 1200)).toBe("1,200 runs");
    expect(valueInWords("breaker", 2)).toBe("open");
    expect(valueInWords("memory", null)).toBe("none");
  });

  it("leave what is no time as it is", () => {
    expect(labelInWords("2 to 4 ms")).toBe("2 to 4 ms");
    expect(labelInWords("2026-11-22T08:00:00Z")).toMatch(/^\d\d:00:00$/);
  });
});
