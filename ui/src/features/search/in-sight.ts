// Which rows of a list are in sight, as the browser tells it: to measure them would make it lay out everything first.
import type { Attachment } from "svelte/attachments";

export class InSight {
  #rows = new Set<string>();
  #observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const id = rowOf(target);
      if (isIntersecting) this.#rows.add(id);
      else this.#rows.delete(id);
    }
  });

  /** Watches a row, which carries its id as `data-row`. */
  readonly watch: Attachment = (row) => {
    const id = rowOf(row);
    this.#observer.observe(row);
    return () => {
      this.#observer.unobserve(row);
      this.#rows.delete(id);
    };
  };

  has(id: string): boolean {
    return this.#rows.has(id);
  }
}

const rowOf = (row: Element): string => (row as HTMLElement).dataset.row ?? "";
