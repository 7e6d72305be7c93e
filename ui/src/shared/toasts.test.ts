import { describe, expect, it, vi } from "vitest";
import { toasts } from "./toasts.svelte";

describe("undo", () => {
  it("takes back the latest change first, each once", async () => {
    const taken: string[] = [];
    toasts.done("first", () => void taken.push("first"));
    toasts.done("second", () => void taken.push("second"));
    await toasts.undoLast();
    await toasts.undoLast();
    await toasts.undoLast();
    expect(taken).toEqual(["second", "first"]);
    expect(toasts.items.at(-1)?.text).toBe("There is nothing to undo.");
  });

  it("still works when the message has gone", async () => {
    vi.useFakeTimers();
    const undo = vi.fn();
    toasts.done("deleted", undo);
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();
    expect(toasts.items).toEqual([]);
    await toasts.undoLast();
    expect(undo).toHaveBeenCalledOnce();
  });

  it("shows why it failed", async () => {
    toasts.done("deleted", () => Promise.reject(new Error("the disk is full")));
    await toasts.undoLast();
    expect(toasts.items.at(-1)).toMatchObject({ kind: "failed", text: "the disk is full" });
  });
});
