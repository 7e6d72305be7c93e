// Settings, upkeep, tokens and files of the scripted host.
import type { SettingChange, SettingProblem, SettingsState, TokenKind, TokenStatus } from "../../platform/types";
import { config } from "../config";
import { contextOf, idOf } from "../contexts";
import { refused, type Handlers, type Scene } from "./scene";

type Answers = Pick<
  Handlers,
  | "settings" | "change_settings" | "validate_settings" | "clean_up" | "backup_file" | "restore" | "test_provider"
  | "token_status" | "token_set" | "token_clear" | "token_test"
  | "server_token_replace"
  | "pick_paths" | "pick_save" | "save_file" | "open_link"
>;

export const broken: SettingProblem = {
  key: "circuit_breaker.failure_threshold",
  message: "circuit_breaker.failure_threshold is 0; it must be 1 to 10000",
};

function problemOf({ key, value }: SettingChange): SettingProblem | null {
  if (value === null) return null;
  if (typeof value === "number" && value < 0) return { key, message: `${key} is ${value}; it must be 0 or more` };
  if (key.startsWith("circuit") && key.endsWith("_threshold") && value === 0) {
    return { key, message: `${key} is 0; it must be 1 to 10000` };
  }
  const period = /timeout$|window_size$|ttl$|interval$/.test(key);
  if (period && typeof value === "string" && !/^(\d+(ms|s|m|h|d)?|never)$/.test(value)) {
    return { key, message: `${key} is "${value}"; write a number with a unit, like 30s, 5m or 7d` };
  }
  return null;
}

export function settingsAnswers(scene: Scene): Answers {
  const { options } = scene;
  const problems = (changes: SettingChange[]): SettingProblem[] => changes.flatMap((change) => problemOf(change) ?? []);
  const tokens = new Map<TokenKind, TokenStatus>();
  const serverToken = (last: string): TokenStatus => ({ ...noToken("server"), set: true, last_four: last, source: "keyring" });
  const noToken = (kind: TokenKind): TokenStatus => ({
    kind,
    set: false,
    last_four: null,
    source: null,
    keyring: options.keyring,
    why_absent: options.keyring === "absent" ? "no keyring runs here: no Secret Service answers on the session bus" : null,
  });

  function state(): SettingsState {
    const { config_file, data_dir } = scene.startup();
    return {
      config_file,
      config_file_exists: true,
      data_dir,
      settings: scene.config,
      problem: options.brokenSettings ? { code: "invalid_settings", message: broken.message } : null,
      defaults: config,
      restart_needed: [],
    };
  }

  return {
    settings: state,
    change_settings: ({ changes }) => {
      const problem = problems(changes)[0];
      if (problem) throw refused("invalid_settings", problem.message);
      for (const { key, value } of changes) {
        const path = key.split(".");
        const last = path.pop() ?? "";
        const into = (from: unknown): Record<string, unknown> =>
          path.reduce((at, part) => at[part] as Record<string, unknown>, from as Record<string, unknown>);
        into(scene.config)[last] = value === null ? into(config)[last] : value;
      }
      options.brokenSettings = false;
      const restart = changes.map((c) => c.key).filter((key) => key.startsWith("store."));
      return { ...state(), restart_needed: restart };
    },
    validate_settings: ({ changes }) => ({
      problems: options.brokenSettings && changes.length === 0 ? [broken] : problems(changes),
    }),
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
    backup_file: ({ file }) => ({ file, bytes: 12_600_000 }),
    restore: () => {
      options.startup = "ready";
      scene.emit("startup", scene.startup());
      const { database_file } = scene.startup();
      return { database_file, previous: `${database_file}.before-restore` };
    },
    test_provider: () => ({ ok: true, model: "all-MiniLM-L6-v2", dimension: 384, ms: 7.2, problem: null }),

    token_status: ({ kind }) => tokens.get(kind) ?? (kind === "server" ? serverToken("x9Qw") : noToken(kind)),
    server_token_replace: () => {
      const token = "Zt4cJ0mB8yW1qvE5nRk2uLd7sHa3pXo6iGf9TbNe-Kw";
      tokens.set("server", serverToken(token.slice(-4)));
      return { token, source: "keyring" };
    },
    token_set: ({ kind, token, keep = "keyring" }) => {
      if (token !== token.trim()) {
        throw refused("bad_token", "the token starts or ends with a space or a line end; copy it again without");
      }
      const status = { ...noToken(kind), set: true, last_four: token.slice(-4), source: keep };
      tokens.set(kind, status);
      return status;
    },
    token_clear: ({ kind }) => {
      tokens.delete(kind);
      return noToken(kind);
    },
    token_test: () => ({ ok: true, model: "text-embedding-3-small", dimension: 1536, ms: 182, problem: null }),

    pick_paths: ({ folders }) => ({ paths: [folders ? "/home/ada/notes" : "/home/ada/notes/retrieval.md"] }),
    pick_save: ({ suggested }) => ({ path: `/home/ada/${suggested}` }),
    save_file: ({ suggested }) => ({ path: `/home/ada/${suggested}` }),
    open_link: () => ({}),
  };
}
