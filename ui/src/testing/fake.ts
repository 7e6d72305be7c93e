// A scripted host for tests and for looking at the page. No production build contains it.
import type { Config } from "$bindings/Config";
import type { Context } from "$bindings/Context";
import type { ContextId } from "$bindings/ContextId";
import type { ContextRequest } from "$bindings/ContextRequest";
import type { Explanation } from "$bindings/Explanation";
import type { Filter } from "$bindings/Filter";
import type { LatencySummary } from "$bindings/LatencySummary";
import type { LevelCounts } from "$bindings/LevelCounts";
import type { RetrievedContext } from "$bindings/RetrievedContext";
import type { ScoreParts } from "$bindings/ScoreParts";
import type { SearchResponse } from "$bindings/SearchResponse";
import type { Trace } from "$bindings/Trace";
import type { CommandName, EventName, Events, Request, Response } from "../platform/commands";
import type * as p from "../platform/types";
import { CommandFailure, type Platform } from "../platform/platform";
import { draw } from "./charts";
import { config } from "./config";
import { contextOf, idOf, levelOf, start } from "./contexts";

export type FakeOptions = {
  contexts?: number;
  startup?: p.StartupState["state"];
  /** Whether every question but `startup` fails. */
  failing?: boolean;
  /** Milliseconds that an answer takes. */
  delay?: number;
  breaker?: "open" | "closed";
  /** Whether charts and counters move by themselves. */
  live?: boolean;
  keyring?: p.KeyringState;
};

type Handlers = { [N in CommandName]: (request: Request<N>) => Response<N> | Promise<Response<N>> };

const iso = (ms: number): string => new Date(ms).toISOString();
const clone = <T>(value: T): T => structuredClone(value);

export class FakePlatform implements Platform {
  readonly capabilities = { files: true };
  /** Every call, oldest first. */
  readonly calls: { name: CommandName; request: unknown }[] = [];
  /** Answers that a test puts in place of the usual ones. */
  readonly answers: Partial<Handlers> = {};
  readonly options: Required<FakeOptions>;
  config: Config = clone(config);
  #size: number;
  #changed = new Map<ContextId, Context>();
  #added: Context[] = [];
  #deleted = new Set<ContextId>();
  #lastDeleted: ContextId[] = [];
  #listeners = new Map<EventName, Set<(payload: never) => void>>();
  #requests = new Map<string, ContextRequest>();
  #history: p.TraceSummary[] = [];
  #jobs: p.Job[] = [];
  #drill: p.Drill | null = null;
  #paused = false;
  #token: p.TokenStatus;
  #tick = 0;
  #lists = new Map<string, Context[]>();
  #indexes = new Map<ContextId, number>();

  constructor(options: FakeOptions = {}) {
    this.options = {
      contexts: 240,
      startup: "ready",
      failing: false,
      delay: 0,
      breaker: "closed",
      live: false,
      keyring: "available",
      ...options,
    };
    this.#size = this.options.contexts;
    this.#token = this.#noToken();
  }

