// What a search returned then, beside what it returns today.
import type { ContextId } from "$bindings/ContextId";
import type { Trace } from "$bindings/Trace";

export type Compared = {
  id: ContextId;
  /** Places from 1; null where it was not returned. */
  then: number | null;
  now: number | null;
  scoreThen: number | null;
  scoreNow: number | null;
};

function returned(trace: Trace): Map<ContextId, { rank: number; score: number }> {
  return new Map(
    trace.candidates.flatMap(({ id, outcome, score }) =>
      outcome.stage === "chosen" ? [[id, { rank: outcome.rank, score }] as const] : [],
    ),
  );
}

/** Everything that either returned: today's order first, then what went out in its order then. */
export function compare(then: Trace, now: Trace): Compared[] {
  const before = returned(then);
  const today = returned(now);
  const row = (id: ContextId): Compared => ({
    id,
    then: before.get(id)?.rank ?? null,
    now: today.get(id)?.rank ?? null,
    scoreThen: before.get(id)?.score ?? null,
    scoreNow: today.get(id)?.score ?? null,
  });
  const byRank = (found: Map<ContextId, { rank: number }>): ContextId[] =>
    [...found].sort(([, a], [, b]) => a.rank - b.rank).map(([id]) => id);
  return [...byRank(today), ...byRank(before).filter((id) => !today.has(id))].map(row);
}

export type Difference = { entered: number; left: number; moved: number };

export function differences(rows: readonly Compared[]): Difference {
  return {
    entered: rows.filter((row) => row.then === null).length,
    left: rows.filter((row) => row.now === null).length,
    moved: rows.filter((row) => row.then !== null && row.now !== null && row.then !== row.now).length,
  };
}
