// A number that grows when what is stored has changed, so that lists read again.
import { outdated } from "../../shared/query";
import { listOrder } from "./order.svelte";

class Changes {
  revision = $state(0);
}

export const changes = new Changes();

export function contextsChanged(): void {
  changes.revision += 1;
  outdated("stats", "details", "count", "activity", "look_up");
}

/**
 * Milliseconds from a search to what it changes beside its answer. The answer goes first, the host counts uses soon
 * after it, and searches within this time are one change.
 */
const countedWithin = 500;
let counting: ReturnType<typeof setTimeout> | undefined;
/** Whether a list stood in the order of use meanwhile. */
let reordered = false;

/** A search has used contexts: of the lists, only those in the order of use read again. */
export function contextsUsed(): void {
  reordered ||= listOrder.followsUses;
  if (counting !== undefined) return;
  counting = setTimeout(() => {
    outdated("activity", "stats", "traces");
    if (reordered) changes.revision += 1;
    counting = undefined;
    reordered = false;
  }, countedWithin);
}
