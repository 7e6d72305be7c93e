// Long work of the scripted host.
import type { Job, JobKind } from "../../platform/types";
import { iso, type Handlers, type Scene } from "./scene";

type Answers = Pick<
  Handlers,
  | "import_preview"
  | "import_start"
  | "sample_start"
  | "reembed_start"
  | "export_start"
  | "load_start"
  | "source_run"
  | "backup_start"
  | "jobs"
  | "job_cancel"
>;

const report = {
  files: 4,
  contexts: 1280,
  imported: 1240,
  updated: 12,
  unchanged: 28,
  removed: 0,
  pending: 0,
  failed: [{ path: "/home/ada/notes/broken.jsonl", line: 12, code: "invalid_text", message: "line 12 is not JSON: expected a comma" }],
  skipped: [
    { path: "/home/ada/notes/photo.png", reason: "binary" },
    { path: "/home/ada/notes/letter.odt", reason: "not a known kind of file" },
  ],
  cancelled: false,
  warnings: [],
  untold: [],
};

const sampleNotes = 60;

/** Jobs that go on by themselves where the scene is live, and as a test reports them elsewhere. */
export class Jobs {
  readonly #scene: Scene;
  readonly #all: Job[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Reports on a job as the host does. */
  report(job: Partial<Job> & { id: string }): void {
    const known = this.#all.find((one) => one.id === job.id);
    if (known) this.#scene.emit("job", structuredClone(Object.assign(known, job)));
  }

  #run(kind: JobKind, total: number, result: Job["result"], unit = "contexts"): { job: string } {
    const job: Job = {
      id: `job-${this.#all.length + 1}`,
      kind,
      state: "running",
      progress: { done: 0, total, unit, rate_per_s: 0, seconds_left: null, text: "Reading the files" },
      result: null,
      problem: null,
      started: iso(Date.now()),
      ended: null,
    };
    this.#all.push(job);
    const step = (): void => {
      if (job.state !== "running") return;
      const done = Math.min(total, job.progress.done + Math.ceil(total / 40));
      Object.assign(job.progress, { done, rate_per_s: 410, seconds_left: (total - done) / 410, text: "notes/incidents/2026-11.md" });
      if (done >= total) Object.assign(job, { state: "done", result, ended: iso(Date.now()) });
      else setTimeout(step, 120);
      this.#scene.emit("job", structuredClone(job));
    };
    if (this.#scene.options.live) setTimeout(step, 120);
    return { job: job.id };
  }

  answers(): Answers {
    const { memory } = this.#scene;
    return {
      import_preview: ({ paths, format = "auto" }) => ({
        files: paths.flatMap((path) =>
          ["retrieval.md", "incidents/2026-11.md", "reading-group.md", "people.md"].map((file, i) => ({
            path: `${path}/${file}`,
            format: format === "auto" ? ("markdown" as const) : format,
            bytes: 4200 * (i + 1),
          })),
        ),
        total_files: paths.length * 4,
        total_bytes: paths.length * 42_000,
        skipped: [
          { path: `${paths[0]}/photo.png`, reason: "binary" },
          { path: `${paths[0]}/letter.odt`, reason: "not a known kind of file" },
        ],
        failed: [],
      }),
      sample_start: () => {
        for (let n = 0; n < sampleNotes; n += 1) {
          memory.add({ text: `A note of the user guide, number ${n}`, level: "LongTerm", agent: "sample", session: "sample" });
        }
        return this.#run("import", sampleNotes, { ...report, imported: sampleNotes, failed: [], skipped: [] });
      },
      import_start: () => this.#run("import", report.contexts, report),
      reembed_start: () => this.#run("reembed", memory.size, null),
      export_start: ({ file }) => this.#run("export", memory.size, { file, contexts: memory.size }),
      backup_start: ({ file }) => this.#run("backup", 180_000_000, { file, bytes: 180_000_000 }, "bytes"),
      source_run: () => this.#run("sources", 146, { ok: true, runs: [] }, "bytes"),
      load_start: ({ duration_s, warm_up_s = 0 }) => this.#run("load", duration_s + warm_up_s, {}, "seconds"),
      jobs: () => ({ jobs: this.#all }),
      job_cancel: ({ job }) => {
        this.report({ id: job, state: "cancelled", ended: iso(Date.now()) });
        return {};
      },
    };
  }
}
