// Which contexts link to a note.
import type { Filter } from "$bindings/Filter";

/** Contexts of other notes than `source` with one of these `[[wikilinks]]`. */
export function linksTo(targets: readonly string[], source: string | null): Filter {
  const must = [{ key: "links", any: [...targets] }];
  return { must, should: [], must_not: source === null ? [] : [{ key: "source", match: source }] };
}
