// The views, in the order in which they stand at the side.
import Activity from "@lucide/svelte/icons/activity";
import FolderInput from "@lucide/svelte/icons/folder-input";
import Layers from "@lucide/svelte/icons/layers";
import LayoutDashboard from "@lucide/svelte/icons/layout-dashboard";
import Search from "@lucide/svelte/icons/search";
import Settings from "@lucide/svelte/icons/settings";
import ShieldCheck from "@lucide/svelte/icons/shield-check";
import type { Component } from "svelte";
import type { Place } from "../features/host/Sidebar.svelte";
import ImportView from "./Import.svelte";
import Levels from "./Levels.svelte";
import Overview from "./Overview.svelte";
import Performance from "./Performance.svelte";
import Resilience from "./Resilience.svelte";
import SearchView from "./Search.svelte";
import SettingsView from "./Settings.svelte";

export const places: (Place & { view: Component })[] = [
  { name: "overview", label: "Overview", keys: "g o", icon: LayoutDashboard, view: Overview },
  { name: "levels", label: "Levels", keys: "g l", icon: Layers, view: Levels },
  { name: "search", label: "Search", keys: "g s", icon: Search, view: SearchView },
  { name: "performance", label: "Performance", keys: "g p", icon: Activity, view: Performance },
  { name: "resilience", label: "Resilience", keys: "g r", icon: ShieldCheck, view: Resilience },
  { name: "import", label: "Import", keys: "g i", icon: FolderInput, view: ImportView },
  { name: "settings", label: "Settings", keys: "g ,", icon: Settings, view: SettingsView },
];
