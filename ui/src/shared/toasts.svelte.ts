// Short messages at the edge of the window, some with an Undo.
import { asFailure } from "../platform/platform";

export type Toast = {
  id: number;
  kind: "done" | "failed" | "info";
  text: string;
  undo?: () => Promise<void> | void;
};

const shownFor = { done: 8000, info: 8000, failed: 14_000 };

class Toasts {
  items = $state<Toast[]>([]);
  /** Where messages can be shown; they are where the last one is: in the dialog above all else. */
  #places = $state.raw<readonly symbol[]>([]);
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();
  /** What Ctrl+Z takes back, newest last. It outlives the message. */
  #undone: (() => Promise<void> | void)[] = [];

  get place(): symbol | undefined {
    return this.#places.at(-1);
  }

  /** Shows messages in a place until the returned function is called. */
  standIn(place: symbol): () => void {
    this.#places = [...this.#places, place];
    return () => (this.#places = this.#places.filter((other) => other !== place));
  }

  show(kind: Toast["kind"], text: string, undo?: Toast["undo"]): void {
    const id = this.#next++;
    let toast: Toast = { id, kind, text };
    if (undo) {
      const once = async (): Promise<void> => {
        if (!this.#undone.includes(once)) return;
        this.#undone = this.#undone.filter((other) => other !== once);
        this.dismiss(id);
        try {
          await undo();
        } catch (thrown) {
          this.failed(thrown);
        }
      };
      this.#undone = [...this.#undone.slice(-49), once];
      toast = { ...toast, undo: once };
    }
    this.items = [...this.items.slice(-3), toast];
    this.hold(id, false);
  }

  done(text: string, undo?: Toast["undo"]): void {
    this.show("done", text, undo);
  }

  failed(thrown: unknown): void {
    this.show("failed", asFailure(thrown).message);
  }

  /** Stops the clock of a message while it is read, or starts it again. */
  hold(id: number, held: boolean): void {
    clearTimeout(this.#timers.get(id));
    const toast = this.items.find((item) => item.id === id);
    if (held || !toast) return;
    this.#timers.set(
      id,
      setTimeout(() => this.dismiss(id), shownFor[toast.kind]),
    );
  }

  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.items = this.items.filter((item) => item.id !== id);
  }

  /** Takes back the latest change that can be; says so when there is none. */
  async undoLast(): Promise<void> {
    const last = this.#undone.at(-1);
    if (last) await last();
    else this.show("info", "There is nothing to undo.");
  }

  /** Forgets everything: a new page starts empty. */
  reset(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#undone = [];
    this.items = [];
  }
}

export const toasts = new Toasts();
