// The only door from the UI to the host.
import type { CommandName, EventName, Events, Request, Response } from "./commands";
import type { Failure } from "./types";

/** What a transport can do beside commands and events. */
export type Capabilities = {
  /** Whether the host shows file dialogs and is told of dropped files. */
  files: boolean;
};

/** Whether a host answers: `lost` comes back by itself, `locked` needs a new link. */
export type Connection = "connected" | "lost" | "locked";

export interface Platform {
  readonly capabilities: Capabilities;
  /** Runs a command. Rejects with a {@link CommandFailure}, never with anything else. */
  call<N extends CommandName>(name: N, request: Request<N>): Promise<Response<N>>;
  /** Calls back at every event until the returned function is called. */
  on<N extends EventName>(event: N, callback: (payload: Events[N]) => void): () => void;
}

/** A command that failed. Match on the code, show the message. */
export class CommandFailure extends Error {
  readonly code: string;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = "CommandFailure";
    this.code = failure.code;
  }
}

/** What anything thrown comes to. */
export function asFailure(thrown: unknown): CommandFailure {
  if (thrown instanceof CommandFailure) return thrown;
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && "message" in thrown) {
    return new CommandFailure({ code: String(thrown.code), message: String(thrown.message) });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new CommandFailure({ code: "internal", message });
}

let current: Platform | undefined;

/** Connects the UI to a host; once, before the first component. */
export function connect(platform: Platform): void {
  current = platform;
}

function host(): Platform {
  if (!current) throw new Error("no host is connected");
  return current;
}

export function capabilities(): Capabilities {
  return host().capabilities;
}

export async function call<N extends CommandName>(name: N, request: Request<N>): Promise<Response<N>> {
  try {
    return await host().call(name, request);
  } catch (thrown) {
    throw asFailure(thrown);
  }
}

export function on<N extends EventName>(event: N, callback: (payload: Events[N]) => void): () => void {
  return host().on(event, callback);
}
