import { mount } from "svelte";
import { ipc } from "./platform/ipc";
import { connect } from "./platform/platform";
import App from "./views/App.svelte";
import NoHost from "./views/NoHost.svelte";
import "./shared/styles/base.css";

/** Without waiting for anything: the window is open already, and empty. */
function start(): void {
  const target = document.getElementById("app");
  if (!target) return;
  if (!("__TAURI_INTERNALS__" in window)) {
    mount(NoHost, { target });
    return;
  }
  connect(ipc);
  mount(App, { target });
}

start();
