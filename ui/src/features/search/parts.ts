// The parts of a score in words.
import type { Change } from "$bindings/Change";
import type { Explanation } from "$bindings/Explanation";
import type { Outcome } from "$bindings/Outcome";
import type { RankingWeight } from "$bindings/RankingWeight";
import type { RankingWeights } from "$bindings/RankingWeights";
import type { ScoreParts } from "$bindings/ScoreParts";
import type { StageCounts } from "$bindings/StageCounts";
import { count, levelFacts, score, shortId } from "../../shared/format";

export const partLabels: Record<RankingWeight, { label: string; meaning: string }> = {
  similarity: { label: "Relevance", meaning: "How well vectors and words fit the query" },
  recency: { label: "Recency", meaning: "How young it is: e^(-age/τ)" },
  level: { label: "Level", meaning: "1.0 in L1, 0.7 in L2, 0.5 in L3" },
  frequency: { label: "Frequency", meaning: "How often searches returned it" },
};

export type Share = { name: RankingWeight; label: string; value: number };

export function shares(parts: ScoreParts, weights: RankingWeights): Share[] {
  return (Object.keys(partLabels) as RankingWeight[]).map((name) => ({
    name,
    label: partLabels[name].label,
    value: parts[name] * weights[name],
  }));
}

/** Per cent of a bar that a share takes at least, so that it is seen. */
const SEEN = 0.6;

/** The shares side by side as a picture: one element draws them all. Those that are next to nothing are left out. */
export function stripes(all: readonly Share[]): string {
  let at = 0;
  const stops = all.flatMap(({ name, value }) => {
    if (value <= 0.0005) return [];
    const from = at;
    at += Math.max(value * 100, SEEN);
    const end = `${at.toFixed(2)}%`;
    return [`var(--part-${name}) ${from.toFixed(2)}% calc(${end} - 1px)`, `transparent 0 ${end}`];
  });
  return stops.length === 0 ? "none" : `linear-gradient(90deg, ${stops.join(", ")}, transparent 0)`;
}

export function sharesInWords(total: number, all: readonly Share[]): string {
  return `Score ${score(total)}: ${all.map((s) => `${s.label.toLowerCase()} ${score(s.value)}`).join(", ")}`;
}

export const stageLabels: Record<Outcome["stage"] | "distant", string> = {
  chosen: "Returned",
  level: "Level",
  filter: "Filter",
  distant: "Far away",
  threshold: "Threshold",
  duplicate: "Same text",
  budget: "Budget",
  outranked: "Limit",
};

const dropping = ["level", "filter", "distant", "threshold", "duplicate", "budget", "outranked"] as const;

/** How many candidates each stage dropped, those that dropped none left out. */
export function droppedBy(counts: StageCounts): [stage: (typeof dropping)[number], count: number][] {
  return dropping.flatMap((stage) => (counts[stage] > 0 ? [[stage, counts[stage]] as [typeof stage, number]] : []));
}

/** Why a candidate was kept or dropped, as a sentence. */
export function reason(candidate: Explanation): string {
  const { outcome } = candidate;
  switch (outcome.stage) {
    case "chosen":
      return `Returned at place ${outcome.rank}.`;
    case "level":
      return `It is in ${levelFacts(candidate.level).short}, which was not searched.`;
    case "filter":
      return "It does not match the filter.";
    case "threshold":
      return outcome.similarity === null
        ? "Nothing in it matches: no similar vector, no word, no neighbour."
        : `Its relevance ${score(outcome.similarity)} is below the threshold ${score(outcome.threshold)}.`;
    case "duplicate":
      return `It has the same text as …${shortId(outcome.of)}, which stands for it.`;
    case "budget":
      return `It needs ${count(outcome.tokens)} tokens; only ${count(outcome.left)} of the budget were left.`;
    case "outranked":
      return `${count(outcome.limit)} better ones filled the limit.`;
  }
}

/** What to change so that a context comes in, as a sentence. */
export function changeInWords(change: Change): string {
  switch (change.kind) {
    case "level":
      return `Search ${levelFacts(change.level).short} as well.`;
    case "filter":
      return change.condition ? `Leave the condition ${change.condition} out.` : "Leave the filter out.";
    case "threshold":
      return `Lower the relevance threshold from ${score(change.from)} to ${score(change.to)}.`;
    case "tokens":
      return `Raise the budget from ${count(change.from)} to ${count(change.to)} tokens.`;
    case "limit":
      return `Raise the limit from ${count(change.from)} to ${count(change.to)} contexts.`;
    case "weight":
      return `Change the weight of ${partLabels[change.name].label.toLowerCase()} from ${score(change.from)} to ${score(change.to)}.`;
    case "vector_weight":
      return `Change the weight of the vectors from ${score(change.from)} to ${score(change.to)}.`;
  }
}
