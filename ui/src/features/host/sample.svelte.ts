// The sample workspace: the user guide, which the host has in itself and imports like any other notes.
import { call } from "../../platform/platform";
import { router } from "../../shared/router.svelte";
import { toasts } from "../../shared/toasts.svelte";
import { deleteContexts } from "../contexts/actions";
import { jobs } from "./jobs.svelte";
import type { Filter } from "$bindings/Filter";

/** What the sample answers well. */
export const firstQuestion = "Where is the token kept?";

/** The contexts of the sample. */
export const ofSample: Filter = {
  must: [
    { key: "agent", match: "sample" },
    { key: "session", match: "sample" },
  ],
  should: [],
  must_not: [],
};

/** The import of the sample, which goes on while views come and go. */
class SampleImport {
  running = $state(false);
  #job = $state<string | null>(null);
  readonly progress = $derived(jobs.find(this.#job)?.progress.text);

  /** Has the sample imported, and asks it something if the person still waits for it. */
  async start(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      const { job } = await call("sample_start", {});
      this.#job = job;
      // How else it can end, a message says.
      const { state } = await jobs.ended(job);
      if (state === "done" && router.view === "overview") router.go("search", { query: firstQuestion });
    } catch (thrown) {
      toasts.failed(thrown);
    } finally {
      this.running = false;
      this.#job = null;
    }
  }
}

export const sampleImport = new SampleImport();

/** Deletes what is left of the sample; it can be taken back. */
export async function removeSample(): Promise<void> {
  try {
    const { contexts } = await call("list", { filter: ofSample, limit: 1000 });
    await deleteContexts(contexts.map((context) => context.id));
  } catch (thrown) {
    toasts.failed(thrown);
  }
}
