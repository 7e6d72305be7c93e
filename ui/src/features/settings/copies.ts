// Copies of everything: the database as it is, or its contexts as lines of JSON.
import { call } from "../../platform/platform";
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

const copyDatabase = (command: "backup" | "backup_file"): Promise<void> =>
  told(async () => {
    const { path } = await call("pick_save", { suggested: `hirag-${today()}.db` });
    if (!path) return;
    const copy = await call(command, { file: path });
    toasts.done(`Saved a copy of ${bytes(copy.bytes)} as ${copy.file}`);
  });

export const backUp = (): Promise<void> => copyDatabase("backup");

/** The same where the database cannot be opened: its file as it is. */
export const backUpFile = (): Promise<void> => copyDatabase("backup_file");

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
    const copy = await call("backup", { file });
    toasts.done(`Copied ${bytes(copy.bytes)} to ${copy.file}`);
    folder = chosen;
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
