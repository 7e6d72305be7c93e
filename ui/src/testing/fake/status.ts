// How the scripted host is: counts, health, activity, figures and charts.
import type { LatencySummary } from "$bindings/LatencySummary";
import type { ActivityKind } from "../../platform/types";
import { draw } from "../charts";
import { idOf, start } from "../contexts";
import { breakerOf, limiter } from "./resilience";
import { iso, type Handlers, type Scene } from "./scene";

type Answers = Pick<
  Handlers,
  | "startup" | "stats" | "health" | "activity" | "performance" | "requests" | "database_parts" | "history" | "chart"
  | "performance_csv" | "performance_report" | "crash_report"
>;

const activities: [ActivityKind, string][] = [
  ["searched", "Searched: Why did the migration of billing fail? (8 found)"],
  ["stored", "Stored in L1: Prefer keyset pagination over OFFSET for the audit log"],
  ["imported", "Imported 128 contexts from notes"],
  ["moved", "Moved 2 contexts to L3"],
  ["settings", "Changed the settings: circuit_breaker.failure_threshold"],
  ["updated", "Changed: Decision: the working set of level one is capped"],
  ["deleted", "Deleted 3 contexts"],
  ["restored", "Brought back 3 contexts"],
];

function summary(count: number, p50: number): LatencySummary {
  return { count, mean_ms: p50 * 1.15, min_ms: p50 * 0.6, p50_ms: p50, p95_ms: p50 * 2.4, p99_ms: p50 * 4.1, max_ms: p50 * 6 };
}

const operations = (
  [
    ["retrieve", 9.4, 42],
    ["store", 7.9, 12],
    ["embed", 6.6, 51],
    ["list", 0.8, 240],
    ["import", 840, 1],
  ] as const
).map(([operation, p50, n]) => ({
  operation,
  last_minute: summary(n, p50),
  last_five_minutes: summary(n * 4, p50),
  last_hour: summary(n * 31, p50 * 1.1),
  all: summary(n * 400, p50 * 1.1),
}));

const slow = [
  { at: iso(start - 90_000), operation: "import", ms: 3120, memory_bytes: 35_651_584, parts: [{ name: "read", ms: 210 }, { name: "embed", ms: 2600 }, { name: "write", ms: 310 }] },
  { at: iso(start - 30_000), operation: "retrieve", ms: 1240, memory_bytes: null, parts: [{ name: "embed", ms: 1200 }, { name: "rank", ms: 4 }] },
];

const slowStatements = [
  {
    at: iso(start - 60_000),
    operation: "retrieve",
    statement: "SELECT c.seq FROM contexts c WHERE c.collection = ? AND c.session = ?",
    ms: 1340,
    plan: ["SCAN c", "  USE TEMP B-TREE FOR ORDER BY"],
  },
  { at: iso(start - 20_000), operation: "commit", statement: "COMMIT", ms: 2210, plan: [] },
];

const requests = (
  [
    ["command", "stats", 12.4, 2.1],
    ["http", "POST /api/v1/contexts/search", 31.5, 9.4],
    ["mcp", "memory_search", 0.7, 14.2],
  ] as const
).map(([front, name, per_minute, p50]) => ({ front, name, per_minute, last_hour: summary(Math.round(per_minute * 60), p50) }));

export function statusAnswers(scene: Scene): Answers {
  const { memory, options } = scene;
  let tick = 0;
  const limits = { slow_ms: 1000, slow_statement_ms: 1000 };
  const performance = () =>
    memory.size === 0
      ? { operations: [], slow: [], slow_statements: [], ...limits }
      : { operations, slow, slow_statements: slowStatements, ...limits };
  return {
    startup: () => scene.startup(),
    stats: () => {
      const per = memory.counts();
      const { database_file, config_file } = scene.startup();
      const layer = { hits: 812, misses: 140, total: 952, hit_rate: 0.853, entries: 688, bytes: 1_210_000, invalidations: 12 };
      return {
        database_file,
        config_file,
        model: memory.size ? { model: "all-MiniLM-L6-v2", dimension: 384 } : null,
        database: { file_bytes: memory.size * 5200 + 90_000, free_bytes: 120_000, wal_bytes: 410_000 },
        embedding_cache: { memory: layer, disk: { ...layer, hits: 90, misses: 50, total: 140, hit_rate: 0.643 }, hit_rate: 0.947 },
        answer_cache: { hits: 64, misses: 311, total: 375, hit_rate: 0.171, entries: 9, bytes: 84_000, invalidations: 301 },
        worded_cache: { hits: 3, misses: 17, total: 20, hit_rate: 0.15, entries: 12, bytes: 9_400, invalidations: 2 },
        working_set: per.Immediate,
        performance: performance(),
        process: {
          at: iso(start),
          resident_bytes: 141_000_000,
          peak_resident_bytes: 190_000_000,
          virtual_bytes: 900_000_000,
          machine_bytes: 16_000_000_000,
          share: 0.009,
          over_warning: false,
          near_limit: false,
        },
        circuit_breaker: breakerOf(options.breaker),
        rate_limiter: limiter,
        chat_breaker: breakerOf("closed"),
        chat_limiter: limiter,
        total_contexts: per.Immediate + per.ShortTerm + per.LongTerm,
        contexts_per_level: per,
        pending: memory.size ? 3 : 0,
        deleted: memory.deleted,
        total_tokens: memory.size * 41,
        sources: memory.size ? 5 : 0,
        traces: 12,
      };
    },
    health: () => ({
      state: options.breaker === "open" ? "degraded" : "healthy",
      components: [
        { name: "store", state: "healthy", detail: "the database answers", latency_ms: 0.4 },
        options.breaker === "open"
          ? { name: "provider", state: "degraded", detail: "the breaker is open; searches go by words alone", latency_ms: 0.1 }
          : { name: "provider", state: "healthy", detail: "the local model answers", latency_ms: 6.4 },
        options.keyring === "absent"
          ? { name: "keyring", state: "degraded", detail: "no Secret Service answers", latency_ms: 2 }
          : { name: "keyring", state: "healthy", detail: "the keyring answers", latency_ms: 2 },
        { name: "disk", state: "healthy", detail: "212 GB free", latency_ms: 0.1 },
      ],
    }),
    activity: ({ limit }) => ({
      items: (memory.size === 0 ? [] : activities)
        .map(([kind, summary], i) => ({
          at: iso(Date.now() - i * 400_000 - 20_000),
          kind,
          summary,
          ids: [idOf(i)],
          trace_id: null,
        }))
        .slice(0, limit),
    }),
    performance,
    requests: () => ({ items: memory.size === 0 ? [] : requests }),
    history: () => ({ times: [], operations: [], cache_hit_rates: [], rss_bytes: [] }),
    chart: (request) => draw(request, options.live ? tick++ : 0),
    database_parts: () => ({
      context_bytes: 2_100_000,
      vector_bytes: 1_572_864,
      word_bytes: 614_400,
      trace_bytes: 240_000,
      other_bytes: 60_000,
    }),
    performance_csv: () => ({ csv: "time,operation,p50_ms,p95_ms,p99_ms,count\n" }),
    performance_report: () => ({ html: "<!doctype html><title>HiRAG Studio</title>" }),
    crash_report: () => ({ report: "HiRAG Studio 0.1.0\npanicked at the test" }),
  };
}
