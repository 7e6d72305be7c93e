// The host as the desktop shell: Tauri's IPC.
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Platform } from "./platform";

export const ipc: Platform = {
  capabilities: { files: true },
  call: (name, request) => invoke(name, { request }),
  on(event, callback) {
    let wanted = true;
    const heard = (payload: unknown): void => {
      if (wanted) callback(payload as never);
    };
    // The shell is always there, but a page that was too slow to hear everything asks for everything again.
    const listening =
      event === "connection"
        ? listen("missed", () => heard({ state: "connected" }))
        : listen(event, ({ payload }) => heard(payload));
    return () => {
      wanted = false;
      void listening.then((unlisten) => unlisten());
    };
  },
};
