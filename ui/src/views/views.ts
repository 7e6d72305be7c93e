// The code of the views: the first one's is there from the start, another's comes when it is first shown, or when nothing
// else is to do.
import type { Component } from "svelte";
import type { ViewName } from "../shared/router.svelte";
import Overview from "./Overview.svelte";

type View = () => Promise<{ default: Component }>;
const overview = Promise.resolve({ default: Overview });

export const views: Record<ViewName, View> = {
  overview: () => overview,
  levels: () => import("./Levels.svelte"),
  search: () => import("./Search.svelte"),
  ask: () => import("./Ask.svelte"),
  sources: () => import("./Sources.svelte"),
  performance: () => import("./Performance.svelte"),
  resilience: () => import("./Resilience.svelte"),
  import: () => import("./Import.svelte"),
  settings: () => import("./Settings.svelte"),
};

/** Fetches the code of all views, one after another, so that going to one waits for nothing. */
export async function fetchViews(): Promise<void> {
  for (const view of Object.values(views)) {
    // What cannot be fetched now is asked for again when the view is shown.
    await view().catch(() => {});
    await new Promise((go) => setTimeout(go, 50));
  }
}
