// What is about to be imported; it outlives a change of view.
import type { ContextLevel } from "$bindings/ContextLevel";
import type { Format } from "$bindings/Format";

class ImportDraft {
  paths = $state.raw<string[]>([]);
  format = $state<Format>("auto");
  level = $state<ContextLevel>("LongTerm");
  agent = $state("");
  session = $state("");
  /** The job that was started from here, if any. */
  job = $state<string | null>(null);

  add(paths: readonly string[]): void {
    this.job = null;
    this.paths = [...new Set([...this.paths, ...paths])];
  }

  remove(path: string): void {
    this.paths = this.paths.filter((other) => other !== path);
  }

  clear(): void {
    this.paths = [];
    this.job = null;
  }
}

export const draft = new ImportDraft();
