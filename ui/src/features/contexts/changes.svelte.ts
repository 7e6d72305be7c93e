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

/** The host counts uses soon after it has answered; searches within this time are one change. */
const countedWithin = 500;
let counting: ReturnType<typeof setTimeout> | undefined;

/** A search has used contexts: only lists in the order of use read again. */
export function contextsUsed(): void {
  if (!listOrder.followsUses || counting !== undefined) return;
  counting = setTimeout(() => {
    counting = undefined;
    changes.revision += 1;
  }, countedWithin);
}
