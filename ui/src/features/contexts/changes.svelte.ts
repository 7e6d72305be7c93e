// A number that grows when what is stored has changed, so that lists read again.
import { outdated } from "../../shared/query";

class Changes {
  revision = $state(0);
}

export const changes = new Changes();

export function contextsChanged(): void {
  changes.revision += 1;
  outdated("stats", "details", "count", "activity", "look_up");
}
