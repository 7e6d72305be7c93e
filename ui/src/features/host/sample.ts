// A small workspace to try everything on: notes of a team that builds a memory for agents.
import { asFailure, call } from "../../platform/platform";
import type { NewContext } from "../../platform/types";
import { toasts } from "../../shared/toasts.svelte";
import { plural } from "../../shared/format";
import { contextsChanged } from "../contexts/changes.svelte";
import { deleteContexts } from "../contexts/actions";
import type { ContextLevel } from "$bindings/ContextLevel";
import type { Filter } from "$bindings/Filter";

/** What the sample answers well. */
export const firstQuestion = "Why was billing down?";

/** The contexts of the sample, whoever stored them. */
export const ofSample: Filter = {
  must: [
    { key: "agent", match: "sample" },
    { key: "metadata.sample", match: true },
  ],
  should: [],
  must_not: [],
};

type Note = [level: ContextLevel, session: string, topic: string, text: string];

const notes: Note[] = [
  ["Immediate", "standup", "people", "Maria is away until Thursday. Questions about the search benchmark go to Jonas."],
  ["Immediate", "standup", "release", "We ship version 0.4 on Friday if the import of large folders stays under two minutes."],
  ["Immediate", "standup", "incident", "The build machine ran out of disk at night; old caches are removed after three days now."],
  ["Immediate", "debugging", "import", "The importer skips files that are not UTF-8 and names each one at the end."],
  ["Immediate", "debugging", "import", "A Markdown table was cut in the middle of a row. Chunks end at row borders since today."],
  ["ShortTerm", "incident-12", "incident", "Billing was down for nine minutes: a migration locked the invoices table."],
  ["ShortTerm", "incident-12", "incident", "After the outage we agreed to run long migrations in batches of five thousand rows."],
  ["ShortTerm", "incident-12", "incident", "The alert fired four minutes late, because it averaged over five minutes."],
  ["ShortTerm", "reading-group", "retrieval", "Vectors miss rare names, words miss paraphrases. Using both finds more than either alone."],
  ["ShortTerm", "reading-group", "retrieval", "A weighted sum of two scores keeps how far they lie apart; fusing by rank forgets it."],
  ["ShortTerm", "reading-group", "retrieval", "Recency is a good tie-breaker and a bad judge: with a large weight, new and wrong beats old and right."],
  ["ShortTerm", "interviews", "customers", "Field engineers lose their connection for days and want to ask their notes anyway."],
  ["ShortTerm", "interviews", "customers", "Two of five people asked why a note they remembered did not come up. Showing the reason calmed them."],
  ["LongTerm", "decisions", "storage", "Decision: one SQLite file holds everything. A copy of it is a complete backup."],
  ["LongTerm", "decisions", "storage", "Decision: a write is confirmed only when it is on the disk, even if that costs a millisecond."],
  ["LongTerm", "decisions", "retrieval", "Decision: every level is scored alike. A context gets no points for being new alone."],
  ["LongTerm", "decisions", "privacy", "Decision: tokens live in the system's keyring and never in a file, a log or a page."],
  ["LongTerm", "handbook", "people", "New colleagues pair with someone from another team in their first two weeks."],
  ["LongTerm", "handbook", "release", "A release needs a green run, a written note for users, and someone who is reachable that evening."],
  ["LongTerm", "handbook", "incident", "During an incident one person leads, one writes down, and nobody looks for someone to blame."],
  ["LongTerm", "handbook", "office", "The kettle and the heater must not run together: the fuse is rated for one of them."],
  ["LongTerm", "glossary", "retrieval", "nDCG measures a ranking: a relevant result counts more the higher it stands."],
  ["LongTerm", "glossary", "resilience", "A circuit breaker stops calling a service that keeps failing, waits, and then lets a probe through."],
  ["LongTerm", "glossary", "retrieval", "A token is the piece of text that a language model counts; a page has about five hundred."],
];

function context([level, session, topic, text]: Note): NewContext {
  return {
    text,
    level,
    agent: "sample",
    session,
    metadata: { topic, sample: true },
    source: null,
    expires_at: null,
  };
}

/** Stores the sample; `told` hears how many stand. Whether all were stored. */
export async function storeSample(told: (done: number, total: number) => void): Promise<boolean> {
  const ids: string[] = [];
  try {
    for (const note of notes) {
      ids.push((await call("store", context(note))).id);
      told(ids.length, notes.length);
    }
  } catch (thrown) {
    toasts.show("failed", `Stored ${ids.length} of ${notes.length}: ${asFailure(thrown).message}`);
    contextsChanged();
    return false;
  }
  contextsChanged();
  toasts.done(`Stored a sample of ${plural(ids.length, "context")}.`, async () => {
    await call("delete", { ids });
    contextsChanged();
    toasts.show("info", "Removed the sample.");
  });
  return true;
}

/** Deletes what is left of the sample; it can be taken back. */
export async function removeSample(): Promise<void> {
  try {
    const { contexts } = await call("list", { filter: ofSample, limit: 1000 });
    await deleteContexts(contexts.map((context) => context.id));
  } catch (thrown) {
    toasts.failed(thrown);
  }
}
