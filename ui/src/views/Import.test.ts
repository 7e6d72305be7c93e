import { screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { draft } from "../features/importing/draft.svelte";
import { jobs } from "../features/host/jobs.svelte";
import { show } from "../testing/page";
import Import from "./Import.svelte";

describe("an import", () => {
  beforeEach(() => {
    draft.clear();
    jobs.all = [];
  });

  it("shows what will be read and what not, before it starts", async () => {
    const fake = show(Import, {});
    fake.emit("dropped", { paths: ["/home/ada/notes"] });
    expect(await screen.findByText("/home/ada/notes/retrieval.md")).toBeVisible();
    expect(screen.getByText("2 files will be skipped")).toBeVisible();
    expect(fake.requests("import_start")).toEqual([]);
  });

  it("starts with the options, shows rate and time left, and can be cancelled", async () => {
    const user = userEvent.setup();
    const fake = show(Import, {});
    const stop = jobs.follow();
    await user.click(screen.getByRole("button", { name: "Choose a folder…" }));
    await user.type(await screen.findByRole("textbox", { name: /Agent/ }), "ada");
    await user.click(screen.getByRole("radio", { name: "L2 Short-term" }));
    await user.click(await screen.findByRole("button", { name: "Import 4 files" }));
    expect(fake.requests("import_start")).toEqual([
      { paths: ["/home/ada/notes"], format: "auto", level: "ShortTerm", agent: "ada", session: null },
    ]);
    fake.report({
      id: "job-1",
      progress: { done: 320, total: 1280, unit: "contexts", rate_per_s: 160, seconds_left: 6, text: "notes/a.md" },
    });
    expect(await screen.findByText(/320 of 1,280 contexts, 160 a second, 6 s left/)).toBeVisible();
    expect(screen.getByRole("progressbar", { name: "Import" })).toHaveAttribute("aria-valuenow", "25");
    await user.click(screen.getByRole("button", { name: "Cancel the import" }));
    expect(fake.requests("job_cancel")).toEqual([{ job: "job-1" }]);
    stop();
  });

  it("names every file that failed or was skipped, and why", async () => {
    const user = userEvent.setup();
    const fake = show(Import, {});
    const stop = jobs.follow();
    await user.click(screen.getByRole("button", { name: "Choose a folder…" }));
    await user.click(await screen.findByRole("button", { name: "Import 4 files" }));
    await waitFor(() => expect(jobs.find("job-1")).toBeDefined());
    fake.report({
      id: "job-1",
      state: "done",
      result: {
        files: 3, contexts: 90, imported: 90, updated: 0, unchanged: 0, removed: 0, pending: 2, cancelled: false,
        failed: [{ path: "/n/broken.jsonl", line: 12, code: "invalid_text", message: "line 12 is not JSON" }],
        skipped: [{ path: "/n/photo.png", reason: "binary" }],
        warnings: [],
        untold: [{ path: "/n/broken.jsonl", failed: 999_900, warnings: 0 }],
      },
    });
    expect(await screen.findByText("/n/broken.jsonl, line 12")).toBeVisible();
    expect(screen.getByText("line 12 is not JSON")).toBeVisible();
    expect(screen.getByText("/n/photo.png")).toBeVisible();
    expect(screen.getByText("999,901 failures, 0 warnings, 1 skipped file")).toBeVisible();
    expect(screen.getByText("999,900 failures and 0 warnings more in this file.")).toBeVisible();
    stop();
  });

  it("says why the files could not be looked at", async () => {
    const fake = show(Import, {}, { failing: true });
    fake.emit("dropped", { paths: ["/home/ada/notes"] });
    expect(await screen.findByText("The files could not be looked at.")).toBeVisible();
  });
});
