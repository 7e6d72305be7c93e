// The server of the scripted host: how it is, the way in for browsers and agents, and load on it.
import type { LoadReport, McpConfig, ServerStatus } from "../../platform/types";
import { refused, type Handlers, type Scene } from "./scene";

type Answers = Pick<Handlers, "server" | "server_retry" | "server_link" | "mcp_config" | "load_result" | "load_page">;

const json = (server: object): string => JSON.stringify({ mcpServers: { hirag: server } }, null, 2);

const clients: McpConfig["clients"] = [
  { name: "claude-code", title: "Claude Code", place: "the terminal", form: "command", text: "claude mcp add hirag -- /usr/bin/hirag mcp" },
  {
    name: "claude-desktop",
    title: "Claude Desktop",
    place: "~/.config/Claude/claude_desktop_config.json",
    form: "json",
    text: json({ command: "/usr/bin/hirag", args: ["mcp"] }),
  },
  { name: "codex", title: "Codex", place: "~/.codex/config.toml", form: "toml", text: '[mcp_servers.hirag]\ncommand = "/usr/bin/hirag"\nargs = ["mcp"]' },
];

/** A run of 30 seconds, in which the server lost its breath for a moment. */
function report(): LoadReport {
  const latency = { mean_ms: 9.4, p50_ms: 7.9, p90_ms: 14.2, p95_ms: 19.6, p99_ms: 41.3, p999_ms: 96.1, max_ms: 148.2 };
  const one = (operation: "store" | "search" | "health", requests: number) => ({
    operation,
    requests,
    succeeded: requests - 3,
    per_s: requests / 30,
    latency,
  });
  return {
    url: "http://127.0.0.1:8080",
    plan: { concurrency: 50, duration_s: 30 },
    started: new Date().toISOString(),
    stopped: false,
    measured_s: 30,
    requests: 66_300,
    succeeded: 66_240,
    limited: 12,
    failed: 48,
    unfinished: 0,
    success_rate: 0.99928,
    per_s: 2208,
    received_bytes: 182_000_000,
    errors: [
      { kind: "time_out", status: null, count: 41, example: "no answer within 10 s" },
      { kind: "status", status: 503, count: 7, example: "the memory is being opened" },
    ],
    latency,
    distribution: [],
    operations: [one("search", 53_000), one("store", 6_650), one("health", 6_650)],
    open_loop: null,
    seconds: Array.from({ length: 30 }, (_, i) => ({
      succeeded: i === 18 ? 900 : 2200 + Math.round(140 * Math.sin(i / 2)),
      failed: i === 18 ? 48 : 0,
      p50_ms: 7.9,
      p99_ms: i === 18 ? 140 : 38 + 6 * Math.cos(i),
      max_ms: 148,
    })),
    stored_session: "load-1",
    processor_s: 51.2,
  };
}

export function servingAnswers(scene: Scene): Answers {
  function server(): ServerStatus {
    const { enabled, host, port, allow_remote } = scene.config.server;
    const remote = host !== "127.0.0.1";
    const refused = remote && !allow_remote;
    const running = enabled && !refused;
    const message = `server.host is ${host}, which other machines reach; set server.allow_remote`;
    return {
      enabled,
      running,
      url: running ? `http://${host}:${port}` : null,
      remote: running && remote,
      problem: enabled && refused ? { code: "remote_refused", message } : null,
      connections: running ? 2 : 0,
      token: "keyring",
    };
  }
  return {
    server,
    server_retry: server,
    server_link: () => {
      const { url } = server();
      if (!url) throw refused("server_not_running", "the server does not run; switch it on in the settings");
      return { url: `${url}/open?key=9fK2`, expires_in_secs: 300 };
    },
    mcp_config: () => ({
      clients,
      token_variable: "HIRAG_SERVER_TOKEN",
      server: `http://${scene.config.server.host}:${scene.config.server.port}`,
      listens: server().running,
    }),
    load_result: report,
    load_page: () => ({ html: "<!doctype html><title>Load</title>" }),
  };
}
