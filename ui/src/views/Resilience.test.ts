import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { connect } from "../platform/platform";
import { toasts } from "../shared/toasts.svelte";
import { FakePlatform } from "../testing/fake";
import { show } from "../testing/page";
import Resilience from "./Resilience.svelte";

describe("resilience", () => {
  it("says what an open breaker means, and closes it", async () => {
    const user = userEvent.setup();
    const fake = show(Resilience, {}, { breaker: "open" });
    expect(await screen.findByRole("img", { name: /^The breaker is open\./ })).toBeVisible();
    expect(screen.getAllByText(/The next probe is let through in 21 s/)[0]).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Close it now" }));
    expect(fake.requests("breaker_reset")).toHaveLength(1);
    expect(await screen.findByRole("img", { name: /^The breaker is closed\./ })).toBeVisible();
  });

  it("shows the breaker of answers beside it, once somebody words them, and closes that alone", async () => {
    const user = userEvent.setup();
    const fake = new FakePlatform({ breaker: "open" });
    fake.config.chat.provider = "openai-compatible";
    connect(fake);
    render(Resilience, {});
    const panel = await screen.findByRole("region", { name: "Breaker of answers" });
    expect(within(panel).getByText(/answers are the best passages/)).toBeVisible();
    await user.click(within(panel).getByRole("button", { name: "Close it now" }));
    expect(fake.requests("breaker_reset")).toEqual([{ of: "chat" }]);
    expect(await within(panel).findByRole("img", { name: /^The breaker is closed\./ })).toBeVisible();
    const other = screen.getByRole("region", { name: "Breaker now" });
    expect(within(other).getByRole("img", { name: /^The breaker is open\./ })).toBeVisible();
  });

  it("checks a setting as one types, names the problem, and applies only what is valid", async () => {
    const fake = show(Resilience, {});
    const field = await screen.findByRole("spinbutton", { name: "Opens after" });
    const panel = screen.getByRole("region", { name: "Breaker" });
    await fireEvent.input(field, { target: { value: "0" } });
    expect(await within(panel).findByText(/it must be 1 to 10000/)).toBeVisible();
    expect(field).toBeInvalid();
    expect(within(panel).getByRole("button", { name: "Apply" })).toBeDisabled();
    await fireEvent.input(field, { target: { value: "3" } });
    await waitFor(() => expect(within(panel).getByRole("button", { name: "Apply" })).toBeEnabled());
    await fireEvent.click(within(panel).getByRole("button", { name: "Apply" }));
    await waitFor(() => expect(fake.config.circuit_breaker.failure_threshold).toBe(3));
    expect(fake.requests("change_settings")).toEqual([
      { changes: [{ key: "circuit_breaker.failure_threshold", value: 3 }] },
    ]);
    expect(await within(panel).findByText("Default: 5.")).toBeVisible();
    await fireEvent.click(within(panel).getByRole("button", { name: "Back to default" }));
    await waitFor(() => expect(fake.config.circuit_breaker.failure_threshold).toBe(5));
    expect(fake.requests("change_settings").at(-1)).toEqual({
      changes: [{ key: "circuit_breaker.failure_threshold", value: null }],
    });
    await toasts.undoLast();
    expect(fake.config.circuit_breaker.failure_threshold).toBe(3);
  });

  it("runs a drill for the chosen time and ends it", async () => {
    const user = userEvent.setup();
    const fake = show(Resilience, {});
    await user.click(await screen.findByRole("radio", { name: "429" }));
    const seconds = screen.getByRole("spinbutton", { name: "Seconds" });
    await fireEvent.input(seconds, { target: { value: "500" } });
    expect(screen.getByRole("button", { name: "Start the drill" })).toBeDisabled();
    await fireEvent.input(seconds, { target: { value: "60" } });
    await user.click(screen.getByRole("button", { name: "Start the drill" }));
    expect(fake.requests("drill_start")).toEqual([{ fault: "too_many_requests", seconds: 60 }]);
    await user.click(await screen.findByRole("button", { name: "End the drill now" }));
    expect(fake.requests("drill_stop")).toHaveLength(1);
  });

  it("pauses embedding", async () => {
    const user = userEvent.setup();
    const fake = show(Resilience, {});
    await user.click(await screen.findByRole("button", { name: "Pause embedding" }));
    expect(fake.requests("pause_embedding")).toEqual([{ paused: true }]);
    expect(await screen.findByRole("button", { name: "Resume embedding" })).toBeVisible();
  });

  it("says why it cannot be shown", async () => {
    show(Resilience, {}, { failing: true });
    expect(await screen.findByText("The state could not be read.")).toBeVisible();
  });

  it("lets a drill be watched: searches fall back to words, and the queue is drawn", async () => {
    const user = userEvent.setup();
    const fake = show(Resilience, {}, { live: true });
    await user.click(await screen.findByRole("button", { name: "Start the drill" }));
    await user.click(await screen.findByRole("checkbox", { name: "Search once a second" }));
    expect(await screen.findByText(/The last search went by words alone/)).toBeVisible();
    expect(fake.requests("search")[0]).toMatchObject({ explain: true, limit: 1 });
    await user.click(screen.getByRole("button", { name: "Store a note" }));
    await waitFor(() => expect(fake.requests("store")[0]?.agent).toBe("drill"));
    expect(await screen.findByRole("img", { name: /at most \d+ contexts waited/ }, { timeout: 5000 })).toBeVisible();
  });

  it("counts each client: allowed, limited, remaining", async () => {
    show(Resilience, {});
    const table = within(await screen.findByRole("region", { name: "Clients" })).getByRole("table");
    expect(within(table).getByRole("row", { name: /^claude 400 12 none$/ })).toBeVisible();
  });
});
