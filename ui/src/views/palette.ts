// Everything that the command palette can do, beside searching.
import Archive from "@lucide/svelte/icons/archive";
import Bot from "@lucide/svelte/icons/bot";
import FlaskConical from "@lucide/svelte/icons/flask-conical";
import History from "@lucide/svelte/icons/history";
import Keyboard from "@lucide/svelte/icons/keyboard";
import Monitor from "@lucide/svelte/icons/monitor";
import Moon from "@lucide/svelte/icons/moon";
import Plus from "@lucide/svelte/icons/plus";
import Settings from "@lucide/svelte/icons/settings";
import Sun from "@lucide/svelte/icons/sun";
import Trash2 from "@lucide/svelte/icons/trash-2";
import Undo2 from "@lucide/svelte/icons/undo-2";
import { newContext } from "../features/contexts/new-context.svelte";
import { chooseTheme } from "../features/settings/appearance";
import { backUp, exportAll } from "../features/settings/copies";
import { settingTabs } from "../features/settings/tabs";
import type { TraceSummary } from "../platform/types";
import type { PaletteItem } from "../shared/components/CommandPalette.svelte";
import { firstLine } from "../shared/format";
import { toasts } from "../shared/toasts.svelte";
import { dialogs } from "./dialogs.svelte";
import { go } from "./going";
import { places } from "./places";

const themes = [
  { choice: "system", label: "Appearance: as the system", icon: Monitor },
  { choice: "light", label: "Appearance: light", icon: Sun },
  { choice: "dark", label: "Appearance: dark", icon: Moon },
] as const;

export const commands: readonly PaletteItem[] = [
  ...places.map((place) => ({
    id: place.name,
    label: `Go to ${place.label}`,
    group: "Go to",
    icon: place.icon,
    keys: place.keys,
    run: () => go(place.name),
  })),
  { id: "new", label: "Store a new context", group: "Do", icon: Plus, keys: "n", run: () => newContext.show() },
  { id: "undo", label: "Undo the latest change", group: "Do", icon: Undo2, keys: "mod+z", run: () => void toasts.undoLast() },
  { id: "deleted", label: "Look at what was deleted", group: "Do", icon: Trash2, words: ["restore", "bring back"], run: () => go("levels", { show: "deleted" }) },
  { id: "history", label: "Look at earlier searches", group: "Do", icon: History, words: ["history", "replay"], run: () => go("search", { tab: "history" }) },
  { id: "connect", label: "Connect an agent", group: "Do", icon: Bot, words: ["mcp", "claude", "cursor", "vs code"], run: () => go("settings", { tab: "agents" }) },
  { id: "drill", label: "Run a drill", group: "Do", icon: FlaskConical, words: ["time-out", "429", "500", "breaker"], run: () => go("resilience") },
  { id: "backup", label: "Back up the database", group: "Do", icon: Archive, run: () => void backUp() },
  { id: "export", label: "Export everything as JSONL", group: "Do", icon: Archive, run: () => void exportAll() },
  { id: "keys", label: "Show the keyboard shortcuts", group: "Do", icon: Keyboard, keys: "?", run: () => (dialogs.shortcuts = true) },
  ...settingTabs.map((tab) => ({
    id: `settings-${tab.id}`,
    label: `Settings: ${tab.label}`,
    group: "Settings",
    icon: Settings,
    words: tab.words,
    run: () => go("settings", { tab: tab.id }),
  })),
  ...themes.map((theme) => ({
    id: theme.choice,
    label: theme.label,
    group: "Appearance",
    icon: theme.icon,
    words: ["theme", "dark mode", "light mode"],
    run: () => void chooseTheme(theme.choice),
  })),
];

/** The latest searches, to ask again; each query once. */
export function searchesOf(traces: readonly TraceSummary[]): PaletteItem[] {
  const queries = [...new Set(traces.map((trace) => trace.query))].slice(0, 5);
  return queries.map((query, i) => ({
    id: `again-${i}`,
    label: `Search again: ${firstLine(query, 80)}`,
    group: "Search",
    icon: History,
    run: () => go("search", { query }),
  }));
}
