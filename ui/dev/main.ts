// The UI on the scripted host, to look at without a backend: `npm run dev:fake`.
// The address says what it plays: ?contexts=100000, ?startup=opening|failed, ?empty, ?errors, ?slow=300, ?breaker=open, ?keyring=absent, ?settings=broken, ?browser
import { mount } from "svelte";
import { shellCommands } from "../src/platform/browser";
import { connect } from "../src/platform/platform";
import { pathPrompt } from "../src/shared/path-prompt.svelte";
import { FakePlatform } from "../src/testing/fake";
import App from "../src/views/App.svelte";
import "../src/shared/styles/base.css";

const asked = new URLSearchParams(location.search);
const fake = new FakePlatform({
  contexts: asked.has("empty") ? 0 : Number(asked.get("contexts") ?? 2400),
  startup: (asked.get("startup") as "opening" | "failed" | null) ?? "ready",
  failing: asked.has("errors"),
  delay: Number(asked.get("slow") ?? 0),
  breaker: (asked.get("breaker") as "open" | null) ?? "closed",
  keyring: (asked.get("keyring") as "absent" | null) ?? "available",
  brokenSettings: asked.get("settings") === "broken",
  live: true,
});
// As from a server: no dialogs of a system, and paths are typed.
if (asked.has("browser")) {
  fake.capabilities.files = false;
  Object.assign(fake.answers, shellCommands(pathPrompt.ask));
}
connect(fake);
(window as unknown as { fake: FakePlatform }).fake = fake;
const target = document.getElementById("app");
target?.replaceChildren();
if (target) mount(App, { target });
