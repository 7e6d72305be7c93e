// Keyboard shortcuts: registered by whoever knows the action, listed in one overview.

export type Shortcut = {
  /** Like "mod+k", "g s", "?", "delete". `mod` is Ctrl, or Cmd on a Mac. */
  keys: string;
  label: string;
  group: string;
  run: () => void;
  /** Whether it also works while typing in a field. */
  always?: boolean;
};

export const isMac = typeof navigator !== "undefined" && /Mac/.test(navigator.platform);

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLInputElement) {
    return !["checkbox", "radio", "range", "button"].includes(target.type);
  }
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

function pressed(event: KeyboardEvent): string {
  const key = event.key === " " ? "space" : event.key.toLowerCase();
  const parts: string[] = [];
  if (event.ctrlKey || event.metaKey) parts.push("mod");
  if (event.altKey) parts.push("alt");
  if (event.shiftKey && (key.length > 1 || parts.length > 0)) parts.push("shift");
  parts.push(key);
  return parts.join("+");
}

class Shortcuts {
  #all = $state.raw<Shortcut[]>([]);
  #first = "";
  #firstAt = 0;

  get all(): readonly Shortcut[] {
    return this.#all;
  }

  /** Registers until the returned function is called; the latest of equal keys wins. */
  add(...added: Shortcut[]): () => void {
    this.#all = [...this.#all, ...added];
    return () => {
      this.#all = this.#all.filter((shortcut) => !added.includes(shortcut));
    };
  }

  handle(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing) return;
    if (["Control", "Shift", "Alt", "Meta"].includes(event.key)) return;
    const now = pressed(event);
    const two = event.timeStamp - this.#firstAt < 1200 ? `${this.#first} ${now}` : "";
    const inField = typing(event.target);
    const modal = document.querySelector("[data-dialog]") !== null;
    const match = this.#all.findLast(
      (s) => (s.keys === two || s.keys === now) && (s.always || (!inField && !modal)),
    );
    this.#first = now;
    this.#firstAt = event.timeStamp;
    if (!match) return;
    this.#first = "";
    event.preventDefault();
    match.run();
  }
}

export const shortcuts = new Shortcuts();

const signs: Record<string, string> = {
  mod: isMac ? "⌘" : "Ctrl",
  alt: isMac ? "⌥" : "Alt",
  shift: "Shift",
  arrowup: "↑",
  arrowdown: "↓",
  escape: "Esc",
  enter: "Enter",
  delete: "Del",
  space: "Space",
};

/** The keys as they stand on the keyboard: [["Ctrl", "K"]], or two presses one after another. */
export function keyCaps(keys: string): string[][] {
  return keys
    .split(" ")
    .map((press) =>
      (press === "+" ? ["+"] : press.split("+")).map(
        (key) => signs[key] ?? (key.length === 1 ? key.toUpperCase() : key),
      ),
    );
}
