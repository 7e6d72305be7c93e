// The order with other weights, asked for while a slider moves.
import type { Context } from "$bindings/Context";
import type { RankingWeight } from "$bindings/RankingWeight";
import type { RankingWeights } from "$bindings/RankingWeights";
import { type CommandFailure, asFailure, call } from "../../platform/platform";
import type { Reranked } from "../../platform/types";
import type { Result, Shown } from "./last-search.svelte";

/** A result in its place. */
export type Ranked = {
  result: Result;
  /** Places up (positive) or down with other weights; null is new in the list. */
  moved?: number | null;
  /** What its score is made of. */
  weights: RankingWeights;
  query: string;
};

export const weightNames: readonly RankingWeight[] = ["similarity", "recency", "level", "frequency"];

/** Sets one weight and scales the others, so that all sum to 1 and keep their proportions. */
export function withWeight(weights: RankingWeights, name: RankingWeight, value: number): RankingWeights {
  const set = Math.min(1, Math.max(0, value));
  const rest = weightNames.filter((other) => other !== name);
  const sum = rest.reduce((total, other) => total + weights[other], 0);
  const next = { ...weights, [name]: set };
  for (const other of rest) {
    next[other] = sum > 0 ? (weights[other] / sum) * (1 - set) : (1 - set) / rest.length;
  }
  return next;
}

/** Three places, the rest to the first: the host refuses weights that do not sum to 1. */
export function rounded(weights: RankingWeights): RankingWeights {
  const next = { ...weights };
  for (const name of weightNames) next[name] = Math.round(weights[name] * 1000) / 1000;
  const rest = next.recency + next.level + next.frequency;
  next.similarity = Math.round((1 - rest) * 1000) / 1000;
  return next;
}

export class Reranking {
  readonly shown: Shown;
  weights = $state<RankingWeights>({ similarity: 1, recency: 0, level: 0, frequency: 0 });
  vectorWeight = $state(0);
  threshold = $state(0);
  result = $state.raw<Reranked | null>(null);
  /** The weights of the order that is shown. The sliders may be ahead of it. */
  shownWeights = $state.raw<RankingWeights>({ similarity: 1, recency: 0, level: 0, frequency: 0 });
  failure = $state.raw<CommandFailure | null>(null);
  /** Texts of contexts that only the new order brought in. */
  texts = $state.raw(new Map<string, Context>());
  #wanted = false;
  #running = false;

  constructor(shown: Shown) {
    this.shown = shown;
    this.#reset();
  }

  /** The results in the order of the sliders, each with how far it moved. */
  readonly results: Ranked[] = $derived.by(() => {
    const { results } = this.shown;
    const { query } = this.shown.request;
    const weights = this.shownWeights;
    if (!this.result) return results.map((result) => ({ result, weights, query }));
    const before = new Map(results.map((result) => [result.context.id, result]));
    return this.result.contexts.flatMap(({ id, rank, score, parts, previous_rank }) => {
      const known = before.get(id);
      const context = known?.context ?? this.texts.get(id);
      if (!context) return [];
      const result = { context, rank, score, parts, sameText: known?.sameText ?? [] };
      return [{ result, moved: previous_rank === null ? null : previous_rank - rank, weights, query }];
    });
  });

  /** What the search returned and the sliders leave out. */
  readonly out: Result[] = $derived.by(() => {
    const ids = new Set(this.result?.dropped ?? []);
    return this.shown.results.filter((result) => ids.has(result.context.id));
  });

  get changed(): boolean {
    const { weights, strategy, relevance_threshold } = this.shown.trace.settings;
    return (
      weightNames.some((name) => Math.abs(weights[name] - this.weights[name]) > 1e-9) ||
      this.vectorWeight !== strategy.vector_weight ||
      this.threshold !== relevance_threshold
    );
  }

  setWeight(name: RankingWeight, value: number): void {
    this.weights = withWeight(this.weights, name, value);
    void this.#rank();
  }

  setWeights(weights: RankingWeights): void {
    this.weights = { ...weights };
    void this.#rank();
  }

  setVectorWeight(value: number): void {
    this.vectorWeight = value;
    void this.#rank();
  }

  setThreshold(value: number): void {
    this.threshold = value;
    void this.#rank();
  }

  reset(): void {
    this.#reset();
    this.result = null;
    this.failure = null;
  }

  #reset(): void {
    const { weights, strategy, relevance_threshold } = this.shown.trace.settings;
    this.weights = { ...weights };
    this.shownWeights = weights;
    this.vectorWeight = strategy.vector_weight;
    this.threshold = relevance_threshold;
  }

  /** One question at a time; the latest position of the sliders is always asked for in the end. */
  async #rank(): Promise<void> {
    this.#wanted = true;
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#wanted) {
        this.#wanted = false;
        const { id, settings } = this.shown.trace;
        const weights = rounded(this.weights);
        const result = await call("rerank", {
          trace_id: id,
          weights,
          strategy:
            this.vectorWeight === settings.strategy.vector_weight
              ? null
              : { ...settings.strategy, vector_weight: this.vectorWeight },
          relevance_threshold: this.threshold === settings.relevance_threshold ? null : this.threshold,
          max_tokens: null,
        });
        await this.#read(result);
        if (this.changed) {
          this.result = result;
          this.shownWeights = weights;
        }
        this.failure = null;
      }
    } catch (thrown) {
      this.failure = asFailure(thrown);
    } finally {
      this.#running = false;
    }
  }

  async #read(result: Reranked): Promise<void> {
    const known = new Set(this.shown.results.map((r) => r.context.id));
    const ids = [...result.contexts.map((c) => c.id), ...result.dropped].filter(
      (id) => !known.has(id) && !this.texts.has(id),
    );
    if (ids.length === 0) return;
    const { contexts } = await call("texts", { ids });
    this.texts = new Map([...this.texts, ...contexts.map((c) => [c.id, c] as const)]);
  }
}
