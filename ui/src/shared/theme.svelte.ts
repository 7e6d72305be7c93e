// Light or dark: by the system, or by choice. The choice is a setting; what it was last is kept in the page, which has
// its colours before it has read the settings.
import type { ThemeChoice } from "$bindings/ThemeChoice";

export type { ThemeChoice };
export type Theme = "light" | "dark";

const key = "hirag.theme";
const choices: readonly ThemeChoice[] = ["system", "light", "dark"];

function kept(): ThemeChoice {
  try {
    const value = localStorage.getItem(key);
    return choices.find((choice) => choice === value) ?? "system";
  } catch {
    return "system";
  }
}

class Appearance {
  choice = $state<ThemeChoice>("system");
  #told = false;
  #systemDark = $state(false);
  readonly theme: Theme = $derived(
    this.choice === "system" ? (this.#systemDark ? "dark" : "light") : this.choice,
  );

  /** Takes what the page came with: then what is kept, which takes a browser long to reach, is not read. */
  known(choice: ThemeChoice): void {
    this.choice = choice;
    this.#told = true;
  }

  /** Takes what the settings say, or will say. */
  take(choice: ThemeChoice): void {
    this.known(choice);
    try {
      localStorage.setItem(key, choice);
    } catch {
      // Where nothing can be kept, it is the system's until the settings are read.
    }
    this.#apply();
  }

  /** Follows the system from now on; returns how to stop. */
  follow(): () => void {
    if (!this.#told) this.choice = kept();
    const query = window.matchMedia?.("(prefers-color-scheme: dark)");
    const changed = (): void => {
      this.#systemDark = query?.matches ?? false;
      this.#apply();
    };
    changed();
    query?.addEventListener("change", changed);
    return () => query?.removeEventListener("change", changed);
  }

  #apply(): void {
    document.documentElement.dataset.theme = this.theme;
  }
}

export const appearance = new Appearance();
