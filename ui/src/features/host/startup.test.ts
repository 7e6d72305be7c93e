import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { connect, type Platform } from "../../platform/platform";
import type { StartupState } from "../../platform/types";
import { startup } from "./startup.svelte";

function state(phase: StartupState["state"]): StartupState {
  return {
    state: phase,
    problem: null,
    settings_problem: null,
    database_file: "",
    config_file: "",
    data_dir: "",
    version: "",
    keyring: "absent",
  };
}

/** A host whose answers and events the test lets through, in any order. */
function host() {
  const answers: ((state: StartupState) => void)[] = [];
  let tell: (state: StartupState) => void = () => {};
  connect({
    capabilities: { files: false },
    call: () => new Promise((resolve) => answers.push(resolve)),
    on: (event, callback) => {
      if (event === "startup") tell = callback as typeof tell;
      return () => {};
    },
  } as Platform);
  return { answers, tell: (phase: StartupState["state"]) => tell(state(phase)) };
}

let stop = (): void => {};

beforeEach(() => {
  vi.useFakeTimers();
  startup.state = null;
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

it("does not let an older answer take the place of what was told meanwhile", async () => {
  const { answers, tell } = host();
  stop = startup.follow();
  tell("ready");
  answers[0]?.(state("opening"));
  await vi.advanceTimersByTimeAsync(0);
  expect(startup.ready).toBe(true);
});

it("asks again while the memory is being opened, in case nobody heard that it is open", async () => {
  const { answers } = host();
  stop = startup.follow();
  answers[0]?.(state("opening"));
  await vi.advanceTimersByTimeAsync(1000);
  expect(answers).toHaveLength(2);
  answers[1]?.(state("ready"));
  await vi.advanceTimersByTimeAsync(5000);
  expect(startup.ready).toBe(true);
  expect(answers).toHaveLength(2);
});
