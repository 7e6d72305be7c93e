// Which view is shown. It stands in the address, so that going back works.

export const viewNames = [
  "overview",
  "levels",
  "search",
  "ask",
  "sources",
  "performance",
  "resilience",
  "import",
  "settings",
] as const;

export type ViewName = (typeof viewNames)[number];

function parse(hash: string): { view: ViewName; params: URLSearchParams } {
  const [name = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const view = viewNames.find((known) => known === name) ?? "overview";
  return { view, params: new URLSearchParams(query) };
}

class Router {
  #hash = location.hash;
  #at = $state.raw(parse(location.hash));

  get view(): ViewName {
    return this.#at.view;
  }

  param(name: string): string | null {
    return this.#at.params.get(name);
  }

  go(view: ViewName, params: Record<string, string> = {}): void {
    const query = new URLSearchParams(params).toString();
    location.hash = `/${view}${query ? `?${query}` : ""}`;
    // Going where one is already asks again.
    this.#hash = location.hash;
    this.#at = parse(location.hash);
  }

  follow(): () => void {
    const changed = (): void => {
      if (location.hash === this.#hash) return;
      this.#hash = location.hash;
      this.#at = parse(location.hash);
    };
    changed();
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }
}

export const router = new Router();
