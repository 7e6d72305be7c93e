// Searching, ranking again, and what searches came to.
import type { ContextRequest } from "$bindings/ContextRequest";
import type { Explanation } from "$bindings/Explanation";
import type { LevelCounts } from "$bindings/LevelCounts";
import type { RetrievedContext } from "$bindings/RetrievedContext";
import type { SearchResponse } from "$bindings/SearchResponse";
import type { TokenLedger } from "$bindings/TokenLedger";
import type { Trace } from "$bindings/Trace";
import type { TraceSummary } from "../../platform/types";
import { idOf, start } from "../contexts";
import { explain, threshold } from "./ranking";
import { iso, refused, type Handlers, type Scene } from "./scene";

type Answers = Pick<Handlers, "search" | "reasons" | "look_up" | "why" | "trace" | "traces" | "rerank" | "replay">;

const timings = [
  { stage: "embed", ms: 6.8 },
  { stage: "vectors", ms: 2.1 },
  { stage: "words", ms: 1.4 },
  { stage: "rank", ms: 0.3 },
  { stage: "pack", ms: 0.08 },
];
const ms = 10.7;

const isChosen = (e: Explanation): boolean => e.outcome.stage === "chosen";

function ledgerOf(contexts: RetrievedContext[], budget: number): TokenLedger {
  const chosen = { Immediate: 0, ShortTerm: 0, LongTerm: 0 };
  for (const context of contexts) chosen[context.level] += 1;
  const tokens = (of: RetrievedContext[]): number => of.reduce((sum, c) => sum + c.token_count, 0);
  const level = (name: keyof LevelCounts, share: number) => ({
    allotted: Math.round(budget * share),
    used: tokens(contexts.filter((c) => c.level === name)),
    skipped: name === "LongTerm" ? 1 : 0,
    skipped_tokens: name === "LongTerm" ? 46 : 0,
  });
  return {
    budget,
    used: tokens(contexts),
    immediate: level("Immediate", 0.3),
    short_term: level("ShortTerm", 0.4),
    long_term: level("LongTerm", 0.3),
    chosen,
  };
}

