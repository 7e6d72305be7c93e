// What the answers of the scripted host share.
import type { Config } from "$bindings/Config";
import type { CommandName, EventName, Events, Request, Response } from "../../platform/commands";
import type * as p from "../../platform/types";
import { CommandFailure } from "../../platform/platform";
import type { Memory } from "./memory";

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
  /** Whether the settings file has a value that is not allowed. */
  brokenSettings?: boolean;
};

export type Handlers = { [N in CommandName]: (request: Request<N>) => Response<N> | Promise<Response<N>> };

/** The host as a part of it sees the rest. */
export type Scene = {
  readonly options: Required<FakeOptions>;
  readonly memory: Memory;
  config: Config;
  emit<N extends EventName>(event: N, payload: Events[N]): void;
  startup(): p.StartupState;
};

export const iso = (ms: number): string => new Date(ms).toISOString();

export function refused(code: string, message: string): CommandFailure {
  return new CommandFailure({ code, message });
}
