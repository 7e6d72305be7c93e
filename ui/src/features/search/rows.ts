// Which row of the page shows which result.
import type { Ranked } from "./reranking.svelte";

/** A row of the page, known by its key, and what it shows. */
export type Row = { key: number; ranked: Ranked };

const idOf = (ranked: Ranked): string => ranked.result.context.id;

/**
 * The rows with the first `n` results of an order drawn. A result keeps its row; one that has none gets a row
 * whose result is no more, or a new one. The rows that are left come after them as they were, unless the
 * whole order is drawn.
 */
export function rowsOf(order: readonly Ranked[], n: number, before: readonly Row[]): Row[] {
  const wanted = new Set(order.map(idOf));
  const keys = new Map(before.map(({ key, ranked }) => [idOf(ranked), key]));
  const free = before.filter(({ ranked }) => !wanted.has(idOf(ranked))).map(({ key }) => key);
  let next = before.reduce((most, { key }) => Math.max(most, key), 0) + 1;
  const rows = order.slice(0, n).map((ranked) => {
    const key = keys.get(idOf(ranked)) ?? free.shift() ?? next++;
    return { key, ranked };
  });
  if (n >= order.length) return rows;
  const taken = new Set(rows.map(({ key }) => key));
  return [...rows, ...before.filter(({ key }) => !taken.has(key))];
}
