// How a question is answered; it outlives a change of view.
import type { AskRequest } from "$bindings/AskRequest";
import type { ContextLevel } from "$bindings/ContextLevel";
import type { SearchMode } from "$bindings/SearchMode";
import { everything, toFilter, type Narrowing } from "../contexts/filter";

class Options {
  mode = $state<SearchMode>("hybrid");
  levels = $state<ContextLevel[]>([]);
  narrowing = $state<Narrowing>({ ...everything });
  /** Passages as they stand, although somebody could word an answer. */
  passages = $state(false);
  /** Worded anew, although the same was worded before. */
  fresh = $state(false);

  request(question: string, session: string): AskRequest {
    return {
      question,
      session,
      keep: true,
      max_tokens: null,
      levels: $state.snapshot(this.levels),
      filter: toFilter(this.narrowing),
      mode: this.mode,
      extractive: this.passages,
      fresh: this.fresh,
    };
  }

  /** As nothing was chosen yet. */
  clear(): void {
    this.mode = "hybrid";
    this.levels = [];
    this.narrowing = { ...everything };
    this.passages = false;
    this.fresh = false;
  }
}

export const options = new Options();
