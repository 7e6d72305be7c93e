// The views as they are called, in the order in which they stand at the side.
import Activity from "@lucide/svelte/icons/activity";
import FolderInput from "@lucide/svelte/icons/folder-input";
import FolderSync from "@lucide/svelte/icons/folder-sync";
import Layers from "@lucide/svelte/icons/layers";
import LayoutDashboard from "@lucide/svelte/icons/layout-dashboard";
import MessageCircleQuestion from "@lucide/svelte/icons/message-circle-question";
import Search from "@lucide/svelte/icons/search";
import Settings from "@lucide/svelte/icons/settings";
import ShieldCheck from "@lucide/svelte/icons/shield-check";
import type { Place } from "../features/host/Sidebar.svelte";

export const places: Place[] = [
  { name: "overview", label: "Overview", keys: "g o", icon: LayoutDashboard },
  { name: "levels", label: "Levels", keys: "g l", icon: Layers },
  { name: "search", label: "Search", keys: "g s", icon: Search },
  { name: "ask", label: "Ask", keys: "g a", icon: MessageCircleQuestion },
  { name: "sources", label: "Sources", keys: "g f", icon: FolderSync },
  { name: "performance", label: "Performance", keys: "g p", icon: Activity },
  { name: "resilience", label: "Resilience", keys: "g r", icon: ShieldCheck },
  { name: "import", label: "Import", keys: "g i", icon: FolderInput },
  { name: "settings", label: "Settings", keys: "g ,", icon: Settings },
];
