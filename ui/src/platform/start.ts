// What a server puts into its page: the answers that the page begins with, so that it shows them before it asks anything.
import type { CommandName, Response } from "./commands";

/** Answers to commands that were asked with nothing. */
export type Start = { [N in CommandName]?: Response<N> };

/** What came with a page; nothing where it was not served, or where it cannot be read. */
export function startOf(page: Document): Start {
  try {
    const told: unknown = JSON.parse(page.getElementById("start")?.textContent ?? "{}");
    return typeof told === "object" && told !== null ? told : {};
  } catch {
    return {};
  }
}