export function searchAnswers(scene: Scene): Answers {
  const { memory } = scene;
  const requests = new Map<string, ContextRequest>();
  const history: TraceSummary[] = [];
  const weights = () => scene.config.hirag.ranking_weights;

  function traced(id: string): ContextRequest {
    const request = requests.get(id);
    if (!request) throw refused("unknown_trace", "this search is too old to be ranked again; run it once more");
    return request;
  }

  function search(request: ContextRequest, id: string): SearchResponse & { trace: Trace } {
    const candidates = explain(memory, request, weights());
    const contexts: RetrievedContext[] = candidates.filter(isChosen).map((e, i) => ({
      ...memory.find(e.id),
      rank: i + 1,
      score: e.score,
      parts: e.parts,
      same_text: i === 0 ? [idOf(5)] : [],
    }));
    const ledger = ledgerOf(contexts, request.max_tokens ?? scene.config.hirag.max_context_tokens);
    const degraded: Trace["degraded"] = scene.options.breaker === "open" ? ["embedding"] : [];
    const by = (stage: string): number => candidates.filter((e) => e.outcome.stage === stage).length;
    const trace: Trace = {
      id,
      time: iso(start),
      request,
      mode: request.mode,
      settings: {
        relevance_threshold: threshold,
        strategy: scene.config.hirag.retrieval_strategy,
        weights: weights(),
      },
      degraded,
      total_tokens: ledger.used,
      retrieval_time_ms: ms,
      timings,
      counts: {
        searched: candidates.length,
        level: by("level"),
        filter: 0,
        distant: 0,
        threshold: by("threshold"),
        duplicate: by("duplicate"),
        budget: by("budget"),
        outranked: by("outranked"),
        chosen: contexts.length,
      },
      ledger,
      complete: true,
      candidates,
    };
    return {
      contexts,
      total_tokens: ledger.used,
      retrieval_time_ms: ms,
      metadata: {
        trace_id: id,
        mode: request.mode,
        degraded,
        level_distribution: ledger.chosen,
        average_relevance: 0.61,
        cache_hits: 1,
        total_searched: candidates.length,
        ledger,
        timings,
      },
      trace,
    };
  }

  return {
    search: (request) => {
      const id = `01935000-0000-7000-8000-${String(requests.size + 1).padStart(12, "0")}`;
      requests.set(id, request);
      const answer = search(request, id);
      const { query, mode } = request;
      history.unshift({ id, time: iso(Date.now()), query, mode, returned: answer.contexts.length, total_tokens: answer.total_tokens, ms });
      return { ...answer, trace: { ...answer.trace, complete: false, candidates: [] } };
    },
    reasons: ({ id }) => ({ candidates: search(traced(id), id).trace.candidates, complete: true }),
    look_up: (request) => ({ contexts: search(request, "").contexts }),
    why: ({ id, request }) => {
      const found = explain(memory, request, weights()).find((e) => e.id === id);
      const { level, token_count } = memory.find(id);
      return {
        explanation: found ?? {
          id,
          level,
          tokens: token_count,
          score: 0.11,
          fused: 0.04,
          parts: { vector: 0.04, text: 0, overlap: 0, neighbour: 0, phrase: false, similarity: 0.04, recency: 0.2, level: 0.5, frequency: 0.1 },
          estimated: false,
          ranks: { vector: 812, text: null, fused: 790, similarity: 790, score: null, folded: null, chosen: null },
          outcome: { stage: "threshold", similarity: 0.04, threshold },
        },
        returned_as_another: false,
        suggestions: found && isChosen(found)
          ? []
          : [
              { changes: [{ kind: "threshold", from: threshold, to: 0.04 }], rank: 14, smallest: true },
              { changes: [{ kind: "limit", from: 12, to: 20 }], rank: 14, smallest: true },
            ],
        ruled_out: ["recency"],
      };
    },
    trace: ({ id }) => search(traced(id), id).trace,
    traces: ({ limit }) => ({ traces: history.slice(0, limit) }),
    rerank: ({ trace_id, weights: other }) => {
      const request = traced(trace_id);
      const before = explain(memory, request, weights()).filter(isChosen);
      const now = explain(memory, request, other).filter(isChosen);
      return {
        contexts: now.map((e, i) => {
          const old = before.findIndex((b) => b.id === e.id);
          return {
            id: e.id,
            rank: i + 1,
            previous_rank: old < 0 ? null : old + 1,
            score: e.score,
            previous_score: before[old]?.score ?? null,
            parts: e.parts,
          };
        }),
        total_tokens: now.reduce((sum, e) => sum + e.tokens, 0),
        dropped: before.filter((b) => !now.some((n) => n.id === b.id)).map((b) => b.id),
      };
    },
    // Today differs from then: the first two changed places, one came in, and the last one went.
    replay: ({ id }) => {
      const { trace } = search(traced(id), id);
      const chosen = trace.candidates.filter(isChosen);
      const [first, second] = chosen;
      const last = chosen.at(-1);
      const next = trace.candidates.find((e) => e.outcome.stage === "outranked");
      if (!first || !second || !last || !next) return { trace, entered: [], left: [], moved: [] };
      const today = trace.candidates.map((e): Explanation => {
        if (e === first) return { ...e, outcome: { stage: "chosen", rank: 2 } };
        if (e === second) return { ...e, outcome: { stage: "chosen", rank: 1 } };
        if (e === last) return { ...e, outcome: { stage: "outranked", limit: chosen.length } };
        return e === next ? { ...e, outcome: { stage: "chosen", rank: chosen.length } } : e;
      });
      return {
        trace: { ...trace, candidates: today },
        entered: [next.id],
        left: [last.id],
        moved: [
          { id: second.id, from: 2, to: 1 },
          { id: first.id, from: 1, to: 2 },
        ],
      };
    },
  };
}
