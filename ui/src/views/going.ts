// From view to view: the keyboard goes on in the view.
import { router, type ViewName } from "../shared/router.svelte";

export function go(name: ViewName, params: Record<string, string> = {}): void {
  router.go(name, params);
  document.querySelector("main")?.focus({ preventScroll: true });
}
