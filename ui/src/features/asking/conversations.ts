// What becomes of a conversation beside going on with it.
import type { ConversationFormat } from "$bindings/ConversationFormat";
import { call } from "../../platform/platform";
import { saveText } from "../../shared/copy";
import { plural } from "../../shared/format";
import { outdated } from "../../shared/query";
import { toasts } from "../../shared/toasts.svelte";
import { contextsChanged } from "../contexts/changes.svelte";

/** Runs something; a failure is shown. */
async function told(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    toasts.failed(thrown);
  }
}

export const exportConversation = (session: string, format: Extract<ConversationFormat, "markdown" | "jsonl">): Promise<void> =>
  told(async () => {
    const { text } = await call("conversation_export", { session, format });
    await saveText(format === "markdown" ? "conversation.md" : "conversation.jsonl", text);
  });

export const storeConversation = (session: string): Promise<void> =>
  told(async () => {
    const { contexts } = await call("conversation_store", { session });
    contextsChanged();
    if (contexts.length === 0) {
      toasts.show("info", "Nothing was added: its answers are stored already, or none was worded to its end.");
      return;
    }
    toasts.done(`Stored ${plural(contexts.length, "context")} in L2.`, async () => {
      await call("delete", { ids: contexts.map(({ id }) => id) });
      contextsChanged();
      toasts.show("info", "Removed the new contexts again.");
    });
  });

export const deleteConversation = (session: string): Promise<void> =>
  told(async () => {
    try {
      await call("conversation_delete", { session });
    } finally {
      outdated("conversations");
    }
    toasts.done("The conversation is deleted.", () => restoreConversation(session));
  });

export async function restoreConversation(session: string): Promise<void> {
  try {
    await call("conversation_restore", { session });
  } finally {
    outdated("conversations");
  }
}

/** What was found useful as golden queries: two files, as `hirag eval` reads them. */
export const saveGolden = (): Promise<void> =>
  told(async () => {
    const { queries, qrels } = await call("golden_queries", {});
    await saveText("queries.jsonl", queries);
    await saveText("qrels.tsv", qrels);
  });