  async call<N extends CommandName>(name: N, request: Request<N>): Promise<Response<N>> {
    this.calls.push({ name, request: clone(request) });
    if (this.options.delay) await new Promise((done) => setTimeout(done, this.options.delay));
    const answer = (this.answers[name] ?? this.#handlers[name]) as (r: Request<N>) => Response<N>;
    if (this.options.failing && !["startup", "settings"].includes(name)) {
      throw new CommandFailure({
        code: "store_failed",
        message: "the database answered: disk I/O error; check the disk, then try again",
      });
    }
    // As over the wire: what is given away is a copy.
    return clone(await answer(request));
  }

  on<N extends EventName>(event: N, callback: (payload: Events[N]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    set.add(callback as (payload: never) => void);
    this.#listeners.set(event, set);
    return () => set.delete(callback as (payload: never) => void);
  }

  emit<N extends EventName>(event: N, payload: Events[N]): void {
    for (const callback of this.#listeners.get(event) ?? []) {
      (callback as (payload: Events[N]) => void)(payload);
    }
  }

  /** The requests of all calls of one command. */
  requests<N extends CommandName>(name: N): Request<N>[] {
    return this.calls.filter((c) => c.name === name).map((c) => c.request as Request<N>);
  }

  setStartup(state: p.StartupState["state"], problem: p.Failure | null = null): void {
    this.options.startup = state;
    this.emit("startup", { ...this.#startup(), problem });
  }

  // What is stored

  #at(i: number): Context {
    const made = contextOf(i);
    return this.#changed.get(made.id) ?? made;
  }

  #find(id: ContextId): Context {
    const changed = this.#changed.get(id) ?? this.#added.find((c) => c.id === id);
    if (changed) return changed;
    if (this.#indexes.size === 0) {
      for (let i = 0; i < this.#size; i += 1) this.#indexes.set(idOf(i), i);
    }
    const i = this.#indexes.get(id);
    if (i === undefined) throw new CommandFailure({ code: "not_found", message: `there is no context ${id}` });
    return contextOf(i);
  }

  #change(id: ContextId, change: Partial<Context>): Context {
    const added = this.#added.find((c) => c.id === id);
    if (added) return Object.assign(added, change);
    const now = { ...this.#find(id), ...change };
    this.#changed.set(id, now);
    return now;
  }

  #matches(context: Context, filter: Filter): boolean {
    const fields: Record<string, unknown> = { ...context, ...context.metadata };
    return filter.must.every((condition) => {
      const value = fields[condition.key.replace(/^metadata\./, "")];
      if (condition.match !== undefined) return String(value) === String(condition.match);
      if (condition.any) return condition.any.map(String).includes(String(value));
      if (condition.range) {
        const { gte, gt, lt, lte } = condition.range;
        const v = String(value);
        return (
          (gte == null || v >= String(gte)) &&
          (gt == null || v > String(gt)) &&
          (lt == null || v < String(lt)) &&
          (lte == null || v <= String(lte))
        );
      }
      return true;
    });
  }

  #listed(request: { filter?: Filter; deleted?: boolean; order?: string }): Context[] {
    const { deleted, order } = request;
    const filter = request.filter ?? { must: [], should: [], must_not: [] };
    const key = JSON.stringify([filter, deleted, order, this.#changes()]);
    const known = this.#lists.get(key);
    if (known) return known;
    if (this.#lists.size > 8) this.#lists.clear();
    const all: Context[] = [];
    this.#lists.set(key, all);
    const wanted = (id: ContextId): boolean => this.#deleted.has(id) === (request.deleted ?? false);
    for (const context of this.#added) if (wanted(context.id) && this.#matches(context, filter)) all.push(context);
    const only = filter.must.length === 1 ? filter.must[0] : undefined;
    for (let i = 0; i < this.#size; i += 1) {
      if (only?.key === "level" && this.#changed.size === 0 && levelOf(i) !== only.match) continue;
      const context = this.#at(i);
      if (wanted(context.id) && this.#matches(context, filter)) all.push(context);
    }
    if (request.order === "oldest_first") all.reverse();
    return all;
  }

  /** Every call that may have changed something. */
  #changes(): number {
    const changing: CommandName[] = ["store", "update", "move_to", "delete", "undo", "clear"];
    return this.calls.filter((one) => changing.includes(one.name)).length;
  }

  #counts(): LevelCounts {
    const counts = { Immediate: 0, ShortTerm: 0, LongTerm: 0 };
    for (let i = 0; i < this.#size; i += 1) counts[levelOf(i)] += 1;
    for (const context of this.#added) if (!this.#deleted.has(context.id)) counts[context.level] += 1;
    for (const id of this.#deleted) if (!this.#added.some((c) => c.id === id)) counts[this.#find(id).level] -= 1;
    return counts;
  }

  // Searching

  #explanations(request: ContextRequest, weights = this.config.hirag.ranking_weights): Explanation[] {
    const words = request.query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    const found: Explanation[] = [];
    const size = Math.min(this.#size, 120);
    for (let i = 0; i < size; i += 1) {
      const context = this.#at(i);
      if (this.#deleted.has(context.id)) continue;
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
      const score =
        parts.similarity * weights.similarity +
        parts.recency * weights.recency +
        parts.level * weights.level +
        parts.frequency * weights.frequency;
      found.push({
        id: context.id,
        level: context.level,
        tokens: context.token_count,
        score,
        fused: parts.similarity,
        parts,
        ranks: { vector: i + 1, text: null, fused: null, similarity: null, score: null, folded: null, chosen: null },
        outcome: { stage: "chosen", rank: 0 },
      });
    }
    found.sort((a, b) => b.score - a.score);
    const limit = request.limit ?? 12;
    let rank = 0;
    found.forEach((e, i) => {
      if (request.levels.length && !request.levels.includes(e.level)) e.outcome = { stage: "level" };
      else if (e.parts.similarity < 0.12) e.outcome = { stage: "threshold", similarity: e.parts.similarity, threshold: 0.12 };
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
    return found;
  }

  #search(request: ContextRequest, id: string): SearchResponse & { trace: Trace } {
    const explained = this.#explanations(request);
    const chosen = explained.filter((e) => e.outcome.stage === "chosen");
    const contexts: RetrievedContext[] = chosen.map((e, i) => ({
      ...this.#find(e.id),
      rank: i + 1,
      score: e.score,
      parts: e.parts,
      same_text: i === 0 ? [idOf(5)] : [],
    }));
    const total = contexts.reduce((sum, c) => sum + c.token_count, 0);
    const budget = request.max_tokens ?? this.config.hirag.max_context_tokens;
    const level = (name: keyof LevelCounts, share: number) => ({
      allotted: Math.round(budget * share),
      used: contexts.filter((c) => c.level === name).reduce((sum, c) => sum + c.token_count, 0),
      skipped: name === "LongTerm" ? 1 : 0,
      skipped_tokens: name === "LongTerm" ? 46 : 0,
    });
    const distribution = { Immediate: 0, ShortTerm: 0, LongTerm: 0 };
    for (const context of contexts) distribution[context.level] += 1;
    const ledger = {
      budget,
      used: total,
      immediate: level("Immediate", 0.3),
      short_term: level("ShortTerm", 0.4),
      long_term: level("LongTerm", 0.3),
      chosen: distribution,
    };
    const timings = [
      { stage: "embed", ms: 6.8 },
      { stage: "vectors", ms: 2.1 },
      { stage: "words", ms: 1.4 },
      { stage: "rank", ms: 0.3 },
      { stage: "pack", ms: 0.08 },
    ];
    const degraded = this.options.breaker === "open" ? (["embedding"] as const) : [];
    const by = (stage: string): number => explained.filter((e) => e.outcome.stage === stage).length;
    const trace: Trace = {
      id,
      time: iso(start),
      request,
      mode: request.mode,
      settings: {
        relevance_threshold: 0.12,
        strategy: this.config.hirag.retrieval_strategy,
        weights: this.config.hirag.ranking_weights,
      },
      degraded: [...degraded],
      total_tokens: total,
      retrieval_time_ms: 10.7,
      timings,
      counts: {
        searched: explained.length,
        level: by("level"),
        filter: 0,
        threshold: by("threshold"),
        duplicate: by("duplicate"),
        budget: by("budget"),
        outranked: by("outranked"),
        chosen: contexts.length,
      },
      ledger,
      complete: true,
      candidates: explained,
    };
    return {
      contexts,
      total_tokens: total,
      retrieval_time_ms: 10.7,
      metadata: {
        trace_id: id,
        mode: request.mode,
        degraded: [...degraded],
        level_distribution: distribution,
        average_relevance: 0.61,
        cache_hits: 1,
        total_searched: explained.length,
        ledger,
        timings,
      },
      trace,
    };
  }

  #traced(id: string): ContextRequest {
    const request = this.#requests.get(id);
    if (!request) throw new CommandFailure({ code: "unknown_trace", message: "this search is too old to be ranked again; run it once more" });
    return request;
  }

  // Answers

  #startup(): p.StartupState {
    const failed = this.options.startup === "failed";
    return {
      state: this.options.startup,
      problem: failed
        ? {
            code: "store_newer",
            message:
              "/home/ada/.local/share/hirag/hirag.db has the schema version 9, but this program knows versions up to 4; use a newer HiRAG Studio",
          }
        : null,
      settings_problem: null,
      database_file: "/home/ada/.local/share/hirag/hirag.db",
      config_file: "/home/ada/.config/hirag/config.toml",
      data_dir: "/home/ada/.local/share/hirag",
      version: "0.1.0",
      keyring: this.options.keyring,
    };
  }

  #noToken(): p.TokenStatus {
    const absent = this.options.keyring === "absent";
    return {
      kind: "embedding",
      set: false,
      last_four: null,
      source: null,
      keyring: this.options.keyring,
      why_absent: absent ? "no Secret Service answers on the session bus" : null,
    };
  }

  #performance(): Response<"performance"> {
    const summary = (n: number, p50: number): LatencySummary => ({
      count: n,
      mean_ms: p50 * 1.15,
      p50_ms: p50,
      p95_ms: p50 * 2.4,
      p99_ms: p50 * 4.1,
      max_ms: p50 * 6,
    });
    if (this.#size === 0) return { operations: [], slow: [], slow_ms: 1000 };
    return {
      operations: (
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
      })),
      slow: [
        { at: iso(start - 90_000), operation: "import", ms: 3120, parts: [{ name: "read", ms: 210 }, { name: "embed", ms: 2600 }, { name: "write", ms: 310 }] },
        { at: iso(start - 30_000), operation: "retrieve", ms: 1240, parts: [{ name: "embed", ms: 1200 }, { name: "rank", ms: 4 }] },
      ],
      slow_ms: 1000,
    };
  }

  #breaker(): Response<"resilience">["breaker"] {
    const open = this.options.breaker === "open";
    return {
      state: open ? "open" : "closed",
      retry_after_ms: open ? 21_000 : null,
      failures_in_window: open ? 5 : 1,
      probe_successes: 0,
      probes_in_flight: 0,
      succeeded: 1840,
      failed: 17,
      abandoned: 1,
      refused: open ? 9 : 4,
      history: [
        { at: iso(start - 3_600_000), from: "closed", to: "open", reason: "5 failures within 60 s, the last: the endpoint answered 503" },
        { at: iso(start - 3_570_000), from: "open", to: "half_open", reason: "30 s have passed" },
        { at: iso(start - 3_568_000), from: "half_open", to: "closed", reason: "2 probes succeeded" },
        ...(open ? [{ at: iso(start - 9000), from: "closed" as const, to: "open" as const, reason: "5 failures within 60 s, the last: no answer within 30 s" }] : []),
      ],
    };
  }

  #limiter(): Response<"resilience">["limiter"] {
    return { enabled: true, allowed: 2214, limited: 12, clients: 2, shared: 0 };
  }

  #settings(): p.SettingsState {
    const startup = this.#startup();
    return {
      config_file: startup.config_file,
      config_file_exists: true,
      data_dir: startup.data_dir,
      settings: this.config,
      problem: null,
      defaults: config,
      restart_needed: [],
    };
  }

  #problems(changes: p.SettingChange[]): p.SettingProblem[] {
    return changes.flatMap(({ key, value }) => {
      if (value === null) return [];
      if (typeof value === "number" && value < 0) {
        return [{ key, message: `${key} is ${value}; it must be 0 or more` }];
      }
      if (key.endsWith("_threshold") && value === 0 && key.startsWith("circuit")) {
        return [{ key, message: `${key} is 0; it must be 1 to 10000` }];
      }
      if (/timeout$|window_size$|ttl$|interval$/.test(key) && typeof value === "string" && !/^(\d+(ms|s|m|h|d)?|never)$/.test(value)) {
        return [{ key, message: `${key} is "${value}"; write a number with a unit, like 30s, 5m or 7d` }];
      }
      return [];
    });
  }

  /** Runs a job to its end in `steps` events, at once or as time goes by. */
  #run(kind: p.JobKind, total: number, unit: string, result: p.Job["result"]): { job: string } {
    const id = `job-${this.#jobs.length + 1}`;
    const job: p.Job = {
      id,
      kind,
      state: "running",
      progress: { done: 0, total, unit, rate_per_s: 0, seconds_left: null, text: "Reading the files" },
      result: null,
      problem: null,
      started: iso(Date.now()),
      ended: null,
    };
    this.#jobs.push(job);
    const step = (): void => {
      if (job.state !== "running") return;
      job.progress.done = Math.min(total, job.progress.done + Math.ceil(total / 40));
      job.progress.rate_per_s = 410;
      job.progress.seconds_left = (total - job.progress.done) / 410;
      job.progress.text = `${job.progress.done} of ${total} ${unit}`;
      if (job.progress.done >= total) {
        job.state = "done";
        job.result = result;
        job.ended = iso(Date.now());
      } else setTimeout(step, 120);
      this.emit("job", clone(job));
    };
    if (this.options.live) setTimeout(step, 120);
    return { job: id };
  }

