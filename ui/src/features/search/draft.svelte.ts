// What was typed into the search form; it outlives a change of view.
import type { ContextLevel } from "$bindings/ContextLevel";
import type { ContextRequest } from "$bindings/ContextRequest";
import type { Filter } from "$bindings/Filter";
import type { SearchMode } from "$bindings/SearchMode";
import { everything, fromFilter, toFilter, type Narrowing } from "../contexts/filter";

class Draft {
  query = $state("");
  mode = $state<SearchMode>("hybrid");
  tokens = $state<number | null>(null);
  limit = $state<number | null>(null);
  levels = $state<ContextLevel[]>([]);
  narrowing = $state<Narrowing>({ ...everything });
  /** A filter of an earlier search that the fields cannot say; it stands until it is left out. */
  other = $state.raw<Filter | null>(null);

  request(): ContextRequest {
    return {
      query: this.query,
      max_tokens: this.tokens || null,
      limit: this.limit || null,
      levels: $state.snapshot(this.levels),
      filter: this.other ?? toFilter(this.narrowing),
      mode: this.mode,
      priority: "high",
      explain: true,
      exact: false,
    };
  }

  take(request: ContextRequest): void {
    const narrowing = fromFilter(request.filter);
    this.query = request.query;
    this.mode = request.mode;
    this.tokens = request.max_tokens;
    this.limit = request.limit;
    this.levels = [...request.levels];
    this.narrowing = narrowing ?? { ...everything };
    this.other = narrowing ? null : request.filter;
  }

  /** As nothing was typed yet. */
  clear(): void {
    this.take({
      query: "",
      mode: "hybrid",
      max_tokens: null,
      limit: null,
      levels: [],
      filter: { must: [], should: [], must_not: [] },
      priority: "high",
      explain: true,
      exact: false,
    });
  }
}

export const draft = new Draft();
