// The theme as a setting: written when it is chosen, taken over when it was changed elsewhere.
import { call } from "../../platform/platform";
import { outdated } from "../../shared/query";
import { appearance, type ThemeChoice } from "../../shared/theme.svelte";
import { toasts } from "../../shared/toasts.svelte";

/** Shows it at once and writes it; where it cannot be written, all is as before. */
export async function chooseTheme(choice: ThemeChoice): Promise<void> {
  const before = appearance.choice;
  appearance.take(choice);
  try {
    await call("change_settings", { changes: [{ key: "appearance.theme", value: choice }] });
  } catch (thrown) {
    appearance.take(before);
    toasts.failed(thrown);
  }
  outdated("settings");
}

/** Takes the theme that the settings have now. */
export async function readTheme(): Promise<void> {
  try {
    appearance.take((await call("settings", {})).settings.appearance.theme);
  } catch {
    // What cannot be read changes nothing; the settings say why.
  }
}
