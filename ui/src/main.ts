import { mount } from "svelte";
import { startup } from "./features/host/startup.svelte";
import type { CommandName } from "./platform/commands";
import { HttpPlatform } from "./platform/http";
import { ipc } from "./platform/ipc";
import { connect } from "./platform/platform";
import { startOf } from "./platform/start";
import { pathPrompt } from "./shared/path-prompt.svelte";
import { known } from "./shared/query";
import { appearance } from "./shared/theme.svelte";
import App from "./views/App.svelte";
import NoHost from "./views/NoHost.svelte";
import "./shared/styles/base.css";

/** In the window the shell is the host; in a browser it is the server that the page came from. */
function connected(): boolean {
  if ("__TAURI_INTERNALS__" in window) connect(ipc);
  else if (location.protocol.startsWith("http")) {
    connect(new HttpPlatform({ fetch: (...given) => fetch(...given), EventSource, askPath: pathPrompt.ask }));
  } else return false;
  return true;
}

/** Without waiting for anything: the window is open already, with a line that says what is coming. What came with the page is shown at once. */
function start(): void {
  const target = document.getElementById("app");
  if (!target) return;
  const page = connected() ? App : NoHost;
  const { startup: opened, ...answers } = startOf(document);
  if (opened) startup.known(opened);
  if (answers.settings) appearance.known(answers.settings.settings.appearance.theme);
  for (const [name, answer] of Object.entries(answers)) known(name as CommandName, answer as never);
  target.replaceChildren();
  mount(page, { target });
  requestAnimationFrame(() => performance.mark("content"));
}

start();
