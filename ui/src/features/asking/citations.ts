// The numbers of sources in an answer's text.

/** A part of a text: words, or the number of a source. */
export type Part = { text: string; source: number | null };

/** Code, in which brackets are no sources; or brackets with numbers. */
const inLine = /(`+)(?:(?!\1).)*\1|\[(\d+(?:\s*,\s*\d+)*)\]/gsu;
const fence = /^\s{0,3}(`{3,}|~{3,})/;

/** The text in order, cut where the number of a source stands. */
export function parts(text: string, known: ReadonlySet<number>): Part[] {
  const found: Part[] = [];
  const words = (words: string): void => {
    const last = found.at(-1);
    if (last && last.source === null) last.text += words;
    else if (words) found.push({ text: words, source: null });
  };
  for (const { code, text: block } of blocks(text)) {
    let end = 0;
    if (!code) {
      for (const match of block.matchAll(inLine)) {
        const numbers = match[2]?.match(/\d+/g)?.map(Number) ?? [];
        if (numbers.length === 0 || !numbers.every((number) => known.has(number))) continue;
        words(block.slice(end, match.index));
        numbers.forEach((source, i) => {
          if (i > 0) words(" ");
          found.push({ text: `[${source}]`, source });
        });
        end = match.index + match[0].length;
      }
    }
    words(block.slice(end));
  }
  return found;
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
