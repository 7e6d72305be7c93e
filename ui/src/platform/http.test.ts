import { beforeEach, describe, expect, it, vi } from "vitest";
import { HttpPlatform } from "./http";

/** A stream of events that a test tells. */
class Told extends EventTarget {
  static readonly all: Told[] = [];
  readonly CLOSED = 2;
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {
    super();
    Told.all.push(this);
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  fail(readyState: number): void {
    this.readyState = readyState;
    this.onerror?.();
  }

  tell(event: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(event, { data: JSON.stringify(data) }));
  }

  close(): void {
    this.readyState = 2;
  }
}

const answer = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });

function host(...answers: (Response | Error)[]) {
  const fetch = vi.fn<typeof globalThis.fetch>(async () => {
    const next = answers.shift() ?? new TypeError("nobody is there");
    if (next instanceof Error) throw next;
    return next;
  });
  const askPath = vi.fn(async () => "/srv/notes" as string | null);
  const platform = new HttpPlatform({ fetch, EventSource: Told as never, askPath });
  const states: string[] = [];
  platform.on("connection", ({ state }) => states.push(state));
  return { platform, fetch, askPath, states };
}

const source = (): Told => Told.all.at(-1)!;

beforeEach(() => {
  Told.all.length = 0;
});

describe("a command over HTTP", () => {
  it("goes out as JSON by its name, and its answer comes back", async () => {
    const { platform, fetch } = host(answer({ jobs: [] }));
    expect(await platform.call("jobs", {})).toEqual({ jobs: [] });
    const [url, sent] = fetch.mock.calls[0]!;
    expect(url).toBe("/api/v1/commands/jobs");
    expect(sent).toMatchObject({ method: "POST", body: "{}", credentials: "same-origin" });
  });

  it("fails with the code and the sentence of the problem", async () => {
    const problem = { type: "about:blank", status: 404, code: "not_found", detail: "there is no such context" };
    const { platform } = host(answer(problem, 404));
    await expect(platform.call("jobs", {})).rejects.toMatchObject({ code: "not_found", message: "there is no such context" });
  });

  it("fails with the status where something else answers", async () => {
    const { platform } = host(new Response("<h1>Bad gateway</h1>", { status: 502 }));
    await expect(platform.call("jobs", {})).rejects.toMatchObject({ code: "internal", message: /502/ });
  });

  it("says that the server is gone", async () => {
    const { platform, states } = host();
    await expect(platform.call("jobs", {})).rejects.toMatchObject({ code: "unreachable" });
    expect(states).toEqual(["lost"]);
  });

  it("says that the session has ended, which no event takes back", async () => {
    const { platform, states } = host(answer({ code: "unauthorized", detail: "a session is needed" }, 401));
    source().open();
    await expect(platform.call("jobs", {})).rejects.toMatchObject({ code: "unauthorized" });
    expect(source().readyState).toBe(2);
    source().open();
    expect(states).toEqual(["locked"]);
  });
});

describe("events over HTTP", () => {
  it("come from one stream, to those who still listen", () => {
    const { platform } = host();
    const told: unknown[] = [];
    const stop = platform.on("embedding", (event) => told.push(event));
    platform.on("embedding", () => {});
    source().tell("embedding", { paused: true });
    stop();
    source().tell("embedding", { paused: false });
    expect(told).toEqual([{ paused: true }]);
    expect(Told.all.map(({ url }) => url)).toEqual(["/api/v1/events"]);
  });

  it("tell when the server is gone and when it is back", () => {
    const { states } = host();
    source().open();
    source().fail(0);
    source().fail(0);
    source().open();
    expect(states).toEqual(["lost", "connected"]);
  });

  it("are asked for again after the browser gave up, unless the session has ended", async () => {
    vi.useFakeTimers();
    const { states } = host(answer({ state: "ready" }), answer({}, 401));
    source().fail(2);
    await vi.advanceTimersByTimeAsync(5000);
    expect(Told.all).toHaveLength(2);
    source().fail(2);
    await vi.advanceTimersByTimeAsync(5000);
    expect(Told.all).toHaveLength(2);
    expect(states).toEqual(["lost", "locked"]);
    vi.useRealTimers();
  });

  it("that were missed make the page ask for everything", () => {
    const { states } = host();
    source().open();
    source().tell("missed", { missed: 12 });
    expect(states).toEqual(["connected"]);
  });
});

describe("in a browser", () => {
  it("a path on the server's machine is typed", async () => {
    const { platform, askPath, fetch } = host();
    expect(await platform.call("pick_paths", { folders: true })).toEqual({ paths: ["/srv/notes"] });
    askPath.mockResolvedValueOnce(null);
    expect(await platform.call("pick_save", { suggested: "hirag.db" })).toEqual({ path: null });
    expect(askPath).toHaveBeenLastCalledWith({ what: "save", suggested: "hirag.db" });
    expect(fetch).not.toHaveBeenCalled();
  });

  it("a file is downloaded under the name that is offered", async () => {
    const kept: Blob[] = [];
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
    URL.createObjectURL = (blob) => (kept.push(blob as Blob), "blob:kept");
    URL.revokeObjectURL = () => {};
    const { platform } = host();
    await platform.call("save_file", { suggested: "a.csv", content: "a,b", encoding: "utf8" });
    await platform.call("save_file", { suggested: "a.png", content: btoa("\x89PNG"), encoding: "base64" });
    expect(kept.map(({ size }) => size)).toEqual([3, 4]);
    expect(click).toHaveBeenCalledTimes(2);
    expect((click.mock.contexts[0] as HTMLAnchorElement).download).toBe("a.csv");
    click.mockRestore();
  });

  it("a link opens without a way back, and nothing but a link", async () => {
    const open = vi.spyOn(window, "open").mockReturnValue(null);
    const { platform } = host();
    await platform.call("open_link", { url: "https://example.org/a" });
    expect(open).toHaveBeenCalledWith("https://example.org/a", "_blank", "noopener,noreferrer");
    await expect(platform.call("open_link", { url: "javascript:alert(1)" })).rejects.toMatchObject({ code: "invalid_link" });
    expect(open).toHaveBeenCalledTimes(1);
    open.mockRestore();
  });
});
