// Which contexts link to a note, as `[[wikilinks]]` name it.
import type { Context } from "$bindings/Context";
import type { Filter } from "$bindings/Filter";

/** Folders before its name with which a note may be named. */
const FOLDERS = 4;

/** What a note may be called in a link; nothing for what is no note. */
export function namesOf({ source, metadata }: Pick<Context, "source" | "metadata">): string[] {
  const { file, title } = metadata;
  if (typeof file !== "string" || !/\.(md|markdown)$/i.test(file)) return [];
  const own = file.replace(/\.[^.]+$/, "");
  const folders = (source ?? "").split(/[/\\]/).slice(0, -1).filter(Boolean).slice(-FOLDERS);
  const paths = folders.map((_, i) => [...folders.slice(i), own].join("/"));
  // Logseq writes the folders of a page into the name of its file.
  const page = own.replaceAll("___", "/").replaceAll("%2F", "/");
  return [...new Set([own, page, ...(typeof title === "string" ? [title] : []), ...paths])];
}

/** Contexts of other notes that link to one of these names, or to a heading or a block of it. */
export function linksTo(names: readonly string[], source: string | null): Filter {
  const whole = { key: "links", any: [...names] };
  // `$` is what follows `#`: all that begins with the name and a `#`.
  const parts = names.map((name) => ({ key: "links", range: { gte: `${name}#`, lt: `${name}$` } }));
  return { must: [], should: [whole, ...parts], must_not: source === null ? [] : [{ key: "source", match: source }] };
}
