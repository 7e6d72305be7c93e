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
