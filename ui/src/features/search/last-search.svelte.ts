// The search that is shown; it outlives a change of view.
import type { Context } from "$bindings/Context";
import type { ContextRequest } from "$bindings/ContextRequest";
import type { Explanation } from "$bindings/Explanation";
import type { ScoreParts } from "$bindings/ScoreParts";
import type { SearchResponse } from "$bindings/SearchResponse";
import type { Trace } from "$bindings/Trace";
import { type CommandFailure, asFailure, call } from "../../platform/platform";
import { outdated } from "../../shared/query";

export type Result = { context: Context; rank: number; score: number; parts: ScoreParts; sameText: string[] };

export type Shown = {
  request: ContextRequest;
  trace: Trace;
  results: Result[];
  /** Whether it comes from the history; the host can re-rank only its latest searches. */
  old: boolean;
};

function chosenOf(trace: Trace): { candidate: Explanation; rank: number }[] {
  return trace.candidates
    .flatMap((candidate) =>
      candidate.outcome.stage === "chosen" ? [{ candidate, rank: candidate.outcome.rank }] : [],
    )
    .sort((a, b) => a.rank - b.rank);
}

/**
 * Milliseconds after which a search is said to be under way. Most are answered before; what is drawn meanwhile would keep
 * the answer waiting.
 */
const NOTICED = 150;

class LastSearch {
  shown = $state.raw<Shown | null>(null);
  failure = $state.raw<CommandFailure | null>(null);
  busy = $state(false);
  #latest = 0;

  get request(): ContextRequest | null {
    return this.shown?.request ?? null;
  }

  async search(request: ContextRequest): Promise<void> {
    await this.#show(async () => {
      const response: SearchResponse = await call("search", { ...request, explain: true });
      const trace = response.trace ?? (await call("trace", { id: response.metadata.trace_id }));
      const results = response.contexts.map((c) => ({
        context: c,
        rank: c.rank,
        score: c.score,
        parts: c.parts,
        sameText: c.same_text,
      }));
      return { request, trace, results, old: false };
    });
    outdated("traces");
  }

  /** Shows a search of the history as it was. */
  async open(id: string): Promise<void> {
    await this.#show(async () => {
      const trace = await call("trace", { id });
      const chosen = chosenOf(trace);
      const { contexts } = await call("texts", { ids: chosen.map(({ candidate }) => candidate.id) });
      const known = new Map(contexts.map((context) => [context.id, context]));
      const results = chosen.flatMap(({ candidate, rank }) => {
        const context = known.get(candidate.id);
        const { score, parts } = candidate;
        return context ? [{ context, rank, score, parts, sameText: [] }] : [];
      });
      return { request: trace.request, trace, results, old: true };
    });
  }

  clear(): void {
    this.#latest += 1;
    this.shown = null;
    this.failure = null;
    this.busy = false;
  }

  async #show(work: () => Promise<Shown>): Promise<void> {
    this.#latest += 1;
    const mine = this.#latest;
    const noticed = setTimeout(() => {
      if (mine === this.#latest) this.busy = true;
    }, NOTICED);
    try {
      const shown = await work();
      if (mine !== this.#latest) return;
      this.shown = shown;
      this.failure = null;
    } catch (thrown) {
      if (mine === this.#latest) this.failure = asFailure(thrown);
    } finally {
      clearTimeout(noticed);
      if (mine === this.#latest) this.busy = false;
    }
  }
}

export const lastSearch = new LastSearch();
