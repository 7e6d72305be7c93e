// A search as text to paste elsewhere.
import type { ContextRequest } from "$bindings/ContextRequest";
import { levelFacts } from "../../shared/format";
import type { Result, Shown } from "./last-search.svelte";

/** The contexts as a prompt: numbered, each with where it comes from, then the question. */
export function asPrompt(query: string, results: readonly Result[]): string {
  const contexts = results.map(({ context }, i) => {
    const from = [levelFacts(context.level).short, context.created_at.slice(0, 10), context.source ?? ""];
    return `[${i + 1}] (${from.filter(Boolean).join(", ")})\n${context.text}`;
  });
  return `Answer from these contexts. Name the number of each one that you use.\n\n${contexts.join("\n\n")}\n\nQuestion: ${query}\n`;
}

export function asJson(shown: Shown, results: readonly Result[]): string {
  const contexts = results.map(({ context, rank, score, parts }) => ({ rank, score, parts, ...context }));
  return JSON.stringify({ request: shown.request, contexts, trace_id: shown.trace.id }, null, 2);
}

/** In single quotes, as every POSIX shell reads it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export function asCommand(request: ContextRequest): string {
  const words = ["hirag", "search"];
  if (request.limit !== null) words.push("--limit", String(request.limit));
  if (request.max_tokens !== null) words.push("--max-tokens", String(request.max_tokens));
  for (const level of request.levels) words.push("--level", levelFacts(level).short);
  if (request.mode !== "hybrid") words.push("--mode", request.mode);
  const { must, should, must_not } = request.filter;
  if (must.length + should.length + must_not.length > 0) {
    words.push("--where", JSON.stringify(request.filter));
  }
  words.push("--explain", "--", request.query);
  return words.map(quoted).join(" ");
}
