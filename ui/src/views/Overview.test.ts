import { screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { show } from "../testing/page";
import Overview from "./Overview.svelte";

describe("the overview", () => {
  it("counts each level and says how every part is", async () => {
    show(Overview, {}, { contexts: 240 });
    expect(await screen.findByRole("link", { name: /^L1 Immediate 10 / })).toBeVisible();
    expect(await screen.findByText("The local model answers.")).toBeVisible();
  });

  it("names three ways to begin when nothing is stored, and stores the sample", async () => {
    const user = userEvent.setup();
    const fake = show(Overview, {}, { contexts: 0 });
    expect(await screen.findByText("Import a folder")).toBeVisible();
    expect(screen.getByText("Connect an agent")).toBeVisible();
    await user.click(screen.getByText("Try the sample workspace"));
    await waitFor(() => expect(location.hash).toMatch(/^#\/search\?query=/));
    const stored = fake.requests("store");
    expect(stored.length).toBeGreaterThan(20);
    expect(new Set(stored.map((request) => request.level)).size).toBe(3);
  });

  it("says what failed and tries again", async () => {
    const user = userEvent.setup();
    const fake = show(Overview, {}, { failing: true });
    expect(await screen.findByText(/disk I\/O error/)).toBeVisible();
    fake.options.failing = false;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("link", { name: /^L1 Immediate/ })).toBeVisible();
  });

  it("says that the sample is there and removes it", async () => {
    const user = userEvent.setup();
    const fake = show(Overview, {}, { contexts: 0 });
    await user.click(await screen.findByText("Try the sample workspace"));
    await user.click(await screen.findByRole("button", { name: "Remove the sample" }));
    await waitFor(() => expect(fake.requests("delete")[0]?.ids).toHaveLength(fake.requests("store").length));
    expect(await screen.findByText("The memory is empty. Three ways to begin")).toBeVisible();
  });
});
