// Which contexts are chosen, across lists.
import type { Context } from "$bindings/Context";
import type { ContextId } from "$bindings/ContextId";

export class Selection {
  chosen = $state.raw(new Map<ContextId, Context>());
  /** The context whose details are shown. */
  open = $state<ContextId | null>(null);

  get size(): number {
    return this.chosen.size;
  }

  get contexts(): Context[] {
    return [...this.chosen.values()];
  }

  has(id: ContextId): boolean {
    return this.chosen.has(id);
  }

  only(context: Context): void {
    this.chosen = new Map([[context.id, context]]);
    this.open = context.id;
  }

  toggle(context: Context): void {
    const chosen = new Map(this.chosen);
    if (!chosen.delete(context.id)) chosen.set(context.id, context);
    this.chosen = chosen;
  }

  add(contexts: readonly Context[]): void {
    this.chosen = new Map([...this.chosen, ...contexts.map((c) => [c.id, c] as const)]);
  }

  clear(): void {
    this.chosen = new Map();
  }
}
