// Changes of sources, and what is said of their runs.
import type { ContextLevel } from "$bindings/ContextLevel";
import type { Leave } from "$bindings/Leave";
import type { NewSource } from "$bindings/NewSource";
import type { SourceId } from "$bindings/SourceId";
import type { SourcePatch } from "$bindings/SourcePatch";
import type { SourceRules } from "$bindings/SourceRules";
import type { SourceRun } from "$bindings/SourceRun";
import type { SourceStatus } from "$bindings/SourceStatus";
import { call, type CommandFailure } from "../../platform/platform";
import { plural, sentence } from "../../shared/format";
import { outdated } from "../../shared/query";
import { toasts } from "../../shared/toasts.svelte";
import { contextsChanged } from "../contexts/changes.svelte";
import { jobs } from "../host/jobs.svelte";

export type State = { tone: "" | "ok" | "warn" | "bad"; word: string };

/** How a source is, in a word or two. */
export function stateOf({ running, last_run: run }: SourceStatus): State {
  if (running) return { tone: "", word: "Running" };
  if (!run) return { tone: "", word: "Not read yet" };
  if (run.outcome === "failed") return { tone: "bad", word: "Failed" };
  if (run.failed_total > 0) return { tone: "warn", word: `${plural(run.failed_total, "problem")}` };
  if (run.outcome === "stopped") return { tone: "warn", word: "Stopped" };
  return { tone: "ok", word: "Up to date" };
}

/** What a run changed, in a sentence. */
export function changesOf(run: SourceRun): string {
  const parts = [
    [run.imported, "new"],
    [run.updated, "changed"],
    [run.removed, "removed"],
  ] as const;
  const contexts = parts.filter(([n]) => n > 0).map(([n, what]) => `${plural(n, "context")} ${what}`);
  const files = run.renamed > 0 ? [`${plural(run.renamed, "file")} renamed`] : [];
  return [...contexts, ...files].join(", ") || "nothing had changed";
}

/** Rules as a person writes them: globs one a line. */
export type RuleDraft = { include: string; exclude: string; level: ContextLevel; kind: string };

export function draftOf({ include = [], exclude = [], level, doc_type }: SourceRules): RuleDraft {
  return { include: include.join("\n"), exclude: exclude.join("\n"), level: level ?? "LongTerm", kind: doc_type ?? "" };
}

/** The rules of a draft; what it says nothing of is as before. */
export function rulesOf({ include, exclude, level, kind }: RuleDraft, before: SourceRules = {}): SourceRules {
  // Where nothing is said of the level, the form shows the one that it comes to.
  const unsaid = before.level === null && level === "LongTerm";
  return { ...before, include: globsOf(include), exclude: globsOf(exclude), level: unsaid ? null : level, doc_type: kind.trim() || null };
}

/** What is wrong with a field; `other` is with none of them. */
export type RuleProblems = Partial<Record<"name" | "include" | "exclude" | "doc_type" | "other", string>>;

/** A failure, beside the field that it is about. */
export function problemsOf({ code, message }: CommandFailure): RuleProblems {
  const told = sentence(message);
  if (code === "source_name_taken") return { name: told };
  // The sentence about a rule or a name begins with which it is.
  const [, key] = (code === "invalid_source" && /^(?:the )?(name|include|exclude|doc_type) /.exec(message)) || [];
  return { [key ?? "other"]: told };
}

/** The globs that a person wrote, one a line. */
function globsOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

/** Adds a source, and has it read at once. Throws what failed, which the form tells beside what was typed. */
export async function addSource(source: NewSource): Promise<void> {
  const { id, name, watch } = await call("source_add", source);
  outdated("sources");
  toasts.done(`Added the source ${name}.`);
  // What is watched is read without being asked.
  if (!watch) await runSource(id);
}

/** Changes a source. Throws what failed, which the form tells beside what was typed. */
export async function changeSource(id: SourceId, patch: SourcePatch): Promise<void> {
  const { name, watch } = await call("source_change", { id, patch });
  outdated("sources");
  toasts.done(`Changed the source ${name}.`);
  // What is watched is read without being asked.
  if (!watch) await runSource(id);
}

/** Runs a source now, or all of them. */
export async function runSource(id: SourceId | null, emptied = false): Promise<void> {
  try {
    const { job } = await call("source_run", { id, emptied });
    if (!jobs.find(job)) await jobs.refresh();
  } catch (thrown) {
    toasts.failed(thrown);
  }
  outdated("sources");
}

export async function watchSource(id: SourceId, watch: boolean): Promise<void> {
  try {
    await call("source_change", { id, patch: { watch } });
  } catch (thrown) {
    toasts.failed(thrown);
  }
  outdated("sources");
}

/** Removes a source; taking that back adds it again, with what it had. */
export async function removeSource(id: SourceId, leave: Leave): Promise<void> {
  try {
    const { source, deletion } = await call("source_remove", { id, leave });
    const { name, path, watch, rules } = source;
    const ids = deletion?.ids ?? [];
    const also = ids.length > 0 ? ` and ${plural(ids.length, "context")}` : "";
    toasts.done(`Removed the source ${name}${also}.`, async () => {
      // First, so that they are there when the source is read again.
      if (ids.length > 0) await call("undo", { ids });
      await call("source_add", { name, path, watch, rules });
      outdated("sources");
      contextsChanged();
      toasts.show("info", `Brought the source ${name} back.`);
    });
    if (ids.length > 0) contextsChanged();
  } catch (thrown) {
    toasts.failed(thrown);
  }
  outdated("sources");
}
