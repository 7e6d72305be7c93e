// Contexts of the scripted host: made from their number, so that 100,000 take no memory.
import type { Context } from "$bindings/Context";
import type { ContextLevel } from "$bindings/ContextLevel";

export const start = Date.parse("2026-11-22T08:00:00Z");

const texts = [
  "The deploy of the billing service failed twice on Friday because the migration locked the invoices table. We now run long migrations in batches of 5,000 rows and watch the lock queue.",
  "Prefer keyset pagination over OFFSET for the audit log: the page after the two-hundredth took 1.8 s, with a cursor on (created_at, id) it takes 4 ms.",
  "Maria is away from Monday to Wednesday; questions about the retrieval benchmark go to Jonas until then.",
  "Reciprocal rank fusion threw away the distance between scores. A weighted sum of normalised scores kept it, and nDCG@10 rose from 0.443 to 0.505 on the development set.",
  "When the embedding endpoint answers 429, honour Retry-After before the breaker counts a failure. Otherwise a burst of imports opens it for no reason.",
  "Notes from the reading group: dense retrieval misses rare names, and full text misses paraphrases. Together they cover each other's blind spots.",
  "The customer asked whether the memory works on a plane. It does: the local model needs no network, and the first start unpacks nothing.",
  "Rust: `tokio::time::pause` makes a test's clock advance only when every task waits. No test of ours may sleep.",
  "Decision: the working set of level one is capped at 100 contexts, and what is evicted moves down instead of being deleted.",
  "A zero vector is worse than none. It is similar to nothing, so it silently hides the text from every later query.",
  "The kettle in the small kitchen trips the breaker when the heater runs as well.",
  "Interview with Dr. Okafor, part 2: field teams lose connection for days. Whatever we build must queue writes and show plainly what is not yet embedded.",
  "SQLite in WAL mode with synchronous=FULL survives power loss. NORMAL may lose the last commits, which we promised never to do.",
  'Sample markup that must stay text: <img src=x onerror="alert(1)"> <script>alert("no")</scr' + "ipt>",
  "שלום עולם — right-to-left text beside English, and emoji 🧭🛰️👩🏽‍🔬 that are several code points long.",
];

const sources = ["notes/retrieval.md", "notes/incidents/2026-11.md", "chat/export.jsonl", null, "docs/decisions.md"];

export function levelOf(i: number): ContextLevel {
  if (i % 24 === 0) return "Immediate";
  return i % 3 === 0 ? "ShortTerm" : "LongTerm";
}

export function idOf(i: number): string {
  const hex = (n: number, width: number): string => n.toString(16).padStart(width, "0");
  const time = hex(start - i * 61_000, 12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex((i * 7) % 4096, 3)}-8${hex((i * 13) % 4096, 3)}-${hex((i + 1) * 1_048_583, 12)}`;
}

/** The context with the number `i`; 0 is the newest. */
export function contextOf(i: number): Context {
  const text = texts[i % texts.length] ?? "";
  const at = new Date(start - i * 61_000).toISOString();
  const level = levelOf(i);
  const whole = i < texts.length ? text : `${text} (${i})`;
  return {
    id: idOf(i),
    text: whole,
    level,
    agent: i % 4 === 0 ? null : i % 4 === 1 ? "claude" : "notes-importer",
    session: i % 5 === 0 ? null : `session-${Math.floor(i / 40) + 1}`,
    created_at: at,
    updated_at: at,
    accessed_at: new Date(start - (i % 90) * 45_000).toISOString(),
    access_count: (i * 7) % 13,
    token_count: Math.ceil(whole.length / 4.2),
    content_hash: "9f2c".repeat(16),
    metadata: i % 2 ? { topic: i % 6 < 3 ? "retrieval" : "operations", line: i } : {},
    source: sources[i % sources.length] ?? null,
    source_key: null,
    expires_at: level === "ShortTerm" ? new Date(start + 86_400_000 * (30 - (i % 28))).toISOString() : null,
    deleted_at: null,
    embedding: i % 97 === 5 ? "pending" : "ready",
    position: i,
  };
}
