import { screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { contextsChanged } from "../features/contexts/changes.svelte";
import { jobs } from "../features/host/jobs.svelte";
import { router } from "../shared/router.svelte";
import { show } from "../testing/page";
import Overview from "./Overview.svelte";

beforeEach(() => {
  jobs.all = [];
});

describe("the overview", () => {
  it("counts each level and says how every part is", async () => {
    show(Overview, {}, { contexts: 240 });
    expect(await screen.findByRole("link", { name: /^L1 Immediate 10 / })).toBeVisible();
    expect(await screen.findByText("The local model answers.")).toBeVisible();
  });

  it("names three ways to begin when nothing is stored, and imports the sample", async () => {
    const user = userEvent.setup();
    const fake = show(Overview, {}, { contexts: 0 });
    expect(await screen.findByText("Import a folder")).toBeVisible();
    expect(screen.getByRole("link", { name: /^Connect an agent Let/ })).toHaveAttribute("href", "#/settings?tab=agents");
    const stop = jobs.follow();
    await user.click(screen.getByText("Try the sample workspace"));
    expect(await screen.findByText("Importing the sample…")).toBeVisible();
    expect(fake.requests("sample_start")).toHaveLength(1);
    await waitFor(() => expect(jobs.find("job-1")).toBeDefined());
    fake.report({ id: "job-1", state: "done" });
    await waitFor(() => expect(location.hash).toMatch(/^#\/search\?query=/));
    stop();
  });

  it("keeps the progress of the sample in sight, and the focus on what was pressed", async () => {
    const user = userEvent.setup();
    const fake = show(Overview, {}, { contexts: 0 });
    const stop = jobs.follow();
    const button = await screen.findByRole("button", { name: /Try the sample workspace/ });
    await user.click(button);
    await waitFor(() => expect(jobs.find("job-1")).toBeDefined());
    contextsChanged();
    expect(await screen.findByRole("link", { name: /^L3 Long-term 60 / })).toBeVisible();
    expect(button).toHaveFocus();
    expect(button).toHaveTextContent("Reading the files");
    fake.report({ id: "job-1", state: "cancelled" });
    expect(await screen.findByRole("button", { name: "Remove the sample" })).toBeEnabled();
    stop();
  });

  it("tells of the sample while other work goes on", async () => {
    const fake = show(Overview, {}, { contexts: 3 });
    fake.memory.add({ text: "A note", level: "LongTerm", agent: "sample", session: "sample" });
    const stop = jobs.follow();
    await fake.call("reembed_start", { model: null } as never);
    await jobs.refresh();
    expect(jobs.running).toHaveLength(1);
    expect(await screen.findByRole("button", { name: "Remove the sample" })).toBeEnabled();
    stop();
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
    const stop = jobs.follow();
    await user.click(await screen.findByText("Try the sample workspace"));
    await waitFor(() => expect(jobs.find("job-1")).toBeDefined());
    fake.report({ id: "job-1", state: "done" });
    router.go("overview");
    await user.click(await screen.findByRole("button", { name: "Remove the sample" }));
    await waitFor(() => expect(fake.requests("delete")[0]?.ids).toHaveLength(60));
    expect(await screen.findByText("The memory is empty. Three ways to begin")).toBeVisible();
    stop();
  });
});
