// Every command of the host: what it takes and what it gives.
import type { Backup } from "$bindings/Backup";
import type { Context } from "$bindings/Context";
import type { ContextId } from "$bindings/ContextId";
import type { ContextLevel } from "$bindings/ContextLevel";
import type { ContextRequest } from "$bindings/ContextRequest";
import type { Deletion } from "$bindings/Deletion";
import type { Filter } from "$bindings/Filter";
import type { Format } from "$bindings/Format";
import type { Health } from "$bindings/Health";
import type { BreakerEvent } from "$bindings/BreakerEvent";
import type { PerformanceMetrics } from "$bindings/PerformanceMetrics";
import type { Restored } from "$bindings/Restored";
import type { RestoredDatabase } from "$bindings/RestoredDatabase";
import type { SearchResponse } from "$bindings/SearchResponse";
import type { StatsResponse } from "$bindings/StatsResponse";
import type { Stored } from "$bindings/Stored";
import type { Trace } from "$bindings/Trace";
import type { TraceId } from "$bindings/TraceId";
import type { WhyNot } from "$bindings/WhyNot";
import type * as p from "./types";

type Nothing = Record<string, never>;
type Shape<Request, Response> = { request: Request; response: Response };

export interface Commands {
  startup: Shape<Nothing, p.StartupState>;
  stats: Shape<Nothing, StatsResponse>;
  health: Shape<Nothing, Health>;
  activity: Shape<{ limit: number }, { items: p.Activity[] }>;

  list: Shape<p.ListRequest, p.CountedPage>;
  count: Shape<{ filter: Filter }, { count: number }>;
  get: Shape<{ id: ContextId }, Context>;
  details: Shape<{ id: ContextId }, p.ContextDetails>;
  texts: Shape<{ ids: ContextId[] }, { contexts: Context[] }>;
  uses: Shape<{ id: ContextId; limit: number }, p.Uses>;
  store: Shape<p.NewContext, Stored>;
  update: Shape<{ id: ContextId; patch: p.ContextPatch }, Context>;
  move_to: Shape<{ ids: ContextId[]; level: ContextLevel }, { moved: number }>;
  delete: Shape<{ ids: ContextId[] }, Deletion>;
  undo: Shape<{ ids: ContextId[] | null }, Restored>;
  clear: Shape<{ level: ContextLevel }, Deletion>;

  search: Shape<ContextRequest, SearchResponse>;
  why: Shape<p.WhyRequest, WhyNot>;
  trace: Shape<{ id: TraceId }, Trace>;
  traces: Shape<{ limit: number }, { traces: p.TraceSummary[] }>;
  rerank: Shape<p.RerankRequest, p.Reranked>;
  replay: Shape<{ id: TraceId }, p.Replay>;

  performance: Shape<{ window: p.PerformanceWindow }, PerformanceMetrics>;
  history: Shape<{ minutes: number }, p.History>;
  chart: Shape<p.ChartRequest, p.Chart>;
  performance_csv: Shape<{ minutes: number }, { csv: string }>;
  performance_report: Shape<{ minutes: number }, { html: string }>;

  resilience: Shape<Nothing, p.Resilience>;
  drill_start: Shape<{ fault: p.DrillFault; seconds: number }, p.Drill>;
  drill_stop: Shape<Nothing, Nothing>;
  pause_embedding: Shape<{ paused: boolean }, Nothing>;
  breaker_reset: Shape<Nothing, Nothing>;

  import_preview: Shape<{ paths: string[]; format: Format }, p.ImportPreview>;
  import_start: Shape<p.ImportStart, { job: string }>;
  reembed_start: Shape<Nothing, { job: string }>;
  export_start: Shape<{ file: string }, { job: string }>;
  jobs: Shape<Nothing, { jobs: p.Job[] }>;
  job_cancel: Shape<{ job: string }, Nothing>;

  settings: Shape<Nothing, p.SettingsState>;
  change_settings: Shape<{ changes: p.SettingChange[] }, p.SettingsState>;
  validate_settings: Shape<{ changes: p.SettingChange[] }, { problems: p.SettingProblem[] }>;
  clean_up: Shape<{ dry_run: boolean }, p.CleanUpResult>;
  backup: Shape<{ file: string }, Backup>;
  restore: Shape<{ file: string }, RestoredDatabase>;
  test_provider: Shape<{ api_url: string; model: string } | Nothing, p.ProviderTest>;
  token_status: Shape<{ kind: p.TokenKind }, p.TokenStatus>;
  token_set: Shape<{ kind: p.TokenKind; token: string; keep: p.TokenKeep }, p.TokenStatus>;
  token_clear: Shape<{ kind: p.TokenKind }, p.TokenStatus>;
  token_test: Shape<{ kind: p.TokenKind }, p.ProviderTest>;

  pick_paths: Shape<{ folders: boolean }, { paths: string[] }>;
  pick_save: Shape<{ suggested: string }, { path: string | null }>;
  save_file: Shape<p.SaveRequest, { path: string | null }>;
  open_link: Shape<{ url: string }, Nothing>;
  crash_report: Shape<Nothing, { report: string | null }>;
}

export type CommandName = keyof Commands;
export type Request<N extends CommandName> = Commands[N]["request"];
export type Response<N extends CommandName> = Commands[N]["response"];

/** What the host tells without being asked. */
export interface Events {
  job: p.Job;
  activity: p.Activity;
  startup: p.StartupState;
  breaker: BreakerEvent;
  dropped: { paths: string[] };
  settings: unknown;
  menu: { action: string };
  panic: { message: string };
}

export type EventName = keyof Events;
