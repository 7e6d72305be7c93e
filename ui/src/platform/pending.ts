// Types of the wire that are not generated from the backend yet. Each goes away when
// `crates/hirag-server/bindings` has it.
import type { BreakerSnapshot } from "$bindings/BreakerSnapshot";
import type { CircuitBreakerSettings } from "$bindings/CircuitBreakerSettings";
import type { CleanUpItem } from "$bindings/CleanUpItem";
import type { Config } from "$bindings/Config";
import type { Context } from "$bindings/Context";
import type { ContextId } from "$bindings/ContextId";
import type { ContextLevel } from "$bindings/ContextLevel";
import type { ContextRequest } from "$bindings/ContextRequest";
import type { Filter } from "$bindings/Filter";
import type { Format } from "$bindings/Format";
import type { JsonValue } from "$bindings/serde_json/JsonValue";
import type { LimiterSnapshot } from "$bindings/LimiterSnapshot";
import type { Order } from "$bindings/Order";
import type { Page } from "$bindings/Page";
import type { Problem } from "$bindings/Problem";
import type { RankingWeights } from "$bindings/RankingWeights";
import type { RateLimitSettings } from "$bindings/RateLimitSettings";
import type { RetrievalStrategy } from "$bindings/RetrievalStrategy";
import type { ScoreParts } from "$bindings/ScoreParts";
import type { SearchMode } from "$bindings/SearchMode";
import type { Settings } from "$bindings/Settings";
import type { Skipped } from "$bindings/Skipped";
import type { Trace } from "$bindings/Trace";
import type { TraceId } from "$bindings/TraceId";

/** Why a command failed. The code is stable; the message is a sentence for people. */
export type Failure = { code: string; message: string };

export type KeyringState = "available" | "absent";

export type StartupState = {
  state: "opening" | "ready" | "failed";
  problem: Failure | null;
  settings_problem: Failure | null;
  database_file: string;
  config_file: string;
  data_dir: string;
  version: string;
  keyring: KeyringState;
};

export type ActivityKind =
  | "stored"
  | "updated"
  | "moved"
  | "deleted"
  | "restored"
  | "searched"
  | "imported"
  | "reembedded"
  | "cleaned_up"
  | "settings";

export type Activity = {
  at: string;
  kind: ActivityKind;
  summary: string;
  ids: ContextId[];
  trace_id: TraceId | null;
};

export type ListRequest = {
  filter: Filter;
  order: Order;
  cursor: string | null;
  limit: number;
  deleted: boolean;
};

export type CountedPage = Page & { total: number };

export type NewContext = {
  text: string;
  level: ContextLevel | null;
  agent: string | null;
  session: string | null;
  metadata: { [key: string]: JsonValue };
  source: string | null;
  expires_at: string | null;
};

/** What to change; what is absent stays. `expires_at: null` removes the expiry. */
export type ContextPatch = {
  text?: string;
  metadata?: { [key: string]: JsonValue };
  level?: ContextLevel;
  expires_at?: string | null;
};

export type Neighbour = { id: ContextId; level: ContextLevel; score: number; text: string };

export type ContextDetails = {
  context: Context;
  vector: { model: string; dimension: number; norm: number } | null;
  pending: boolean;
  neighbours: Neighbour[];
  session_neighbours: { before: ContextId | null; after: ContextId | null };
  fate: { sentence: string; at: string | null }[];
};

export type WhyRequest = { id: ContextId; request: ContextRequest };

export type TraceSummary = {
  id: TraceId;
  time: string;
  query: string;
  mode: SearchMode;
  returned: number;
  total_tokens: number;
  ms: number;
};

export type RerankRequest = {
  trace_id: TraceId;
  weights: RankingWeights;
  strategy: RetrievalStrategy | null;
  relevance_threshold: number | null;
  max_tokens: number | null;
};

export type RerankedContext = {
  id: ContextId;
  rank: number;
  previous_rank: number | null;
  score: number;
  previous_score: number | null;
  parts: ScoreParts;
};

export type Reranked = { contexts: RerankedContext[]; dropped: ContextId[]; total_tokens: number };

export type Replay = {
  trace: Trace;
  entered: ContextId[];
  left: ContextId[];
  moved: { id: ContextId; from: number; to: number }[];
};

export type PerformanceWindow = "minute" | "five_minutes" | "hour" | "all";

export type History = {
  times: string[];
  operations: {
    name: string;
    p50: (number | null)[];
    p95: (number | null)[];
    p99: (number | null)[];
    count: number[];
  }[];
  cache_hit_rates: { name: string; rate: (number | null)[] }[];
  rss_bytes: number[];
};

export type ChartKind = "latency" | "histogram" | "cache" | "throughput" | "memory" | "breaker";

export type ChartRequest = {
  kind: ChartKind;
  operation: string | null;
  minutes: number;
  theme: "light" | "dark";
  width: number;
  height: number;
};

export type ChartPoint = { series: string; x: string; y: number | null; px: number; py: number };

export type Chart = { svg: string; alternative: string; points: ChartPoint[] };

export type DrillFault = "timeout" | "too_many_requests" | "server_error";

export type Drill = { fault: DrillFault; until: string };

export type Resilience = {
  breaker: BreakerSnapshot;
  limiter: LimiterSnapshot;
  clients: { client: string; allowed: number; limited: number; remaining: number }[];
  pending: number;
  paused: boolean;
  drill: Drill | null;
  breaker_settings: CircuitBreakerSettings;
  limiter_settings: RateLimitSettings;
  defaults: { breaker: CircuitBreakerSettings; limiter: RateLimitSettings };
};

export type FileKind = "markdown" | "text" | "jsonl" | "beir";

export type ImportPreview = {
  files: { path: string; format: FileKind; bytes: number }[];
  total_files: number;
  total_bytes: number;
  skipped: Skipped[];
  failed: Problem[];
};

export type ImportStart = {
  paths: string[];
  format: Format;
  level: ContextLevel | null;
  agent: string | null;
  session: string | null;
};

export type JobKind = "import" | "reembed" | "export" | "clean_up" | "doctor";
export type JobState = "running" | "done" | "failed" | "cancelled";

export type Job = {
  id: string;
  kind: JobKind;
  state: JobState;
  progress: {
    done: number;
    total: number | null;
    unit: string;
    rate_per_s: number;
    seconds_left: number | null;
    text: string;
  };
  result: unknown;
  problem: Failure | null;
  started: string;
  ended: string | null;
};

export type SettingChange = { key: string; value: string | number | boolean | null };

export type SettingsState = Settings & {
  problem: Failure | null;
  defaults: Config;
  restart_needed: string[];
};

export type SettingProblem = { key: string; message: string };

export type CleanUpResult = {
  purged: number;
  dry_run: boolean;
  expired: CleanUpItem[];
  promoted: CleanUpItem[];
  evicted: CleanUpItem[];
  overflowed: CleanUpItem[];
  due_for_purge: number;
  operation: number | null;
};

export type ProviderTest = {
  ok: boolean;
  model: string | null;
  dimension: number | null;
  ms: number;
  problem: Failure | null;
};

export type TokenKind = "embedding" | "chat" | "server";
export type TokenKeep = "keyring" | "this_run";

export type TokenStatus = {
  kind: TokenKind;
  set: boolean;
  last_four: string | null;
  source: "keyring" | "environment" | "this_run" | null;
  keyring: KeyringState;
  why_absent: string | null;
};

/** A file that the person chooses where to keep; the shell asks and writes. */
export type SaveRequest = { suggested: string; content: string; encoding: "utf8" | "base64" };