  /** Reports on a job as the host does. */
  report(job: Partial<p.Job> & { id: string }): void {
    const known = this.#jobs.find((one) => one.id === job.id);
    if (known) this.emit("job", clone(Object.assign(known, job)));
  }

  readonly #handlers: Handlers = {
    startup: () => this.#startup(),
    stats: () => {
      const per = this.#counts();
      const layer = { hits: 812, misses: 140, total: 952, hit_rate: 0.853, entries: 688, bytes: 1_210_000 };
      return {
        database_file: this.#startup().database_file,
        config_file: this.#startup().config_file,
        model: this.#size ? { model: "all-MiniLM-L6-v2", dimension: 384 } : null,
        database: { file_bytes: this.#size * 5200 + 90_000, free_bytes: 120_000, wal_bytes: 410_000 },
        embedding_cache: { memory: layer, disk: { ...layer, hits: 90, misses: 50, total: 140, hit_rate: 0.643 }, hit_rate: 0.947 },
        working_set: per.Immediate,
        performance: this.#performance(),
        process: {
          at: iso(start),
          resident_bytes: 141_000_000,
          peak_resident_bytes: 190_000_000,
          virtual_bytes: 900_000_000,
          machine_bytes: 16_000_000_000,
          share: 0.009,
          over_warning: false,
        },
        circuit_breaker: this.#breaker(),
        rate_limiter: this.#limiter(),
        total_contexts: per.Immediate + per.ShortTerm + per.LongTerm,
        contexts_per_level: per,
        pending: this.#size ? 3 : 0,
        deleted: this.#deleted.size,
        total_tokens: this.#size * 41,
        sources: this.#size ? 5 : 0,
        traces: this.#history.length,
      };
    },
    health: () => ({
      state: this.options.breaker === "open" ? "degraded" : "healthy",
      components: [
        { name: "store", state: "healthy", detail: "the database answers", latency_ms: 0.4 },
        this.options.breaker === "open"
          ? { name: "provider", state: "degraded", detail: "the breaker is open; searches go by words alone", latency_ms: 0.1 }
          : { name: "provider", state: "healthy", detail: "the local model answers", latency_ms: 6.4 },
        this.options.keyring === "absent"
          ? { name: "keyring", state: "degraded", detail: "no Secret Service answers", latency_ms: 2 }
          : { name: "keyring", state: "healthy", detail: "the keyring answers", latency_ms: 2 },
        { name: "disk", state: "healthy", detail: "212 GB free", latency_ms: 0.1 },
      ],
    }),
    activity: ({ limit }) => ({
      items: (this.#size === 0
        ? []
        : ([
            ["searched", "Searched for “why did the deploy fail”: 8 contexts"],
            ["stored", "Stored a context in L1"],
            ["imported", "Imported 128 contexts from notes"],
            ["promoted", "Moved 2 contexts to L3"],
            ["settings", "Changed circuit_breaker.failure_threshold to 5"],
          ] as const)
      )
        .map(([kind, summary], i) => ({
          at: iso(Date.now() - i * 400_000 - 20_000),
          kind: (kind === "promoted" ? "moved" : kind) as p.ActivityKind,
          summary,
          ids: [idOf(i)],
          trace_id: null,
        }))
        .slice(0, limit),
    }),

    list: (request) => {
      const all = this.#listed(request);
      const from = Number(request.cursor ?? 0);
      const limit = request.limit || 100;
      const next = from + limit;
      return { contexts: all.slice(from, next), next_cursor: next < all.length ? String(next) : null, total: all.length };
    },
    count: ({ filter }) => ({ count: this.#listed({ filter }).length }),
    get: ({ id }) => this.#find(id),
    texts: ({ ids }) => ({ contexts: ids.map((id) => this.#find(id)) }),
    details: ({ id }) => {
      const context = this.#find(id);
      return {
        context,
        vector: context.embedding === "ready" ? { model: "all-MiniLM-L6-v2", dimension: 384, norm: 1 } : null,
        pending: context.embedding === "pending",
        neighbours: [3, 9, 12, 17, 21].map((i, n) => ({ id: idOf(i), level: levelOf(i), score: 0.81 - n * 0.06, text: contextOf(i).text })),
        session_neighbours: { before: idOf(2), after: idOf(1) },
        fate:
          context.level === "ShortTerm"
            ? [
                { sentence: "Expires 30 days after it was stored, unless it is used.", at: context.expires_at },
                { sentence: `Moves to L3 after ${Math.max(1, 5 - context.access_count)} more uses.`, at: null },
              ]
            : context.level === "Immediate"
              ? [{ sentence: "Moves to L2 when 100 newer contexts have come into L1.", at: null }]
              : [{ sentence: "Stays for good: L3 keeps for ever.", at: null }],
      };
    },
    store: (request) => {
      const id = idOf(-1 - this.#added.length).replace("-", "a").slice(0, 36);
      this.#added.unshift({
        ...contextOf(1),
        ...request,
        id,
        level: request.level ?? "Immediate",
        position: request.position ?? 0,
        created_at: iso(start),
        updated_at: iso(start),
        accessed_at: iso(start),
        access_count: 0,
        token_count: Math.ceil(request.text.length / 4),
        embedding: "ready",
      });
      return { id, level: request.level ?? "Immediate", token_count: Math.ceil(request.text.length / 4), embedding: "ready", pending_because: null };
    },
    update: ({ id, patch }) => this.#change(id, { ...patch, updated_at: iso(start) } as Partial<Context>),
    move_to: ({ ids, level }) => {
      for (const id of ids) this.#change(id, { level });
      return { moved: ids.length };
    },
    delete: ({ ids }) => {
      const per = { Immediate: 0, ShortTerm: 0, LongTerm: 0 };
      for (const id of ids) {
        per[this.#find(id).level] += 1;
        this.#deleted.add(id);
      }
      this.#lastDeleted = ids;
      return { operation: 1, ids, per_level: per };
    },
    undo: ({ ids }) => {
      const back = ids ?? this.#lastDeleted;
      for (const id of back) this.#deleted.delete(id);
      return { ids: back, superseded: [] };
    },
    clear: ({ level }) => {
      const ids = this.#listed({ filter: { must: [{ key: "level", match: level }], should: [], must_not: [] } }).map((c) => c.id);
      for (const id of ids) this.#deleted.add(id);
      this.#lastDeleted = ids;
      return { operation: 2, ids, per_level: { Immediate: 0, ShortTerm: 0, LongTerm: 0, [level]: ids.length } };
    },

    search: (request) => {
      const id = `01935000-0000-7000-8000-${String(this.#requests.size + 1).padStart(12, "0")}`;
      this.#requests.set(id, request);
      const answer = this.#search(request, id);
      this.#history.unshift({
        id,
        time: iso(Date.now()),
        query: request.query,
        mode: request.mode,
        returned: answer.contexts.length,
        total_tokens: answer.total_tokens,
        ms: answer.retrieval_time_ms,
      });
      return answer;
    },
    why: ({ id, request }) => {
      const found = this.#explanations(request).find((e) => e.id === id);
      const context = this.#find(id);
      return {
        explanation: found ?? {
          id,
          level: context.level,
          tokens: context.token_count,
          score: 0.11,
          fused: 0.04,
          parts: { vector: 0.04, text: 0, overlap: 0, neighbour: 0, phrase: false, similarity: 0.04, recency: 0.2, level: 0.5, frequency: 0.1 },
          ranks: { vector: 812, text: null, fused: 790, similarity: 790, score: null, folded: null, chosen: null },
          outcome: { stage: "threshold", similarity: 0.04, threshold: 0.12 },
        },
        returned_as_another: false,
        suggestions: [
          { changes: [{ kind: "threshold", from: 0.12, to: 0.04 }], rank: 14, smallest: true },
          { changes: [{ kind: "limit", from: 12, to: 20 }], rank: 14, smallest: true },
        ],
        ruled_out: ["recency"],
      };
    },
    trace: ({ id }) => this.#search(this.#traced(id), id).trace,
    traces: ({ limit }) => ({ traces: this.#history.slice(0, limit) }),
    rerank: ({ trace_id, weights }) => {
      const request = this.#traced(trace_id);
      const before = this.#explanations(request).filter((e) => e.outcome.stage === "chosen");
      const now = this.#explanations(request, weights).filter((e) => e.outcome.stage === "chosen");
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
    replay: ({ id }) => {
      const trace = this.#search(this.#traced(id), id).trace;
      const chosen = trace.candidates.filter((c) => c.outcome.stage === "chosen").map((c) => c.id);
      return {
        trace,
        entered: chosen.slice(2, 3),
        left: [idOf(40)],
        moved: chosen.slice(0, 2).map((moved, i) => ({ id: moved, from: i ? 1 : 2, to: i + 1 })),
      };
    },

    performance: () => this.#performance(),
    history: () => ({ times: [], operations: [], cache_hit_rates: [], rss_bytes: [] }),
    chart: (request) => draw(request, this.options.live ? this.#tick++ : 0),
    performance_csv: () => ({ csv: "time,operation,p50_ms,p95_ms,p99_ms,count\n" }),
    performance_report: () => ({ html: "<!doctype html><title>HiRAG Studio</title>" }),

    resilience: () => ({
      breaker: this.#breaker(),
      limiter: this.#limiter(),
      clients: this.#size
        ? [
            { client: "studio", allowed: 1814, limited: 0, remaining: 988 },
            { client: "claude", allowed: 400, limited: 12, remaining: 0 },
          ]
        : [],
      pending: this.#size ? 3 : 0,
      paused: this.#paused,
      drill: this.#drill,
      breaker_settings: this.config.circuit_breaker,
      limiter_settings: this.config.rate_limit,
      defaults: { breaker: config.circuit_breaker, limiter: config.rate_limit },
    }),
    drill_start: ({ fault, seconds }) => (this.#drill = { fault, until: iso(Date.now() + seconds * 1000) }),
    drill_stop: () => {
      this.#drill = null;
      return {};
    },
    pause_embedding: ({ paused }) => {
      this.#paused = paused;
      return {};
    },
    breaker_reset: () => {
      this.options.breaker = "closed";
      return {};
    },

    import_preview: ({ paths, format }) => ({
      files: paths.flatMap((path) =>
        ["retrieval.md", "incidents/2026-11.md", "reading-group.md", "people.md"].map((file, i) => ({
          path: `${path}/${file}`,
          format: format === "auto" ? ("markdown" as const) : format,
          bytes: 4200 * (i + 1),
        })),
      ),
      total_files: paths.length * 4,
      total_bytes: paths.length * 42_000,
      skipped: [
        { path: `${paths[0]}/photo.png`, reason: "binary" },
        { path: `${paths[0]}/.git`, reason: "hidden" },
      ],
      failed: [],
    }),
    import_start: () =>
      this.#run("import", 1280, "contexts", {
        files: 4,
        contexts: 1280,
        imported: 1240,
        updated: 12,
        unchanged: 28,
        removed: 0,
        pending: 0,
        failed: [{ path: "/home/ada/notes/broken.jsonl", line: 12, code: "invalid_text", message: "line 12 is not JSON: expected a comma" }],
        skipped: [{ path: "/home/ada/notes/photo.png", reason: "binary" }],
        cancelled: false,
        warnings: [],
        untold: [],
      }),
    reembed_start: () => this.#run("reembed", this.#size, "contexts", null),
    export_start: ({ file }) => this.#run("export", this.#size, "contexts", { file, contexts: this.#size }),
    jobs: () => ({ jobs: this.#jobs }),
    job_cancel: ({ job }) => {
      this.report({ id: job, state: "cancelled", ended: iso(Date.now()) });
      return {};
    },

    settings: () => this.#settings(),
    change_settings: ({ changes }) => {
      const problem = this.#problems(changes)[0];
      if (problem) throw new CommandFailure({ code: "invalid_settings", message: problem.message });
      for (const { key, value } of changes) {
        const path = key.split(".");
        const last = path.pop() ?? "";
        const into = (from: unknown): Record<string, unknown> =>
          path.reduce((at, part) => at[part] as Record<string, unknown>, from as Record<string, unknown>);
        into(this.config)[last] = value === null ? into(config)[last] : value;
      }
      const restart = changes.map((c) => c.key).filter((key) => key.startsWith("store.") || key.startsWith("server."));
      return { ...this.#settings(), restart_needed: restart };
    },
    validate_settings: ({ changes }) => ({ problems: this.#problems(changes) }),
    clean_up: ({ dry_run }) => ({
      purged: 0,
      dry_run,
      expired: [{ id: idOf(3), level: "ShortTerm", preview: contextOf(3).text.slice(0, 80) }],
      promoted: [{ id: idOf(6), level: "ShortTerm", preview: contextOf(6).text.slice(0, 80) }],
      evicted: [],
      overflowed: [],
      due_for_purge: 2,
      operation: null,
    }),
    backup: ({ file }) => ({ file, bytes: 12_600_000 }),
    restore: () => {
      this.setStartup("ready");
      return { database_file: this.#startup().database_file, previous: `${this.#startup().database_file}.before-restore` };
    },
    test_provider: () => ({ ok: true, model: "all-MiniLM-L6-v2", dimension: 384, ms: 7.2, problem: null }),
    token_status: () => this.#token,
    token_set: ({ token, keep }) => {
      if (token !== token.trim()) {
        throw new CommandFailure({ code: "bad_token", message: "the token starts or ends with a space or a line end; copy it again without" });
      }
      this.#token = { ...this.#noToken(), set: true, last_four: token.slice(-4), source: keep };
      return this.#token;
    },
    token_clear: () => (this.#token = this.#noToken()),
    token_test: () => ({ ok: true, model: "text-embedding-3-small", dimension: 1536, ms: 182, problem: null }),

    pick_paths: ({ folders }) => ({ paths: [folders ? "/home/ada/notes" : "/home/ada/notes/retrieval.md"] }),
    pick_save: ({ suggested }) => ({ path: `/home/ada/${suggested}` }),
    save_file: ({ suggested }) => ({ path: `/home/ada/${suggested}` }),
    open_link: () => ({}),
    crash_report: () => ({ report: "HiRAG Studio 0.1.0\npanicked at the test" }),
  };
}
