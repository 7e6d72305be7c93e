// To the clipboard and to files.
import { call } from "../platform/platform";
import { toasts } from "./toasts.svelte";

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toasts.done(`${what} copied.`);
  } catch {
    toasts.show("failed", `${what} could not be copied: the system refused access to the clipboard.`);
  }
}

/** Lets the person choose a file and writes it; says where. */
export async function saveText(suggested: string, content: string): Promise<void> {
  await save(suggested, content, "utf8");
}

export async function saveBytes(suggested: string, base64: string): Promise<void> {
  await save(suggested, base64, "base64");
}

async function save(suggested: string, content: string, encoding: "utf8" | "base64"): Promise<void> {
  try {
    const { path } = await call("save_file", { suggested, content, encoding });
    if (path) toasts.done(`Saved as ${path}`);
  } catch (thrown) {
    toasts.failed(thrown);
  }
}
