// A scripted host for tests and for looking at the page. No production build contains it.
import type { Config } from "$bindings/Config";
import type { CommandName, EventName, Events, Request, Response } from "../platform/commands";
import type { Platform } from "../platform/platform";
import type * as p from "../platform/types";
import { config } from "./config";
import { askAnswers } from "./fake/asking";
import { contextAnswers } from "./fake/contexts";
import { Jobs } from "./fake/jobs";
import { Memory } from "./fake/memory";
import { resilienceAnswers } from "./fake/resilience";
import { refused, type FakeOptions, type Handlers, type Scene } from "./fake/scene";
import { searchAnswers } from "./fake/searching";
import { servingAnswers } from "./fake/serving";
import { broken, settingsAnswers } from "./fake/settings";
import { sourceAnswers } from "./fake/sources";
import { statusAnswers } from "./fake/status";

export type { FakeOptions };

const defaults: Required<FakeOptions> = {
  contexts: 240,
  startup: "ready",
  failing: false,
  delay: 0,
  breaker: "closed",
  live: false,
  keyring: "available",
  brokenSettings: false,
};

const newer: p.Failure = {
  code: "store_newer",
  message:
    "/home/ada/.local/share/hirag/hirag.db has the schema version 9, but this program knows versions up to 4; use a newer HiRAG Studio",
};

export class FakePlatform implements Platform, Scene {
  readonly capabilities = { files: true };
  /** Every call, oldest first. */
  readonly calls: { name: CommandName; request: unknown }[] = [];
  /** Answers that a test puts in place of the usual ones. */
  readonly answers: Partial<Handlers> = {};
  readonly options: Required<FakeOptions>;
  readonly memory: Memory;
  config: Config = structuredClone(config);
  readonly #jobs = new Jobs(this);
  readonly #handlers: Handlers;
  #listeners = new Map<EventName, Set<(payload: never) => void>>();

  constructor(options: FakeOptions = {}) {
    this.options = { ...defaults, ...options };
    this.memory = new Memory(this.options.contexts);
    this.#handlers = {
      ...askAnswers(this),
      ...contextAnswers(this),
      ...searchAnswers(this),
      ...statusAnswers(this),
      ...resilienceAnswers(this),
      ...settingsAnswers(this),
      ...servingAnswers(this),
      ...sourceAnswers(this),
      ...this.#jobs.answers(),
    };
  }

  async call<N extends CommandName>(name: N, request: Request<N>): Promise<Response<N>> {
    this.calls.push({ name, request: structuredClone(request) });
    if (this.options.delay) await new Promise((done) => setTimeout(done, this.options.delay));
    if (this.options.failing && !["startup", "settings"].includes(name)) {
      throw refused("store_failed", "the database answered: disk I/O error; check the disk, then try again");
    }
    const answer = (this.answers[name] ?? this.#handlers[name]) as (r: Request<N>) => Response<N>;
    // As over the wire: what is given away is a copy.
    return structuredClone(await answer(request));
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

  /** Reports on a job as the host does. */
  report(job: Partial<p.Job> & { id: string }): void {
    this.#jobs.report(job);
  }

  setStartup(state: p.StartupState["state"], problem: p.Failure | null = null): void {
    this.options.startup = state;
    this.emit("startup", { ...this.startup(), problem });
  }

  startup(): p.StartupState {
    return {
      state: this.options.startup,
      problem: this.options.startup === "failed" ? newer : null,
      settings_problem: this.options.brokenSettings ? { code: "invalid_settings", message: broken.message } : null,
      database_file: "/home/ada/.local/share/hirag/hirag.db",
      config_file: "/home/ada/.config/hirag/config.toml",
      data_dir: "/home/ada/.local/share/hirag",
      version: "0.1.0",
      keyring: this.options.keyring,
    };
  }
}
