// What the host tells without being asked makes answers outdated.
import { on } from "../../platform/platform";
import { outdated } from "../../shared/query";
import { readTheme } from "../settings/appearance";
import { contextsChanged, contextsUsed } from "../contexts/changes.svelte";

export function followHost(): () => void {
  const stops = [
    on("activity", (activity) => {
      if (activity.kind === "searched") return contextsUsed();
      outdated("activity", "stats");
      if (activity.kind === "sources") outdated("sources");
      if (activity.kind !== "settings") contextsChanged();
    }),
    on("breaker", () => outdated("resilience", "stats", "health")),
    on("chat_breaker", () => outdated("resilience", "stats", "health")),
    on("embedding", () => outdated("resilience", "stats")),
    on("settings", () => {
      outdated("settings", "resilience", "server");
      void readTheme();
    }),
    on("server", () => outdated("server", "mcp_config", "token_status")),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
