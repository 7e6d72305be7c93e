// The views, in the order in which they stand at the side.
import Activity from "@lucide/svelte/icons/activity";
import FolderInput from "@lucide/svelte/icons/folder-input";
import FolderSync from "@lucide/svelte/icons/folder-sync";
import Layers from "@lucide/svelte/icons/layers";
import LayoutDashboard from "@lucide/svelte/icons/layout-dashboard";
import MessageCircleQuestion from "@lucide/svelte/icons/message-circle-question";
import Search from "@lucide/svelte/icons/search";
import Settings from "@lucide/svelte/icons/settings";
import ShieldCheck from "@lucide/svelte/icons/shield-check";
import type { Component } from "svelte";
import type { Place } from "../features/host/Sidebar.svelte";

/** A view's code comes when it is first shown, or when nothing else is to do. */
type Lazy = () => Promise<{ default: Component }>;

export const places: (Place & { view: Lazy })[] = [
  { name: "overview", label: "Overview", keys: "g o", icon: LayoutDashboard, view: () => import("./Overview.svelte") },
  { name: "levels", label: "Levels", keys: "g l", icon: Layers, view: () => import("./Levels.svelte") },
  { name: "search", label: "Search", keys: "g s", icon: Search, view: () => import("./Search.svelte") },
  { name: "ask", label: "Ask", keys: "g a", icon: MessageCircleQuestion, view: () => import("./Ask.svelte") },
  { name: "sources", label: "Sources", keys: "g f", icon: FolderSync, view: () => import("./Sources.svelte") },
  { name: "performance", label: "Performance", keys: "g p", icon: Activity, view: () => import("./Performance.svelte") },
  { name: "resilience", label: "Resilience", keys: "g r", icon: ShieldCheck, view: () => import("./Resilience.svelte") },
  { name: "import", label: "Import", keys: "g i", icon: FolderInput, view: () => import("./Import.svelte") },
  { name: "settings", label: "Settings", keys: "g ,", icon: Settings, view: () => import("./Settings.svelte") },
];

/** Fetches the code of all views, one after another, so that going to one waits for nothing. */
export async function fetchViews(): Promise<void> {
  for (const { view } of places) {
    // What cannot be fetched now is asked for again when the view is shown.
    await view().catch(() => {});
    await new Promise((go) => setTimeout(go, 50));
  }
}
