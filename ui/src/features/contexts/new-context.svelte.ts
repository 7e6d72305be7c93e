// Whether the dialog for a new context is open; any view may open it.
import type { ContextLevel } from "$bindings/ContextLevel";

class NewContextState {
  open = $state(false);
  level = $state<ContextLevel>("Immediate");

  show(level: ContextLevel = "Immediate"): void {
    this.level = level;
    this.open = true;
  }
}

export const newContext = new NewContextState();
