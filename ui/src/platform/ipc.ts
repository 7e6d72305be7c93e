// The host as the desktop shell: Tauri's IPC.
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Platform } from "./platform";

export const ipc: Platform = {
  capabilities: { files: true },
  call: (name, request) => invoke(name, { request }),
  on(event, callback) {
    let wanted = true;
    const listening = listen(event, ({ payload }) => {
      if (wanted) callback(payload as never);
    });
    return () => {
      wanted = false;
      void listening.then((unlisten) => unlisten());
    };
  },
};
