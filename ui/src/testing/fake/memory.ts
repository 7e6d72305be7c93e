// What the scripted host stores: made contexts, and what was changed, added and deleted since.
import type { Context } from "$bindings/Context";
import type { ContextId } from "$bindings/ContextId";
import type { Condition } from "$bindings/Condition";
import type { Filter } from "$bindings/Filter";
import type { LevelCounts } from "$bindings/LevelCounts";
import type { Order } from "$bindings/Order";
import type { NewContext } from "../../platform/types";
import { contextOf, idOf, levelOf, start } from "../contexts";
import { iso, refused } from "./scene";

const everything: Filter = { must: [], should: [], must_not: [] };

export type Listing = { filter?: Filter; deleted?: boolean; order?: Order };

/** What the orders sort by, the greatest first; the others go by when a context was stored. */
const values: Partial<Record<Order, (context: Context) => number>> = {
  recently_changed: (context) => Date.parse(context.updated_at),
  recently_used: (context) => Date.parse(context.accessed_at),
  most_used: (context) => context.access_count,
  longest_first: (context) => context.token_count,
};

export class Memory {
  readonly size: number;
  #changed = new Map<ContextId, Context>();
  #added: Context[] = [];
  #deleted = new Set<ContextId>();
  #lastDeleted: ContextId[] = [];
  #lists = new Map<string, Context[]>();
  #indexes = new Map<ContextId, number>();

  constructor(size: number) {
    this.size = size;
  }

  at(i: number): Context {
    const made = contextOf(i);
    return this.#changed.get(made.id) ?? made;
  }

  isDeleted(id: ContextId): boolean {
    return this.#deleted.has(id);
  }

  get deleted(): number {
    return this.#deleted.size;
  }

  find(id: ContextId): Context {
    const known = this.#changed.get(id) ?? this.#added.find((c) => c.id === id) ?? this.#made(id);
    if (!known) throw refused("not_found", `there is no context ${id}`);
    return this.isDeleted(id) ? { ...known, deleted_at: iso(start) } : known;
  }

  #made(id: ContextId): Context | undefined {
    if (this.#indexes.size === 0) {
      for (let i = 0; i < this.size; i += 1) this.#indexes.set(idOf(i), i);
    }
    const i = this.#indexes.get(id);
    return i === undefined ? undefined : contextOf(i);
  }

  add(request: NewContext): Context {
    const context: Context = {
      ...contextOf(1),
      ...request,
      id: idOf(-1 - this.#added.length).replace("-", "a").slice(0, 36),
      level: request.level ?? "Immediate",
      position: request.position ?? 0,
      created_at: iso(start),
      updated_at: iso(start),
      accessed_at: iso(start),
      access_count: 0,
      token_count: Math.ceil(request.text.length / 4),
      embedding: "ready",
    };
    this.#lists.clear();
    this.#added.unshift(context);
    return context;
  }

  change(id: ContextId, change: Partial<Context>): Context {
    this.#lists.clear();
    const added = this.#added.find((c) => c.id === id);
    if (added) return Object.assign(added, change);
    const now = { ...this.find(id), ...change };
    this.#changed.set(id, now);
    return now;
  }

  /** How many of each level were marked. */
  remove(ids: readonly ContextId[]): LevelCounts {
    this.#lists.clear();
    const per = { Immediate: 0, ShortTerm: 0, LongTerm: 0 };
    for (const id of ids) {
      per[this.find(id).level] += 1;
      this.#deleted.add(id);
    }
    this.#lastDeleted = [...ids];
    return per;
  }

  bringBack(ids: readonly ContextId[] | null): ContextId[] {
    this.#lists.clear();
    const back = [...(ids ?? this.#lastDeleted)];
    for (const id of back) this.#deleted.delete(id);
    return back;
  }

  counts(): LevelCounts {
    const counts = { Immediate: 0, ShortTerm: 0, LongTerm: 0 };
    for (let i = 0; i < this.size; i += 1) counts[this.#levelAt(i)] += 1;
    for (const context of this.#added) counts[context.level] += 1;
    for (const id of this.#deleted) counts[this.find(id).level] -= 1;
    return counts;
  }

  list(listing: Listing): Context[] {
    const key = JSON.stringify([listing.filter, listing.deleted, listing.order]);
    const known = this.#lists.get(key);
    if (known) return known;
    if (this.#lists.size > 8) this.#lists.clear();
    const filter = listing.filter ?? everything;
    const wanted = (context: Context): boolean =>
      this.isDeleted(context.id) === (listing.deleted ?? false) && matches(context, filter);
    const all = this.#added.filter(wanted);
    const only = filter.must.length === 1 ? filter.must[0] : undefined;
    for (let i = 0; i < this.size; i += 1) {
      if (only?.key === "level" && this.#changed.size === 0 && levelOf(i) !== only.match) continue;
      const context = this.at(i);
      if (wanted(context)) all.push(context);
    }
    if (listing.order === "oldest_first") all.reverse();
    const value = listing.order && values[listing.order];
    if (value) all.sort((a, b) => value(b) - value(a));
    this.#lists.set(key, all);
    return all;
  }

  #levelAt(i: number): Context["level"] {
    return this.#changed.size === 0 ? levelOf(i) : this.at(i).level;
  }
}

function matches(context: Context, { must, should, must_not }: Filter): boolean {
  const fields: Record<string, unknown> = { ...context, ...context.metadata };
  const holds = (condition: Condition) => {
    const value = fields[condition.key.replace(/^metadata\./, "")];
    if (condition.exists !== undefined) return (value !== undefined) === condition.exists;
    return value !== undefined && [value].flat().some((one) => passes(String(one), condition));
  };
  return must.every(holds) && (should.length === 0 || should.some(holds)) && !must_not.some(holds);
}

function passes(value: string, { match, any, range }: Condition): boolean {
  if (match !== undefined) return value === String(match);
  if (any) return any.map(String).includes(value);
  if (!range) return true;
  const { gte, gt, lt, lte } = range;
  return (
    (gte == null || value >= String(gte)) &&
    (gt == null || value > String(gt)) &&
    (lt == null || value < String(lt)) &&
    (lte == null || value <= String(lte))
  );
}
