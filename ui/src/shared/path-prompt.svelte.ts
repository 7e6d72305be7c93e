// Where no file dialog can be shown, a path is typed. One question at a time.
import type { AskPath } from "../platform/browser";

type Asked = Parameters<AskPath>[0];

class PathPrompt {
  asked = $state.raw<Asked | null>(null);
  #answer: ((path: string | null) => void) | undefined;

  readonly ask: AskPath = (asked) => {
    this.answer(null);
    this.asked = asked;
    return new Promise((answer) => (this.#answer = answer));
  };

  /** Ends the question; without a path nothing is chosen. */
  answer(path: string | null): void {
    this.asked = null;
    this.#answer?.(path);
    this.#answer = undefined;
  }
}

export const pathPrompt = new PathPrompt();
