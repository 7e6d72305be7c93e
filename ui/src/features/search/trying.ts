// Trying what would let a context in: by another search, or by the sliders of the one that is shown.
import type { Change } from "$bindings/Change";
import type { ContextRequest } from "$bindings/ContextRequest";
import type { Reranking } from "./reranking.svelte";

/** The request with the changes made; `null` where it is not the request that has to change. */
export function changed(request: ContextRequest, changes: readonly Change[]): ContextRequest | null {
  let next: ContextRequest = { ...request };
  for (const change of changes) {
    switch (change.kind) {
      case "level":
        next = { ...next, levels: [...next.levels, change.level] };
        break;
      case "filter": {
        const { must, should, must_not } = next.filter;
        // Of several conditions it would have to be known which one is meant.
        if (must.length + should.length + must_not.length > 1) return null;
        next = { ...next, filter: { must: [], should: [], must_not: [] } };
        break;
      }
      case "tokens":
        next = { ...next, max_tokens: change.to };
        break;
      case "limit":
        next = { ...next, limit: change.to };
        break;
      default:
        return null;
    }
  }
  return next;
}

const sliders: readonly Change["kind"][] = ["weight", "vector_weight", "threshold"];

/** Whether the sliders alone can make the changes. */
export function slidable(changes: readonly Change[]): boolean {
  return changes.every(({ kind }) => sliders.includes(kind));
}

/** Moves the sliders. */
export function slide(ranking: Reranking, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.kind === "weight") ranking.setWeights(change.weights);
    else if (change.kind === "vector_weight") ranking.setVectorWeight(change.to);
    else if (change.kind === "threshold") ranking.setThreshold(change.to);
  }
}
