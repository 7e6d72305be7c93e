// Which texts hold some words: looked up by words alone.
import type { ContextLevel } from "$bindings/ContextLevel";
import type { ContextRequest } from "$bindings/ContextRequest";
import type { Filter } from "$bindings/Filter";

export function textMatches(
  words: string,
  limit: number,
  maxTokens: number | null,
  levels: ContextLevel[] = [],
  filter: Filter = { must: [], should: [], must_not: [] },
): ContextRequest {
  return { query: words, max_tokens: maxTokens, limit, levels, filter, mode: "text", priority: "normal", explain: false, exact: false };
}
