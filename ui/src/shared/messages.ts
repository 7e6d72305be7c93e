// The way to the messages by the keyboard, and back to where it was.

/** The part of the page that has them now: in the dialog above all else, if there is one. */
function withMessages(): HTMLElement | undefined {
  return [...document.querySelectorAll<HTMLElement>("[data-messages]")].find((part) => part.querySelector("button"));
}

class Messages {
  #from: HTMLElement | undefined;

  /** Takes the focus to the first message; from there, back. */
  reach(): void {
    const part = withMessages();
    const at = document.activeElement;
    if (part?.contains(at)) return this.leave();
    const first = part?.querySelector("button");
    if (!first) return;
    this.#from = at instanceof HTMLElement ? at : undefined;
    first.focus();
  }

  /** Takes the focus back to where it came from, as far as that is still there. */
  leave(): void {
    if (this.#from?.isConnected) this.#from.focus();
    this.#from = undefined;
  }
}

export const messages = new Messages();
