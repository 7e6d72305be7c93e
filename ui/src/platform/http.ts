// The host as a server: its commands over HTTP, what it tells as server-sent events.
import { shellCommands, type AskPath } from "./browser";
import type { CommandName, EventName, Events, Request, Response as Answer } from "./commands";
import { CommandFailure, type Connection, type Platform } from "./platform";

/** Milliseconds until a server that is gone is asked again. */
const AGAIN = 2000;

/** What a page in a browser has; a test brings its own. */
export type Web = {
  fetch: typeof fetch;
  EventSource: new (url: string) => EventSource;
  /** Lets a person type a path on the server's machine. */
  askPath: AskPath;
};

const unreachable = (): CommandFailure =>
  new CommandFailure({ code: "unreachable", message: "the server does not answer; is it still running?" });

export class HttpPlatform implements Platform {
  readonly capabilities = { files: false };
  readonly #web: Web;
  readonly #shell: ReturnType<typeof shellCommands>;
  #listeners = new Map<EventName, Set<(payload: never) => void>>();
  #source: EventSource | undefined;
  #connection: Connection = "connected";

  constructor(web: Web) {
    this.#web = web;
    this.#shell = shellCommands(web.askPath);
  }

  async call<N extends CommandName>(name: N, request: Request<N>): Promise<Answer<N>> {
    const own = (this.#shell as Record<string, ((request: never) => unknown) | undefined>)[name];
    if (own) return (await own(request as never)) as Answer<N>;
    const response = await this.#fetch(name, request);
    if (!response.ok) throw await failureOf(response);
    return (await response.json().catch(() => {
      throw unreachable();
    })) as Answer<N>;
  }

  on<N extends EventName>(event: N, callback: (payload: Events[N]) => void): () => void {
    const known = this.#listeners.get(event);
    const all = known ?? new Set();
    all.add(callback as (payload: never) => void);
    if (!known) {
      this.#listeners.set(event, all);
      if (this.#source) this.#listen(this.#source, event);
    }
    if (!this.#source) this.#connect();
    return () => all.delete(callback as (payload: never) => void);
  }

  async #fetch(name: CommandName, request: unknown): Promise<globalThis.Response> {
    let response;
    try {
      response = await this.#web.fetch(`/api/v1/commands/${name}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(request ?? {}),
        credentials: "same-origin",
        cache: "no-store",
      });
    } catch {
      this.#become("lost");
      throw unreachable();
    }
    if (response.status === 401) this.#become("locked");
    return response;
  }

  #connect(): void {
    const source = new this.#web.EventSource("/api/v1/events");
    this.#source = source;
    source.onopen = () => this.#become("connected");
    source.onerror = () => {
      if (source !== this.#source) return;
      if (source.readyState === source.CLOSED) void this.#reconnect(source);
      else this.#become("lost");
    };
    // Who was too slow to hear everything asks for everything again.
    source.addEventListener("missed", () => this.#tell("connection", { state: "connected" }));
    for (const event of this.#listeners.keys()) this.#listen(source, event);
  }

  /** The browser has given up. Why is not told, so a command asks. */
  async #reconnect(closed: EventSource): Promise<void> {
    this.#become("lost");
    closed.close();
    const response = await this.#fetch("startup", {}).catch(() => undefined);
    if (response?.status === 401) return;
    setTimeout(() => this.#connect(), AGAIN);
  }

  #listen(source: EventSource, event: EventName): void {
    source.addEventListener(event, ({ data }: MessageEvent<string>) => this.#tell(event, JSON.parse(data)));
  }

  #tell(event: EventName, payload: unknown): void {
    for (const callback of this.#listeners.get(event) ?? []) callback(payload as never);
  }

  #become(connection: Connection): void {
    // A session that has ended does not come back in this page.
    if (this.#connection === connection || this.#connection === "locked") return;
    this.#connection = connection;
    if (connection === "locked") this.#source?.close();
    this.#tell("connection", { state: connection });
  }
}

/** A problem as the server tells it (RFC 9457), or whatever came in its place. */
async function failureOf(response: globalThis.Response): Promise<CommandFailure> {
  const problem: unknown = await response.json().catch(() => null);
  const { code, detail } = (typeof problem === "object" && problem !== null ? problem : {}) as Record<string, unknown>;
  return new CommandFailure({
    code: typeof code === "string" ? code : "internal",
    message: typeof detail === "string" ? detail : `the server answered with the status ${response.status}`,
  });
}
