import { mount } from "svelte";
import { HttpPlatform } from "./platform/http";
import { ipc } from "./platform/ipc";
import { connect } from "./platform/platform";
import { pathPrompt } from "./shared/path-prompt.svelte";
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

/** Without waiting for anything: the window is open already, with a line that says what is coming. */
function start(): void {
  const target = document.getElementById("app");
  if (!target) return;
  const page = connected() ? App : NoHost;
  target.replaceChildren();
  mount(page, { target });
  requestAnimationFrame(() => performance.mark("content"));
}

start();
