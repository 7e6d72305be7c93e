// Whether the memory is open yet, and what stands in the way.
import { asFailure, call, on, type CommandFailure } from "../../platform/platform";
import type { StartupState } from "../../platform/types";
import { afterFrame } from "../../shared/after-frame";
import { queryClient } from "../../shared/query";

/** Milliseconds between two questions while the memory is being opened. */
const AGAIN = 500;

class Startup {
  state = $state.raw<StartupState | null>(null);
  #told = 0;

  /** Asks now and follows the host from then on; returns how to stop. */
  follow(): () => void {
    let following = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = on("startup", (state) => {
      this.#told += 1;
      this.#take(state);
    });
    // What the host tells before it knows that somebody listens is lost, so ask until it is open.
    const look = async (): Promise<void> => {
      await this.ask();
      if (following && this.state?.state === "opening") timer = setTimeout(() => void look(), AGAIN);
    };
    // What the page came with is shown before anything is asked.
    let later = (): void => {};
    if (this.state) later = afterFrame(() => void look());
    else void look();
    return () => {
      following = false;
      later();
      clearTimeout(timer);
      stop();
    };
  }

  /** Takes what the page came with. */
  known(state: StartupState): void {
    this.#take(state);
  }

  async ask(): Promise<void> {
    const told = this.#told;
    const state = await call("startup", {}).catch((thrown: unknown) => unanswered(asFailure(thrown)));
    // What was told meanwhile is newer.
    if (told === this.#told) this.#take(state);
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

/** A host that does not even answer this. */
function unanswered(failure: CommandFailure): StartupState {
  return {
    state: "failed",
    problem: { code: failure.code, message: failure.message },
    settings_problem: null,
    database_file: "",
    config_file: "",
    data_dir: "",
    version: "",
    keyring: "absent",
  };
}

export const startup = new Startup();
