// The numbers of sources in an answer's text, and the marks in the place of those that were taken out.
import type { RemovedMark } from "$bindings/RemovedMark";

/** A part of a text: words, the number of a source, or a mark with the numbers that it stands for. */
export type Part = { text: string; source: number | null; removed?: string };

/** Code, in which brackets are no sources; or brackets with numbers, or a mark. */
const inLine = /(`+)(?:(?!\1).)*\1|\[(\d+(?:\s*,\s*\d+)*)\]|\[\?\]/gsu;
const fence = /^\s{0,3}(`{3,}|~{3,})/;
const mark = "[?]";

/**
 * The text in order, cut where the number of a source stands, and where one was taken out. While the
 * text comes, it is not known yet what its marks stand for: then there are no `marks`.
 */
export function parts(text: string, known: ReadonlySet<number>, marks: readonly RemovedMark[] | null = []): Part[] {
  const found: Part[] = [];
  const removed = marks && places(text, marks);
  const words = (words: string): void => {
    const last = found.at(-1);
    if (last && last.source === null && last.removed === undefined) last.text += words;
    else if (words) found.push({ text: words, source: null });
  };
  let begin = 0;
  for (const { code, text: block } of blocks(text)) {
    let end = 0;
    for (const match of code ? [] : block.matchAll(inLine)) {
      const gone = match[0] === mark ? (removed ? removed.get(begin + match.index) : "") : undefined;
      const numbers = match[2]?.match(/\d+/g)?.map(Number) ?? [];
      const named = numbers.length > 0 && numbers.every((number) => known.has(number));
      if (!named && gone === undefined) continue;
      words(block.slice(end, match.index));
      if (gone !== undefined) found.push({ text: mark, source: null, removed: gone });
      numbers.forEach((source, i) => {
        if (i > 0) words(" ");
        found.push({ text: `[${source}]`, source });
      });
      end = match.index + match[0].length;
    }
    words(block.slice(end));
    begin += block.length;
  }
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

/** Blocks of code and what stands between them. */
function blocks(text: string): { code: boolean; text: string }[] {
  const found = [{ code: false, text: "" }];
  let open: string | null = null;
  for (const line of text.split(/(?<=\n)/)) {
    const mark = fence.exec(line)?.[1];
    if (open === null && mark) {
      open = mark;
      found.push({ code: true, text: line });
      continue;
    }
    const last = found[found.length - 1];
    if (last) last.text += line;
    if (open !== null && mark?.startsWith(open) && line.trim() === mark) {
      open = null;
      found.push({ code: false, text: "" });
    }
  }
  return found;
}
