// A long list, of which only the pages around the rows in sight are held.
import type { Context } from "$bindings/Context";
import type { Filter } from "$bindings/Filter";
import type { Order } from "$bindings/Order";
import { type CommandFailure, asFailure, call } from "../../platform/platform";

const pageSize = 200;
/** Pages held at most: enough to scroll about, little enough for the memory. */
const heldPages = 30;

export type Question = { filter: Filter; order: Order; deleted: boolean };

export class ContextPages {
  total = $state<number | null>(null);
  failure = $state.raw<CommandFailure | null>(null);
  #pages = $state.raw(new Map<number, Context[]>());
  /** Where each page starts, as far as known: a page's cursor comes with the page before. */
  #cursors: (string | null)[] = [null];
  #question: Question | null = null;
  #generation = 0;
  #wanted: [number, number] = [0, 0];
  #walking = false;

  /** Reads anew. The rows that are shown stay until the first page of the answer is there. */
  async ask(question: Question): Promise<void> {
    this.#question = question;
    this.#generation += 1;
    const generation = this.#generation;
    try {
      const first = await this.#fetch(null, question);
      if (generation !== this.#generation) return;
      this.#pages = new Map([[0, first.contexts]]);
      this.#cursors = [null, first.next_cursor];
      this.total = first.total;
      this.failure = null;
      void this.#walk();
    } catch (thrown) {
      if (generation === this.#generation) this.failure = asFailure(thrown);
    }
  }

  row(index: number): Context | undefined {
    return this.#pages.get(Math.floor(index / pageSize))?.[index % pageSize];
  }

  /** Says which rows are in sight. */
  want(first: number, last: number): void {
    this.#wanted = [Math.floor(first / pageSize), Math.floor(last / pageSize)];
    void this.#walk();
  }

  /** The rows from one index to another, read where they are not held. */
  async range(from: number, to: number): Promise<Context[]> {
    const rows: Context[] = [];
    for (let page = Math.floor(from / pageSize); page <= Math.floor(to / pageSize); page += 1) {
      rows.push(...(await this.#load(page)));
    }
    const start = Math.floor(from / pageSize) * pageSize;
    return rows.slice(from - start, to - start + 1);
  }

  #fetch(cursor: string | null, question: Question) {
    return call("list", { ...question, cursor, limit: pageSize });
  }

  async #walk(): Promise<void> {
    if (this.#walking) return;
    this.#walking = true;
    try {
      for (;;) {
        const [first, last] = this.#wanted;
        const missing = [first, last].find((page) => !this.#pages.has(page) && this.#exists(page));
        if (missing === undefined) break;
        await this.#load(missing);
      }
    } catch (thrown) {
      this.failure = asFailure(thrown);
    } finally {
      this.#walking = false;
    }
  }

  #exists(page: number): boolean {
    return this.total !== null && page * pageSize < this.total;
  }

  async #load(page: number): Promise<Context[]> {
    const generation = this.#generation;
    for (;;) {
      const held = this.#pages.get(page);
      if (held) return held;
      const question = this.#question;
      if (!question || !this.#exists(page)) return [];
      const next = Math.min(page, this.#cursors.length - 1);
      const cursor = this.#cursors[next];
      if (cursor === undefined || (cursor === null && next > 0)) return [];
      const answer = await this.#fetch(cursor, question);
      if (generation !== this.#generation) return [];
      this.#cursors[next + 1] = answer.next_cursor;
      this.#hold(next, answer.contexts);
    }
  }

  #hold(page: number, contexts: Context[]): void {
    const pages = new Map(this.#pages);
    pages.set(page, contexts);
    const [first, last] = this.#wanted;
    const distance = (other: number): number => Math.min(Math.abs(other - first), Math.abs(other - last));
    while (pages.size > heldPages) {
      let far = page;
      for (const other of pages.keys()) {
        if (other !== page && (far === page || distance(other) > distance(far))) far = other;
      }
      pages.delete(far);
    }
    this.#pages = pages;
  }
}
