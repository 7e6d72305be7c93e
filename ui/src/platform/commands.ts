// Every command of the host, as the Rust code declares them, and what the host tells unasked.
import type { AnswerPart } from "$bindings/AnswerPart";
import type { BreakerEvent } from "$bindings/BreakerEvent";
import type { Commands } from "$bindings/Commands";
import type { Connection } from "./platform";
import type * as p from "./types";

export type { Commands };
export type CommandName = keyof Commands;
export type Request<N extends CommandName> = Commands[N]["request"];
export type Response<N extends CommandName> = Commands[N]["response"];

/** What the host tells without being asked. */
export interface Events {
  job: p.Job;
  activity: p.Activity;
  startup: p.StartupState;
  breaker: BreakerEvent;
  /** The breaker before the endpoint that words answers. */
  chat_breaker: BreakerEvent;
  embedding: { paused: boolean };
  /** Files that are held over the window; none when they have left it. */
  dragged: { files: number };
  /** A part of an answer, under the name that its question was given. */
  answer: AnswerPart;
  dropped: { paths: string[] };
  settings: unknown;
  server: p.ServerStatus;
  menu: { action: string };
  panic: { message: string };
  /** Told by the transport itself, when the host goes away or comes back. */
  connection: { state: Connection };
}

export type EventName = keyof Events;
