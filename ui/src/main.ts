import { mount } from "svelte";
import { connect } from "./platform/platform";
import App from "./views/App.svelte";
import NoHost from "./views/NoHost.svelte";
import "./shared/styles/base.css";

async function start(): Promise<void> {
  const target = document.getElementById("app");
  if (!target) return;
  if (!("__TAURI_INTERNALS__" in window)) {
    mount(NoHost, { target });
    return;
  }
  const { ipc } = await import("./platform/ipc");
  connect(ipc);
  mount(App, { target });
}

void start();
