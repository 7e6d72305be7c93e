// What a load test of the scripted host comes to.
import type { LoadPlan, LoadReport } from "../../platform/types";
import { iso } from "./scene";

export function loadReport(plan: LoadPlan): LoadReport {
  const perSecond = plan.rate ?? 2_140;
  const requests = Math.round(perSecond * plan.duration_s);
  const latency = {
    mean_ms: 4.7, p50_ms: 4.2, p90_ms: 7.9, p95_ms: 9.6, p99_ms: 14.8, p999_ms: 31.5, max_ms: 48.2,
  };
  const mix = plan.mix?.length ? plan.mix : [{ operation: "search" as const, weight: 1 }];
  const weights = mix.reduce((sum, share) => sum + share.weight, 0);
  return {
    url: "http://127.0.0.1:8080",
    plan: {
      ...plan,
      warm_up_s: plan.warm_up_s ?? 0,
      rate: plan.rate ?? null,
      mix,
      queries: plan.queries ?? "repeated",
      time_out_s: plan.time_out_s ?? 30,
      seed: plan.seed ?? 7,
    },
    started: iso(Date.now()),
    stopped: false,
    measured_s: plan.duration_s,
    requests,
    succeeded: requests - 3,
    limited: 0,
    failed: 3,
    unfinished: 0,
    success_rate: (requests - 3) / requests,
    per_s: perSecond,
    received_bytes: requests * 5_120,
    errors: [{ kind: "time_out", status: null, count: 3, example: "no whole answer came in time" }],
    latency,
    distribution: [
      { from_ms: 1, to_ms: 2, count: Math.round(requests * 0.1) },
      { from_ms: 2, to_ms: 5, count: Math.round(requests * 0.6) },
      { from_ms: 5, to_ms: 10, count: Math.round(requests * 0.26) },
      { from_ms: 10, to_ms: 20, count: Math.round(requests * 0.04) },
    ],
    operations: mix.map(({ operation, weight }) => ({
      operation,
      requests: Math.round((requests * weight) / weights),
      succeeded: Math.round((requests * weight) / weights),
      per_s: (perSecond * weight) / weights,
      latency,
    })),
    open_loop: plan.rate ? { due: requests, not_started: 0, delay: { ...latency, p99_ms: 1.2, max_ms: 2.9 } } : null,
    seconds: Array.from({ length: Math.ceil(plan.duration_s) }, (_, i) => ({
      succeeded: Math.round(perSecond * (1 + Math.sin(i) / 20)),
      failed: i === 2 ? 3 : 0,
      p50_ms: 4.2 + Math.sin(i) / 4,
      p99_ms: 14.8 + Math.cos(i),
      max_ms: 30 + 10 * Math.sin(i / 2),
    })),
    stored_session: mix.some((share) => share.operation === "store") ? "load-7" : null,
    processor_s: plan.duration_s * 0.6,
  };
}
