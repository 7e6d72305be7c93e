// Copies of everything: the database as it is, or its contexts as lines of JSON.
import { call } from "../../platform/platform";
import type { Job } from "../../platform/types";
import { bytes } from "../../shared/format";
import { toasts } from "../../shared/toasts.svelte";
import { jobs } from "../host/jobs.svelte";

const today = (): string => new Date().toISOString().slice(0, 10);

async function told(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    toasts.failed(thrown);
  }
}

async function place(): Promise<string | null> {
  return (await call("pick_save", { suggested: `hirag-${today()}.db` })).path;
}

/** Copies the database into a new file; the job once it has ended. */
async function copied(file: string): Promise<Job> {
  const { job } = await call("backup_start", { file });
  return jobs.ended(job);
}

export const backUp = (): Promise<void> =>
  told(async () => {
    const file = await place();
    if (file) await copied(file);
  });

/** The same where the database cannot be opened: its file as it is. */
export const backUpFile = (): Promise<void> =>
  told(async () => {
    const file = await place();
    if (!file) return;
    const copy = await call("backup_file", { file });
    toasts.done(`Saved a copy of ${bytes(copy.bytes)} as ${copy.file}`);
  });

/**
 * Puts a copy of the database into another folder, as the memory that a program finds there. Gives the folder, or
 * nothing where none was chosen or the copy did not come about: what stands there already is left as it is.
 */
export async function copyToFolder(): Promise<string | undefined> {
  let folder: string | undefined;
  await told(async () => {
    const chosen = (await call("pick_paths", { folders: true })).paths[0];
    if (!chosen) return;
    const separator = chosen.includes("\\") && !chosen.includes("/") ? "\\" : "/";
    const file = `${chosen.endsWith(separator) ? chosen : chosen + separator}hirag.db`;
    const job = await copied(file);
    if (job.state === "done") folder = chosen;
  });
  return folder;
}

export const exportAll = (): Promise<void> =>
  told(async () => {
    const { path } = await call("pick_save", { suggested: `hirag-${today()}.jsonl` });
    if (!path) return;
    await call("export_start", { file: path });
    await jobs.refresh();
  });

/** The backup that is to be restored; empty when none was chosen. */
export async function chooseBackup(): Promise<string> {
  try {
    return (await call("pick_paths", { folders: false })).paths[0] ?? "";
  } catch (thrown) {
    toasts.failed(thrown);
    return "";
  }
}

/** Puts a backup in the database's place; whether it stands there now. */
export async function restoreBackup(file: string): Promise<boolean> {
  try {
    const restored = await call("restore", { file });
    toasts.done(restored.previous ? `Restored. The database from before is kept as ${restored.previous}` : "Restored.");
    return true;
  } catch (thrown) {
    toasts.failed(thrown);
    return false;
  }
}
