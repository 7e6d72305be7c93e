// Breaker, limiter, queue and drills of the scripted host.
import type { BreakerSnapshot } from "$bindings/BreakerSnapshot";
import type { LimiterSnapshot } from "$bindings/LimiterSnapshot";
import type { Drill } from "../../platform/types";
import { config } from "../config";
import { start } from "../contexts";
import { iso, type Handlers, type Scene } from "./scene";

type Answers = Pick<Handlers, "resilience" | "drill_start" | "drill_stop" | "pause_embedding" | "breaker_reset">;

export const limiter: LimiterSnapshot = { enabled: true, allowed: 2214, limited: 12, clients: 2, shared: 0 };

export function breakerOf(state: "open" | "closed"): BreakerSnapshot {
  const open = state === "open";
  return {
    state,
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

export function resilienceAnswers({ memory, options, config: inForce }: Scene): Answers {
  let drill: Drill | null = null;
  let paused = false;
  let chatBreaker = options.breaker;
  let pending = memory.size ? 3 : 0;
  return {
    resilience: () => {
      // Something new waits as long as the provider seems to fail, and drains afterwards.
      if (options.live) pending = Math.max(memory.size ? 3 : 0, pending + (drill || paused ? 2 : -3));
      return {
        breaker: breakerOf(options.breaker),
        chat: inForce.chat.provider === "none" ? null : { breaker: breakerOf(chatBreaker), settings: inForce.chat.circuit_breaker, limiter },
        limiter,
        clients: memory.size
          ? [
              { client: "studio", allowed: 1814, limited: 0, remaining: 988 },
              { client: "claude", allowed: 400, limited: 12, remaining: 0 },
            ]
          : [],
        pending,
        paused,
        drill,
        breaker_settings: inForce.circuit_breaker,
        limiter_settings: inForce.rate_limit,
        defaults: { breaker: config.circuit_breaker, limiter: config.rate_limit },
      };
    },
    drill_start: ({ fault, seconds }) => {
      options.breaker = "open";
      drill = { fault, until: iso(Date.now() + seconds * 1000) };
      return drill;
    },
    drill_stop: () => {
      options.breaker = "closed";
      drill = null;
      return {};
    },
    pause_embedding: (request) => {
      paused = request.paused;
      return {};
    },
    breaker_reset: ({ of }) => {
      if (of === "chat") chatBreaker = "closed";
      else options.breaker = "closed";
      return {};
    },
  };
}
