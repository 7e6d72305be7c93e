// Which pieces of a text are words of the query. Pieces are shown as text; no markup is made here.
import type { Attachment } from "svelte/attachments";

export type Piece = { text: string; hit: boolean };

const word = /[\p{L}\p{N}]+/gu;

/** Words too common to mark. */
const common = new Set(
  "a an and are as at be but by did do does for from had has have how i in is it its me my of on or our she he so that the their them they this to was we were what when where which who why will with you your".split(
    " ",
  ),
);

/** Two words count as the same when they share their beginning, as "run" and "running" do. */
function alike(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short.length >= 4 && long.length - short.length <= 3 && long.startsWith(short);
}

type Wanted = { words: string[]; known: Map<string, boolean> };

/** What one query looks for, and the words that were compared with it. Rows of a list share it. */
let latest: { query: string; wanted: Wanted } | undefined;

function wantedBy(query: string): Wanted {
  if (latest?.query === query) return latest.wanted;
  const asked = (query.slice(0, 4000).toLowerCase().match(word) ?? []).filter((w) => !common.has(w));
  const wanted = { words: [...new Set(asked)].slice(0, 64), known: new Map<string, boolean>() };
  latest = { query, wanted };
  return wanted;
}

/** The text in order, cut where a word of the query starts or ends. */
export function pieces(text: string, query: string): Piece[] {
  const { words, known } = wantedBy(query);
  if (words.length === 0) return [{ text, hit: false }];
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(word)) {
    const lower = match[0].toLowerCase();
    let hit = known.get(lower);
    if (hit === undefined) {
      hit = words.some((w) => alike(w, lower));
      known.set(lower, hit);
    }
    if (!hit) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index), hit: false });
    found.push({ text: match[0], hit: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ text: text.slice(end), hit: false });
  return found;
}

function shown({ text, hit }: Piece): Node | string {
  if (!hit) return text;
  const mark = document.createElement("mark");
  mark.textContent = text;
  return mark;
}

/** Fills an element with a text in which the words of a query are marked. */
export function marked(text: string, query: string): Attachment {
  return (element) => element.replaceChildren(...pieces(text, query).map(shown));
}
