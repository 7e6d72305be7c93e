// Whether the memory is open yet, and what stands in the way.
import { asFailure, call, on } from "../../platform/platform";
import type { StartupState } from "../../platform/types";
import { queryClient } from "../../shared/query";

class Startup {
  state = $state.raw<StartupState | null>(null);

  /** Asks now and follows the host from then on; returns how to stop. */
  follow(): () => void {
    const stop = on("startup", (state) => this.#take(state));
    call("startup", {}).then(
      (state) => this.#take(state),
      (thrown: unknown) => {
        const failure = asFailure(thrown);
        this.#take({
          state: "failed",
          problem: { code: failure.code, message: failure.message },
          settings_problem: null,
          database_file: "",
          config_file: "",
          data_dir: "",
          version: "",
          keyring: "absent",
        });
      },
    );
    return stop;
  }

  #take(state: StartupState): void {
    const opened = state.state === "ready" && this.state !== null && this.state.state !== "ready";
    this.state = state;
    if (opened) void queryClient.invalidateQueries();
  }

  get ready(): boolean {
    return this.state?.state === "ready";
  }
}

export const startup = new Startup();
