// Changes of contexts; each says what it did and can be taken back.
import type { Context } from "$bindings/Context";
import type { ContextId } from "$bindings/ContextId";
import type { ContextLevel } from "$bindings/ContextLevel";
import { call } from "../../platform/platform";
import type { ContextPatch, NewContext } from "../../platform/types";
import { levelFacts, plural } from "../../shared/format";
import { toasts } from "../../shared/toasts.svelte";
import { contextsChanged } from "./changes.svelte";

/** Runs a change; a failure is shown and comes back as `false`. */
async function attempt(change: () => Promise<void>): Promise<boolean> {
  try {
    await change();
    contextsChanged();
    return true;
  } catch (thrown) {
    toasts.failed(thrown);
    return false;
  }
}

async function back(change: () => Promise<unknown>, text: string): Promise<void> {
  await change();
  contextsChanged();
  toasts.show("info", text);
}

export function deleteContexts(ids: ContextId[]): Promise<boolean> {
  return attempt(async () => {
    const deleted = await call("delete", { ids });
    toasts.done(`Deleted ${plural(deleted.ids.length, "context")}.`, async () => {
      const restored = await call("undo", { ids: deleted.ids });
      contextsChanged();
      toasts.show("info", `Brought back ${plural(restored.ids.length, "context")}.` + staying(restored.superseded.length));
    });
  });
}

/** Brings deleted contexts back; taking that back deletes them again. */
export function restoreContexts(ids: ContextId[]): Promise<boolean> {
  return attempt(async () => {
    const restored = await call("undo", { ids });
    toasts.done(`Brought back ${plural(restored.ids.length, "context")}.` + staying(restored.superseded.length), () =>
      back(() => call("delete", { ids: restored.ids }), `Deleted ${plural(restored.ids.length, "context")} again.`),
    );
  });
}

/** What did not come back, and why. */
function staying(n: number): string {
  return n ? ` ${plural(n, "context")} stayed deleted: the same part was stored again since.` : "";
}

export function clearLevel(level: ContextLevel): Promise<boolean> {
  return attempt(async () => {
    const deleted = await call("clear", { level });
    const name = levelFacts(level).short;
    toasts.done(`Deleted all ${plural(deleted.ids.length, "context")} of ${name}.`, () =>
      back(() => call("undo", { ids: deleted.ids }), `Brought ${name} back.`),
    );
  });
}

export function moveContexts(contexts: Pick<Context, "id" | "level">[], level: ContextLevel): Promise<boolean> {
  const moving = contexts.filter((context) => context.level !== level);
  if (moving.length === 0) {
    toasts.show("info", `Already in ${levelFacts(level).short}.`);
    return Promise.resolve(true);
  }
  return attempt(async () => {
    const { moved } = await call("move_to", { ids: moving.map((context) => context.id), level });
    toasts.done(`Moved ${plural(moved, "context")} to ${levelFacts(level).short}.`, () =>
      back(async () => {
        const homes = new Map<ContextLevel, ContextId[]>();
        for (const context of moving) {
          homes.set(context.level, [...(homes.get(context.level) ?? []), context.id]);
        }
        for (const [home, ids] of homes) await call("move_to", { ids, level: home });
      }, "Moved back."),
    );
  });
}

export function updateContext(before: Context, patch: ContextPatch): Promise<boolean> {
  return attempt(async () => {
    await call("update", { id: before.id, patch });
    const reverse: ContextPatch = {};
    if (patch.text !== undefined) reverse.text = before.text;
    if (patch.metadata !== undefined) reverse.metadata = before.metadata as NonNullable<ContextPatch["metadata"]>;
    if (patch.level !== undefined) reverse.level = before.level;
    if (patch.expires_at !== undefined) reverse.expires_at = before.expires_at;
    toasts.done("Saved the change.", () =>
      back(() => call("update", { id: before.id, patch: reverse }), "Undid the change."),
    );
  });
}

/** Stores a context. Throws what failed, which the form tells beside what was typed. */
export async function storeContext(context: NewContext): Promise<void> {
  const stored = await call("store", context);
  contextsChanged();
  const waits = stored.pending_because ? ` Its vector is pending: ${stored.pending_because}` : "";
  toasts.done(`Stored in ${levelFacts(stored.level).short}.${waits}`, () =>
    back(() => call("delete", { ids: [stored.id] }), "Removed the new context again."),
  );
}
