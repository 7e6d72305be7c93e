// The points of a chart, as people ask for them: by place, by time, by series.
import type { ChartKind, ChartPoint } from "../platform/types";
import { count } from "./format";

export type Column = {
  /** Pixels from the left. */
  px: number;
  /** A time, or the bounds of a bar. */
  label: string;
  values: ChartPoint[];
};

const units: Record<ChartKind, string> = {
  latency: " ms",
  histogram: " runs",
  cache: " %",
  throughput: "/s",
  memory: " MB",
  breaker: "",
};
const states = ["closed", "half-open", "open"];

/** Points that stand above one another, from left to right. */
export function columns(points: readonly ChartPoint[]): Column[] {
  const by = new Map<number, Column>();
  for (const point of points) {
    const column = by.get(point.px);
    if (column) column.values.push(point);
    else by.set(point.px, { px: point.px, label: point.x, values: [point] });
  }
  return [...by.values()].sort((a, b) => a.px - b.px);
}

/** The place of the column nearest to `x` pixels; -1 where there is none. */
export function nearest(all: readonly Column[], x: number): number {
  let best = -1;
  all.forEach((column, i) => {
    const before = all[best];
    if (!before || Math.abs(column.px - x) < Math.abs(before.px - x)) best = i;
  });
  return best;
}

/** A value with its unit: "12.5 ms", "open", "none". */
export function valueInWords(kind: ChartKind, y: number | null): string {
  if (y === null) return "none";
  if (kind === "breaker") return states[Math.round(y)] ?? String(y);
  const number = Number.isInteger(y) ? count(y) : y.toFixed(y < 1 ? 3 : y < 100 ? 2 : 1);
  return number + units[kind];
}

/** A time as the clock shows it; anything else as it is. */
export function labelInWords(label: string): string {
  const time = Date.parse(label);
  return Number.isNaN(time) || !/^\d{4}-/.test(label) ? label : new Date(time).toLocaleTimeString("en-GB");
}
