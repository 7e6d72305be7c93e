// The sources of the scripted host: two folders, one of which is not there at the moment.
import type { SourceRun } from "$bindings/SourceRun";
import type { SourceStatus } from "$bindings/SourceStatus";
import { iso, refused, type Handlers, type Scene } from "./scene";

type Answers = Pick<Handlers, "sources" | "source" | "source_add" | "source_change" | "source_remove">;

const start = Date.UTC(2026, 10, 27, 8);

function run(part: Partial<SourceRun>): SourceRun {
  return {
    outcome: "done",
    started_at: iso(start),
    ended_at: iso(start + 800),
    problem: null,
    files: 0,
    read: 0,
    renamed: 0,
    gone: 0,
    imported: 0,
    updated: 0,
    unchanged: 0,
    removed: 0,
    pending: 0,
    failed: [],
    failed_total: 0,
    warnings: [],
    warned_total: 0,
    skipped: 0,
    ...part,
  };
}

function source(id: number, name: string, path: string, part: Partial<SourceStatus>): SourceStatus {
  return {
    id,
    name,
    path,
    watch: true,
    rules: { include: [], exclude: [], level: null, doc_type: null, agent: null, session: null },
    created_at: iso(start - 86_400_000),
    files: 0,
    contexts: 0,
    last_run: null,
    watching: { how: "told" },
    running: null,
    ...part,
  };
}

export function sourceAnswers({ memory, options }: Scene): Answers {
  const gone = "/media/ada/archive is not there; nothing was removed. Connect its disk, or remove the source if it is gone for good";
  let all: SourceStatus[] = [
    source(1, "archive", "/media/ada/archive", {
      files: 310,
      contexts: 1204,
      watching: { how: "polled", because: gone },
      last_run: run({ outcome: "failed", problem: { code: "source_gone", message: gone } }),
    }),
    source(2, "notes", "/home/ada/notes", {
      files: 146,
      contexts: 612,
      last_run: run({ files: 146, read: 3, imported: 4, updated: 1, unchanged: 607, removed: 2 }),
    }),
  ];
  if (options.contexts === 0) all = [];
  const find = (id: number): SourceStatus => {
    const found = all.find((one) => one.id === id);
    if (!found) throw refused("unknown_source", `there is no source \`${id}\`; \`hirag source list\` names those there are`);
    return found;
  };
  return {
    sources: () => ({ sources: all }),
    source: ({ id }) => find(id),
    source_add: ({ path, name, watch = true, rules = {} }) => {
      const added = source(all.length + 1, name ?? path.split("/").pop() ?? path, path, { watch });
      Object.assign(added.rules, rules);
      all = [...all, added];
      return added;
    },
    source_change: ({ id, patch }) => {
      const { name, watch, rules } = patch;
      const before = find(id);
      if (all.some((one) => one.id !== id && one.name === name)) {
        throw refused("source_name_taken", `another source is called \`${name}\` already; choose another name`);
      }
      for (const key of ["include", "exclude"] as const) {
        const bad = rules?.[key]?.find((glob) => /^[!#]/.test(glob));
        const rule = "must be globs of 1 to 500 bytes that do not begin with `!` or `#`";
        if (bad) throw refused("invalid_source", `${key} is "${bad}"; it ${rule}`);
      }
      const changed = { ...before, name: name ?? before.name, watch: watch ?? before.watch, rules: rules ?? before.rules };
      all = all.map((one) => (one.id === id ? changed : one));
      return changed;
    },
    source_remove: ({ id, leave }) => {
      const removed = find(id);
      all = all.filter((one) => one !== removed);
      const ids = leave === "nothing" ? [memory.at(0).id] : [];
      return { source: removed, deletion: ids.length > 0 ? { operation: 3, ids, per_level: memory.remove(ids) } : null };
    },
  };
}
