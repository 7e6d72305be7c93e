// Which rows of a list are in sight, as the browser tells it: to measure them would make it lay out everything first.
import type { Attachment } from "svelte/attachments";

export class InSight {
  #rows = new Set<Element>();
  #observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#rows.add(target);
      else this.#rows.delete(target);
    }
  });

  /** Watches a row as long as it is in the page. */
  readonly watch: Attachment = (row) => {
    this.#observer.observe(row);
    return () => {
      this.#observer.unobserve(row);
      this.#rows.delete(row);
    };
  };

  has(row: Element): boolean {
    return this.#rows.has(row);
  }

  get size(): number {
    return this.#rows.size;
  }
}
