// How the scripted host scores: by shared words and by numbers that only look like vectors.
import type { ContextRequest } from "$bindings/ContextRequest";
import type { Explanation } from "$bindings/Explanation";
import type { RankingWeights } from "$bindings/RankingWeights";
import type { ScoreParts } from "$bindings/ScoreParts";
import type { Memory } from "./memory";

export const threshold = 0.12;

/** Every candidate with what became of it, best first. */
export function explain(memory: Memory, request: ContextRequest, weights: RankingWeights): Explanation[] {
  const words = request.query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const found: Explanation[] = [];
  for (let i = 0; i < Math.min(memory.size, 120); i += 1) {
    const context = memory.at(i);
    if (memory.isDeleted(context.id)) continue;
    const lower = context.text.toLowerCase();
    const overlap = words.length ? words.filter((w) => lower.includes(w)).length / words.length : 0;
    const vector = ((i * 37) % 100) / 180 + overlap * 0.4;
    const parts: ScoreParts = {
      vector: request.mode === "text" ? null : vector,
      text: overlap,
      overlap,
      neighbour: 0,
      phrase: lower.includes(request.query.toLowerCase()),
      similarity: Math.min(1, vector * 0.5 + overlap * 0.5),
      recency: Math.exp(-i / 40),
      level: context.level === "Immediate" ? 1 : context.level === "ShortTerm" ? 0.7 : 0.5,
      frequency: Math.log(1 + context.access_count) / Math.log(101),
    };
    found.push({
      id: context.id,
      level: context.level,
      tokens: context.token_count,
      score:
        parts.similarity * weights.similarity +
        parts.recency * weights.recency +
        parts.level * weights.level +
        parts.frequency * weights.frequency,
      fused: parts.similarity,
      parts,
      estimated: false,
      ranks: { vector: i + 1, text: null, fused: null, similarity: null, score: null, folded: null, chosen: null },
      outcome: { stage: "chosen", rank: 0 },
    });
  }
  found.sort((a, b) => b.score - a.score);
  decide(found, request);
  return found;
}

function decide(found: Explanation[], request: ContextRequest): void {
  const limit = request.limit ?? 12;
  let rank = 0;
  found.forEach((e, i) => {
    if (request.levels.length && !request.levels.includes(e.level)) e.outcome = { stage: "level" };
    else if (e.parts.similarity < threshold) e.outcome = { stage: "threshold", similarity: e.parts.similarity, threshold };
    else if (i === 3) e.outcome = { stage: "budget", tokens: e.tokens, left: 12 };
    else if (i === 5) e.outcome = { stage: "duplicate", of: found[0]?.id ?? "" };
    else if (rank >= limit) e.outcome = { stage: "outranked", limit };
    else {
      rank += 1;
      e.outcome = { stage: "chosen", rank };
      e.ranks.chosen = rank;
    }
    e.ranks.score = i + 1;
  });
}
