// The frame as markup, for the page to have from the start; run when it is built, see `ui/frame.ts`.
import { render } from "svelte/server";
import Coming from "./Coming.svelte";

export const frame = render(Coming).body;
