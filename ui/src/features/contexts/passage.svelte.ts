// What of a context an answer was made of, marked in its details.
import type { ContextId } from "$bindings/ContextId";
import { pieces, type Piece } from "../../shared/highlight";

type Shown = {
  id: ContextId;
  /** Its passages; where none is known, the words of the question are marked. */
  texts: readonly string[];
  question: string;
};

/** A text with marks, and what they are of: the answer's passages, or words of its question. */
type Marked = { of: "passages" | "words"; pieces: Piece[] };

class ShownPassage {
  #shown = $state.raw<Shown | null>(null);

  show(id: ContextId, texts: readonly string[], question: string): void {
    this.#shown = { id, texts, question };
  }

  /** The text of a context in order, cut where a mark starts or ends; `null` where nothing is marked. */
  in(id: ContextId, text: string): Marked | null {
    if (this.#shown?.id !== id) return null;
    const marks = [
      { of: "passages" as const, pieces: passages(text, this.#shown.texts) },
      { of: "words" as const, pieces: pieces(text, this.#shown.question) },
    ];
    return marks.find(({ pieces }) => pieces.some(({ hit }) => hit)) ?? null;
  }

  /** Forgets what was shown of a context: opened once more, it is as it is. */
  leave(id: ContextId): void {
    if (this.#shown?.id === id) this.#shown = null;
  }
}

export const passage = new ShownPassage();

function passages(text: string, wanted: readonly string[]): Piece[] {
  const places = wanted
    .map((passage) => ({ at: passage ? text.indexOf(passage) : -1, length: passage.length }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  const found: Piece[] = [];
  let end = 0;
  for (const { at, length } of places) {
    if (at < end) continue;
    if (at > end) found.push({ text: text.slice(end, at), hit: false });
    found.push({ text: text.slice(at, at + length), hit: true });
    end = at + length;
  }
  if (end < text.length) found.push({ text: text.slice(end), hit: false });
  return found;
}
