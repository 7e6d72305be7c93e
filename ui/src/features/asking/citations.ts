// The numbers of sources in an answer's text, and the marks in the place of those that were taken out.
import type { RemovedMark } from "$bindings/RemovedMark";
import { Before, Code } from "./reading";

/** A part of a text: words, the number of a source, or a mark with the numbers that it stands for. */
export type Part = { text: string; source: number | null; removed?: string };

/** Brackets with numbers, or a mark. */
const brackets = /\[(?:(\d+(?:\s*,\s*\d+)*)|\?)\]/uy;

/**
 * The text in order, cut where the number of a source stands, and where one was taken out. While the
 * text comes, it is not known yet what its marks stand for: then there are no `marks`.
 */
export function parts(text: string, known: ReadonlySet<number>, marks: readonly RemovedMark[] | null = []): Part[] {
  const found: Part[] = [];
  const removed = marks && places(text, marks);
  const [code, before] = [new Code(), new Before()];
  let [begin, at] = [0, 0];
  const follow = (to: number): void => {
    for (const c of text.slice(at, to)) {
      code.follow(c);
      before.follow(c);
    }
    at = to;
  };
  const words = (words: string): void => {
    const last = found.at(-1);
    if (last && last.source === null && last.removed === undefined) last.text += words;
    else if (words) found.push({ text: words, source: null });
  };
  for (let open = text.indexOf("["); open >= 0; open = text.indexOf("[", at)) {
    follow(open);
    brackets.lastIndex = open;
    const match = code.isOpen ? null : brackets.exec(text);
    if (!match) {
      follow(open + 1);
      continue;
    }
    const numbers = match[1]?.match(/\d+/g)?.map(Number);
    const gone = numbers ? undefined : removed ? removed.get(open) : "";
    const named = numbers && !before.isIndex && numbers.every((number) => known.has(number));
    follow(brackets.lastIndex);
    if (!named && gone === undefined) continue;
    words(text.slice(begin, open));
    if (gone !== undefined) found.push({ text: match[0], source: null, removed: gone });
    numbers?.forEach((source, i) => {
      if (i > 0) words(" ");
      found.push({ text: `[${source}]`, source });
    });
    if (named) before.sources();
    begin = at;
  }
  words(text.slice(begin));
  return found;
}

/** What marks stand for, by their places as a page counts them. */
function places(text: string, marks: readonly RemovedMark[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  let [next, characters, place] = [0, 0, 0];
  for (const character of text) {
    const one = marks[next];
    if (!one) break;
    if (one.at === characters) {
      found.set(place, one.numbers);
      next += 1;
    }
    characters += 1;
    place += character.length;
  }
  return found;
}

/** A mark in words. */
export function markLabel(removed: string): string {
  if (removed === "") return "A source removed: there is none of its number";
  return /[,-]/.test(removed) ? `Sources ${removed} removed: there are none` : `Source ${removed} removed: there is none`;
}
