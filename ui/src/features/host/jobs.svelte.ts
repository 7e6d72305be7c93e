// Long work that goes on in the host.
import { call, on } from "../../platform/platform";
import type { Job, JobKind } from "../../platform/types";
import { afterFrame } from "../../shared/after-frame";
import { contextsChanged } from "../contexts/changes.svelte";
import { outdated } from "../../shared/query";
import { toasts } from "../../shared/toasts.svelte";

const names: Record<JobKind, string> = {
  import: "Import",
  reembed: "Re-embedding",
  export: "Export",
  backup: "Backup",
  clean_up: "Clean-up",
  doctor: "Check",
  load: "Load run",
  sources: "Sources",
};

export function jobName(job: Job): string {
  return names[job.kind];
}

class Jobs {
  all = $state.raw<Job[]>([]);
  #waiting = new Map<string, (job: Job) => void>();
  readonly running: Job[] = $derived(this.all.filter((job) => job.state === "running"));

  follow(): () => void {
    const stop = on("job", (job) => this.#take(job));
    // The first content of the page waits for none of it.
    const later = afterFrame(() => void this.refresh());
    return () => {
      later();
      stop();
    };
  }

  /** Asks for the work that goes on; what events told meanwhile is newer and stays. */
  async refresh(): Promise<void> {
    try {
      const { jobs } = await call("jobs", {});
      const known = new Set(this.all.map((job) => job.id));
      this.all = [...jobs.filter((job) => !known.has(job.id)), ...this.all];
    } catch {
      // There is no work to show while the database is not open.
    }
  }

  find(id: string | null): Job | undefined {
    return this.all.find((job) => job.id === id);
  }

  /** A job once it has ended. */
  async ended(id: string): Promise<Job> {
    if (!this.find(id)) await this.refresh();
    const job = this.find(id);
    if (job && job.state !== "running") return job;
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  async cancel(id: string): Promise<void> {
    try {
      await call("job_cancel", { job: id });
    } catch (thrown) {
      toasts.failed(thrown);
    }
  }

  #take(job: Job): void {
    const before = this.find(job.id);
    this.all = before
      ? this.all.map((one) => (one.id === job.id ? job : one))
      : [...this.all, job];
    if (job.state === "running" || before?.state === job.state) return;
    this.#waiting.get(job.id)?.(job);
    this.#waiting.delete(job.id);
    if (job.state === "done") toasts.done(`${jobName(job)} is done.`);
    if (job.state === "cancelled") toasts.show("info", `${jobName(job)} was cancelled.`);
    if (job.state === "failed") {
      toasts.show("failed", `${jobName(job)} failed: ${job.problem?.message ?? "no reason was given"}`);
    }
    contextsChanged();
    outdated("health", "settings", "resilience", "sources");
  }
}

export const jobs = new Jobs();
