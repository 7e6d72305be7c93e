// A long list, of which only the pages around the rows in sight are held.
import type { Context } from "$bindings/Context";
import type { Filter } from "$bindings/Filter";
import type { Order } from "$bindings/Order";
import { type CommandFailure, asFailure, call } from "../../platform/platform";
import type { CountedPage } from "../../platform/types";

const pageSize = 200;
/** Pages held at most: enough to scroll about, little enough for the memory. */
const heldPages = 30;
/** How often a range is begun while what is stored keeps changing below it. */
const beginnings = 3;

export type Question = { filter: Filter; order: Order; deleted: boolean };

export class ContextPages {
  total = $state<number | null>(null);
  failure = $state.raw<CommandFailure | null>(null);
  #pages = $state.raw(new Map<number, Context[]>());
  /** Where pages start, as far as known: a page's cursor comes with the page before. */
  #cursors = new Map<number, string>();
  /** What is shown answers this question; another answer is another generation. */
  #question: Question | null = null;
  #generation = 0;
  #asked = 0;
  #wanted: [number, number] = [0, 0];
  #walking = false;

  /**
   * Reads anew: the same question what is in sight, another one from the start. The rows that are
   * shown stay until the answer is there.
   */
  async ask(question: Question): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    const places = question === this.#question ? [...new Set(this.#wanted)] : [0];
    try {
      const answers = await Promise.all(places.map((page) => this.#fetch(question, null, page)));
      if (asked !== this.#asked) return;
      this.#question = question;
      this.#generation += 1;
      this.#pages = new Map();
      this.#cursors.clear();
      answers.forEach((answer, i) => this.#take(places[i] ?? 0, answer));
      void this.#walk();
    } catch (thrown) {
      if (asked === this.#asked) this.failure = asFailure(thrown);
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

  /**
   * The rows from one index to another, read where they are not held. Rows of two readings do not
   * fit together: it begins again after a change, and gives nothing when the changes do not end,
   * when another question is asked, or when reading fails.
   */
  async range(from: number, to: number): Promise<Context[]> {
    const first = Math.floor(from / pageSize);
    const question = this.#question;
    try {
      for (let begun = 0; begun < beginnings && question === this.#question; begun += 1) {
        const generation = this.#generation;
        const rows: Context[] = [];
        for (let page = first; page <= Math.floor(to / pageSize); page += 1) {
          rows.push(...(await this.#load(page)));
        }
        if (generation === this.#generation) return rows.slice(from - first * pageSize, to - first * pageSize + 1);
      }
    } catch (thrown) {
      this.failure = asFailure(thrown);
    }
    return [];
  }

  /** The page that stands so many pages after a cursor, or after the start. */
  #fetch(question: Question, cursor: string | null, pages: number): Promise<CountedPage> {
    return call("list", { ...question, cursor, skip: pages * pageSize, limit: pageSize });
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

  /** A page, with one question wherever it is. */
  async #load(page: number): Promise<Context[]> {
    const held = this.#pages.get(page);
    const question = this.#question;
    if (held || !question || !this.#exists(page)) return held ?? [];
    const generation = this.#generation;
    const [known, cursor] = this.#nearest(page);
    const answer = await this.#fetch(question, cursor, page - known);
    if (generation !== this.#generation) return [];
    this.#take(page, answer);
    return answer.contexts;
  }

  /** The last page up to this one whose cursor is known; the first needs none. */
  #nearest(page: number): [number, string | null] {
    let nearest: [number, string | null] = [0, null];
    for (const [known, cursor] of this.#cursors) {
      if (known <= page && known > nearest[0]) nearest = [known, cursor];
    }
    return nearest;
  }

  #take(page: number, answer: CountedPage): void {
    if (answer.next_cursor) this.#cursors.set(page + 1, answer.next_cursor);
    this.total = answer.total;
    this.failure = null;
    this.#hold(page, answer.contexts);
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
