// Whether the host answers. In a window it is part of the program; a server can go away and come back.
import { on, type Connection } from "../../platform/platform";
import { queryClient } from "../../shared/query";
import { contextsChanged } from "../contexts/changes.svelte";
import { jobs } from "./jobs.svelte";
import { startup } from "./startup.svelte";

class HostConnection {
  state = $state<Connection>("connected");

  follow(): () => void {
    return on("connection", ({ state }) => {
      this.state = state;
      if (state !== "connected") return;
      // What happened meanwhile was not told.
      void startup.ask();
      void jobs.refresh();
      contextsChanged();
      void queryClient.invalidateQueries();
    });
  }
}

export const connection = new HostConnection();
