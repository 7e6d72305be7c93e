import { screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { jobs } from "../features/host/jobs.svelte";
import { CommandFailure } from "../platform/platform";
import { outdated, queryClient } from "../shared/query";
import { toasts } from "../shared/toasts.svelte";
import { show } from "../testing/page";
import Sources from "./Sources.svelte";

const item = (name: string) => screen.findByRole("region", { name });

beforeEach(() => {
  queryClient.clear();
  toasts.reset();
  jobs.all = [];
});

describe("sources", () => {
  it("shows what each holds, what its last run did, and why one failed", async () => {
    show(Sources, {});
    const notes = within(await item("notes"));
    expect(notes.getByText("Up to date")).toBeVisible();
    expect(notes.getByText("/home/ada/notes")).toBeVisible();
    expect(notes.getByText("612")).toBeVisible();
    expect(notes.getByText("4 contexts new, 1 context changed, 2 contexts removed.")).toBeVisible();
    const archive = within(await item("archive"));
    expect(archive.getByText("Failed")).toBeVisible();
    // It is watched by looking for the same reason, which stands there once.
    expect(archive.getAllByText(/is not there; nothing was removed/)).toHaveLength(1);
  });

  it("names the files that could not be read", async () => {
    const user = userEvent.setup();
    const fake = show(Sources, {});
    await item("notes");
    const { sources } = await fake.call("sources", {});
    const [, notes] = sources;
    if (!notes?.last_run) throw new Error("notes were run");
    notes.last_run.failed = [{ path: "/home/ada/notes/a.pdf", line: null, code: "encrypted_file", message: "it asks for a password" }];
    notes.last_run.failed_total = 130;
    fake.answers.sources = () => ({ sources });
    outdated("sources");
    const shown = within(await item("notes"));
    await waitFor(() => expect(shown.getByText("130 problems")).toBeVisible());
    await user.click(shown.getByText(/could not be read; what they gave before stays/));
    expect(shown.getByText("/home/ada/notes/a.pdf")).toBeVisible();
    expect(shown.getByText("And 129 more.")).toBeVisible();
  });

  it("adds a folder that is chosen, with its rules, and says why one is refused", async () => {
    const user = userEvent.setup();
    const fake = show(Sources, {}, { contexts: 0 });
    expect(await screen.findByText("No sources yet")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Add a folder…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Add a source" }));
    await user.type(dialog.getByRole("textbox", { name: "Not these (optional)" }), "drafts/{Enter}*.tmp");
    fake.answers.source_add = () => {
      throw new CommandFailure({ code: "source_overlaps", message: "it overlaps with the source `all`" });
    };
    await user.click(dialog.getByRole("button", { name: "Add" }));
    expect(await dialog.findByRole("alert")).toHaveTextContent("It overlaps with the source `all`.");
    delete fake.answers.source_add;
    await user.click(dialog.getByRole("button", { name: "Add" }));
    expect(await item("notes")).toBeVisible();
    const added = fake.requests("source_add").at(-1);
    expect(added).toMatchObject({ path: "/home/ada/notes", name: null, watch: true });
    expect(added?.rules).toMatchObject({ exclude: ["drafts/", "*.tmp"], level: "LongTerm", doc_type: null });
    expect(fake.requests("source_run")).toEqual([]);
  });

  it("reads one now, and shows how far it is", async () => {
    const user = userEvent.setup();
    const fake = show(Sources, {});
    const stop = jobs.follow();
    await item("notes");
    await user.click(screen.getByRole("button", { name: "Read now: notes" }));
    expect(fake.requests("source_run")).toEqual([{ id: 2, emptied: false }]);
    expect(await screen.findByRole("progressbar", { name: "Sources" })).toBeVisible();
    expect(screen.getByRole("button", { name: "Read all now" })).toBeDisabled();
    fake.report({ id: "job-1", state: "done" });
    await waitFor(() => expect(screen.getByRole("button", { name: "Read all now" })).toBeEnabled());
    stop();
  });

  it("takes an emptied folder for what it is only when told", async () => {
    const user = userEvent.setup();
    const fake = show(Sources, {});
    await item("notes");
    const { sources } = await fake.call("sources", {});
    const run = sources[0]?.last_run;
    if (run) run.problem = { code: "source_emptied", message: "nothing is in it any more" };
    fake.answers.sources = () => ({ sources });
    outdated("sources");
    await user.click(await screen.findByRole("button", { name: "It is empty, take it so" }));
    expect(fake.requests("source_run")).toEqual([{ id: 1, emptied: true }]);
  });

  it.each([
    [["/home/ada/notes/disk"], "It is gone for good"],
    [["/home/ada/notes/disk", "/home/ada/notes/stick"], "All of these are gone for good"],
  ])("names the missing disks %j, and takes them for gone only when told", async (paths, name) => {
    const user = userEvent.setup();
    const fake = show(Sources, {});
    await item("notes");
    const { sources } = await fake.call("sources", {});
    const run = sources[1]?.last_run;
    if (!run) throw new Error("notes were run");
    run.failed = paths.map((path) => ({ path, line: null, code: "disk_gone", message: "a disk is not there" }));
    run.failed_total = paths.length;
    fake.answers.sources = () => ({ sources });
    outdated("sources");
    const button = await screen.findByRole("button", { name });
    const note = button.closest<HTMLElement>(".note");
    if (!note) throw new Error("the button stands beside what it is about");
    const named = within(note).getAllByRole("listitem");
    expect(named.map((disk) => disk.textContent)).toEqual(paths);
    expect(fake.requests("source_run")).toEqual([]);
    await user.click(button);
    expect(fake.requests("source_run")).toEqual([{ id: 2, emptied: true }]);
  });

  it("stops and begins to watch", async () => {
    const user = userEvent.setup();
    const fake = show(Sources, {});
    const watch = within(await item("notes")).getByRole("checkbox", { name: "Watch for changes" });
    expect(watch).toBeChecked();
    await user.click(watch);
    expect(fake.requests("source_change")).toEqual([{ id: 2, patch: { watch: false } }]);
    await waitFor(() => expect(watch).not.toBeChecked());
  });

  it("changes the rules of a source, takes some away, and tells what is wrong beside its field", async () => {
    const user = userEvent.setup();
    const fake = show(Sources, {});
    await item("notes");
    const before = { include: ["*.md"], exclude: ["drafts/"], doc_type: "note", agent: "ada" };
    await fake.call("source_change", { id: 2, patch: { rules: before } });
    outdated("sources");
    const notes = within(await item("notes"));
    expect(await notes.findByText("Rules: only *.md; not drafts/; as note; of ada")).toBeVisible();

    await user.click(notes.getByRole("button", { name: "Change notes…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Change notes" }));
    const only = dialog.getByRole("textbox", { name: "Only these (optional)" });
    expect(only).toHaveValue("*.md");
    expect(dialog.getByRole("textbox", { name: "Name" })).toHaveFocus();
    await user.clear(only);
    const not = dialog.getByRole("textbox", { name: "Not these (optional)" });
    await user.type(not, "{Enter}!*.tmp");
    await user.clear(dialog.getByRole("textbox", { name: "Kind of text (optional)" }));
    await user.click(dialog.getByRole("radio", { name: "L2 Short-term" }));
    await user.click(dialog.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(not).toBeInvalid());
    expect(not).toHaveAccessibleDescription(/exclude is "!\*.tmp"/i);

    await user.clear(not);
    await user.click(dialog.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    const rules = { include: [], exclude: [], level: "ShortTerm", doc_type: null, agent: "ada" };
    expect(fake.requests("source_change").at(-1)).toEqual({ id: 2, patch: { name: "notes", rules } });
    expect(await within(await item("notes")).findByText("Rules: into L2; of ada")).toBeVisible();
  });

  it("renames a source without choosing a level for it", async () => {
    const user = userEvent.setup();
    const fake = show(Sources, {});
    await user.click(within(await item("notes")).getByRole("button", { name: "Change notes…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Change notes" }));
    expect(dialog.getByRole("radio", { name: "L3 Long-term" })).toBeChecked();
    await user.type(dialog.getByRole("textbox", { name: "Name" }), "-old");
    await user.click(dialog.getByRole("button", { name: "Save" }));
    expect(await item("notes-old")).toBeVisible();
    expect(fake.requests("source_change").at(-1)?.patch.rules?.level).toBeNull();
  });

  it("does not give a source the name of another", async () => {
    const user = userEvent.setup();
    show(Sources, {});
    await user.click(within(await item("notes")).getByRole("button", { name: "Change notes…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Change notes" }));
    const name = dialog.getByRole("textbox", { name: "Name" });
    await user.clear(name);
    await user.type(name, "archive");
    await user.click(dialog.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(name).toBeInvalid());
    expect(name).toHaveAccessibleDescription(/another source is called `archive` already/i);
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(await item("notes")).toBeVisible();
  });

  it("removes a source with or without its contexts, and brings both back", async () => {
    const user = userEvent.setup();
    const fake = show(Sources, {});
    await item("notes");
    await user.click(screen.getByRole("button", { name: "Remove notes…" }));
    await user.click(await screen.findByRole("button", { name: "Delete contexts, too" }));
    await waitFor(() => expect(screen.queryByRole("region", { name: "notes" })).toBeNull());
    expect(fake.requests("source_remove")).toEqual([{ id: 2, leave: "nothing" }]);
    await toasts.undoLast();
    expect(await item("notes")).toBeVisible();
    expect(fake.requests("undo")).toHaveLength(1);
    await user.click(screen.getByRole("button", { name: "Remove notes…" }));
    await user.click(await screen.findByRole("button", { name: "Keep contexts" }));
    await waitFor(() => expect(screen.queryByRole("region", { name: "notes" })).toBeNull());
    await toasts.undoLast();
    expect(await item("notes")).toBeVisible();
    expect(fake.requests("undo")).toHaveLength(1);
  });

  it("says that the sources could not be read, and tries again", async () => {
    const user = userEvent.setup();
    const fake = show(Sources, {}, { failing: true });
    expect(await screen.findByText("The sources could not be read.")).toBeVisible();
    fake.options.failing = false;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await item("notes")).toBeVisible();
  });
});
