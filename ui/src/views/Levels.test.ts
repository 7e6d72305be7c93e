import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { deleteContexts } from "../features/contexts/actions";
import { contextsChanged } from "../features/contexts/changes.svelte";
import { listOrder } from "../features/contexts/order.svelte";
import { followHost } from "../features/host/live";
import { toasts } from "../shared/toasts.svelte";
import { show } from "../testing/page";
import Levels from "./Levels.svelte";

async function list(name: RegExp): Promise<HTMLElement> {
  return screen.findByRole("listbox", { name });
}

describe("the levels", () => {
  it("stand side by side, each with its number", async () => {
    show(Levels, {}, { contexts: 240 });
    expect(await list(/^L1 Immediate, 10 contexts/)).toBeVisible();
    expect(await list(/^L2 Short-term, 70 contexts/)).toBeVisible();
    expect(await list(/^L3 Long-term, 160 contexts/)).toBeVisible();
  });

  it("put only the rows in sight of 100,000 into the page", async () => {
    show(Levels, {}, { contexts: 100_000 });
    const rows = within(await list(/^L3 Long-term/)).getAllByRole("option");
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.length).toBeLessThan(60);
    expect(rows[0]).toHaveAttribute("aria-setsize", "66666");
  });

  it("show markup in a text as text", async () => {
    show(Levels, {}, { contexts: 240 });
    const rows = await list(/^L3/);
    expect(within(rows).getAllByText(/<script>alert\("no"\)<\/script>/)[0]).toBeVisible();
    expect(rows.querySelector("script, img")).toBeNull();
  });

  it("open the details with Enter: text, fate, neighbours", async () => {
    const user = userEvent.setup();
    show(Levels, {}, { contexts: 240 });
    (await list(/^L2/)).focus();
    await user.keyboard("{ArrowDown}{Enter}");
    const details = await screen.findByRole("complementary", { name: /details/i });
    expect(await within(details).findByText(/Expires 30 days after/)).toBeVisible();
    expect(within(details).getByText("Nearest contexts")).toBeVisible();
    expect(within(details).getByText(/all-MiniLM-L6-v2, 384 dimensions, norm 1.000/)).toBeVisible();
  });

  it("choose a stretch with Shift, move it, and undo that", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    const rows = within(await list(/^L1/)).getAllByRole("option");
    await fireEvent.click(rows[0]!);
    await fireEvent.click(rows[3]!, { shiftKey: true });
    const bar = await screen.findByRole("region", { name: "Selected contexts" });
    expect(bar).toHaveTextContent("4 contexts selected");
    await user.click(within(bar).getByRole("button", { name: "L3" }));
    await waitFor(() => expect(fake.requests("move_to")[0]).toMatchObject({ level: "LongTerm" }));
    expect(fake.requests("move_to")[0]?.ids).toHaveLength(4);
    expect(await list(/^L1 Immediate, 6 contexts/)).toBeVisible();
    await toasts.undoLast();
    expect(fake.requests("move_to")[1]).toMatchObject({ level: "Immediate" });
    expect(await list(/^L1 Immediate, 10 contexts/)).toBeVisible();
  });

  it("delete with the Delete key and bring back just what was deleted", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    (await list(/^L1/)).focus();
    await user.keyboard("{Delete}");
    expect(await list(/^L1 Immediate, 9 contexts/)).toBeVisible();
    await toasts.undoLast();
    expect(fake.requests("undo")).toEqual([{ ids: fake.requests("delete")[0]?.ids }]);
    expect(await list(/^L1 Immediate, 10 contexts/)).toBeVisible();
  });

  it("edit text and metadata, and send only what changed", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    await fireEvent.click(within(await list(/^L3/)).getAllByRole("option")[0]!);
    await user.click(await screen.findByRole("button", { name: "Edit" }));
    const value = screen.getByRole("textbox", { name: "Value 1" });
    await user.clear(value);
    await user.type(value, "storage");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(fake.requests("update")).toHaveLength(1));
    expect(fake.requests("update")[0]?.patch).toEqual({ metadata: { topic: "storage", line: 1 } });
    await toasts.undoLast();
    expect(fake.requests("update")[1]?.patch).toEqual({ metadata: { topic: "retrieval", line: 1 } });
  });

  it("filter inside the host, after a pause in typing", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    await list(/^L1/);
    await user.click(screen.getByRole("button", { name: "Filter" }));
    await user.type(screen.getByRole("textbox", { name: "Agent" }), "claude");
    await waitFor(() =>
      expect(fake.requests("list").at(-1)?.filter?.must).toContainEqual({ key: "agent", match: "claude" }),
    );
    expect(fake.requests("list").some((r) => r.filter?.must.some((c) => c.match === "cl"))).toBe(false);
  });

  it("sort by what is chosen from the keyboard, and remember it", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    await list(/^L3/);
    await user.selectOptions(screen.getByRole("combobox", { name: "Order" }), "Most used");
    await waitFor(() => expect(fake.requests("list").at(-1)?.order).toBe("most_used"));
    const first = async (): Promise<HTMLElement> => within(await list(/^L3/)).getAllByRole("option")[0]!;
    await waitFor(async () => expect(await first()).toHaveTextContent("used 12×"));
    vi.resetModules();
    const { listOrder: afterwards } = await import("../features/contexts/order.svelte");
    expect(afterwards.choice).toBe("most_used");
    await user.selectOptions(screen.getByRole("combobox", { name: "Order" }), "Recently changed");
    await waitFor(async () => expect(await first()).toHaveTextContent(/changed/));
    listOrder.choice = "newest_first";
  });

  it("look words up without a search that is kept", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    await list(/^L1/);
    await user.type(screen.getByRole("searchbox", { name: "Words in the text" }), "kettle");
    expect(await screen.findByRole("region", { name: "Matches of kettle" })).toBeVisible();
    await waitFor(() => expect(fake.requests("look_up").at(-1)).toMatchObject({ query: "kettle", explain: false }));
    expect(fake.requests("search")).toEqual([]);
    expect(screen.getByRole("combobox", { name: "Order" })).toBeDisabled();
  });

  it("look words up again when what they matched was deleted", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    await list(/^L1/);
    await user.type(screen.getByRole("searchbox", { name: "Words in the text" }), "kettle");
    const matches = await screen.findByRole("region", { name: "Matches of kettle" });
    const before = (await within(matches).findAllByRole("listitem")).length;
    const found = await fake.call("look_up", fake.requests("look_up").at(-1)!);
    await deleteContexts([found.contexts[0]!.id]);
    await waitFor(() => expect(within(matches).getAllByRole("listitem")).not.toHaveLength(before));
  });

  it("say what to do next when a level is empty", async () => {
    show(Levels, {}, { contexts: 0 });
    expect(await screen.findByText("Nothing in L1 yet")).toBeVisible();
    expect(screen.getAllByRole("link", { name: "Import a folder" })[0]).toHaveAttribute("href", "#/import");
  });

  it("say why a level could not be read, and try again", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { failing: true });
    expect(await screen.findByText("L1 could not be read.")).toBeVisible();
    fake.options.failing = false;
    await user.click(screen.getAllByRole("button", { name: "Try again" })[0]!);
    expect(await list(/^L1/)).toBeVisible();
  });

  it("keep what they show when reading again fails, say so, and try again", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    const rows = await list(/^L1/);
    fake.options.failing = true;
    contextsChanged();
    expect(await screen.findByText(/^L1 could not be read again\. .*disk I\/O error/)).toBeVisible();
    expect(within(rows).getAllByRole("option")).not.toHaveLength(0);
    fake.options.failing = false;
    await user.click(screen.getAllByRole("button", { name: "Try again" })[0]!);
    await waitFor(() => expect(screen.queryByText(/^L1 could not be read again/)).toBeNull());
  });

  it("read again after a search where they stand in the order of use", async () => {
    const fake = show(Levels, {}, { contexts: 240 });
    const stop = followHost();
    await list(/^L1/);
    const search = (): void =>
      fake.emit("activity", { at: "2026-11-22T08:00:00Z", kind: "searched", summary: "", ids: [], trace_id: null });
    const asked = fake.requests("list").length;
    search();
    listOrder.choice = "most_used";
    await waitFor(() => expect(fake.requests("list")).toHaveLength(asked + 3));
    search();
    await waitFor(() => expect(fake.requests("list")).toHaveLength(asked + 6), { timeout: 20_000 });
    listOrder.choice = "newest_first";
    stop();
  });

  it("tell which searches returned a context", async () => {
    show(Levels, {}, { contexts: 240 });
    await fireEvent.click(within(await list(/^L3/)).getAllByRole("option")[0]!);
    const details = await screen.findByRole("complementary", { name: /details/i });
    const search = await within(details).findByRole("link", { name: "zero vector" });
    expect(search).toHaveAttribute("href", expect.stringMatching(/^#\/search\?trace=/));
  });

  it("choose one by one with the boxes, and open none", async () => {
    show(Levels, {}, { contexts: 240 });
    const rows = within(await list(/^L1/)).getAllByRole("option");
    await fireEvent.click(rows[1]!.querySelector("[title^=Select]")!);
    await fireEvent.click(rows[4]!.querySelector("[title^=Select]")!);
    expect(await screen.findByText("2 contexts selected")).toBeVisible();
    expect(screen.queryByRole("complementary", { name: /details/i })).toBeNull();
  });

  it("choose everything with Ctrl A, and delete it", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    (await list(/^L2/)).focus();
    await user.keyboard("{Control>}a{/Control}");
    expect(await screen.findByText("70 contexts selected")).toBeVisible();
    await user.keyboard("{Delete}");
    await waitFor(() => expect(fake.requests("delete")[0]?.ids).toHaveLength(70));
    expect(await screen.findByText("Nothing in L2 yet")).toBeVisible();
  });

  it("empty a level only after a question, and bring it back", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    await list(/^L2/);
    await user.click(screen.getByRole("button", { name: "Delete all of L2…" }));
    const dialog = await screen.findByRole("dialog", { name: "Delete all of L2?" });
    await waitFor(() => expect(within(dialog).getByRole("button", { name: "Cancel" })).toHaveFocus());
    expect(fake.requests("clear")).toEqual([]);
    await user.click(within(dialog).getByRole("button", { name: "Delete all of L2" }));
    expect(await screen.findByText("Nothing in L2 yet")).toBeVisible();
    await toasts.undoLast();
    expect(await list(/^L2 Short-term, 70 contexts/)).toBeVisible();
  });

  it("list what was deleted, and bring it back", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    (await list(/^L1/)).focus();
    await user.keyboard("{Delete}");
    await list(/^L1 Immediate, 9 contexts/);
    await user.click(screen.getByRole("radio", { name: "Deleted" }));
    const row = within(await list(/^Deleted contexts, 1 context/)).getByRole("option");
    await fireEvent.click(row);
    const details = await screen.findByRole("complementary", { name: /details/i });
    await user.click(await within(details).findByRole("button", { name: "Bring it back" }));
    expect(await screen.findByText("Nothing was deleted")).toBeVisible();
    expect(fake.requests("undo")).toEqual([{ ids: fake.requests("delete")[0]?.ids }]);
  });

  it("give the focus back to the list when the details close", async () => {
    const user = userEvent.setup();
    show(Levels, {}, { contexts: 240 });
    const rows = await list(/^L2/);
    rows.focus();
    await user.keyboard("{Enter}");
    await user.click(await screen.findByRole("button", { name: "Close details" }));
    await waitFor(() => expect(rows).toHaveFocus());
  });

  it("open an address outside only after showing it whole", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 0 });
    const note = { text: "from the web", level: "ShortTerm", agent: null, session: null, metadata: {} } as const;
    fake.memory.add({ ...note, source: "https://example.org/a?b=c" });
    fake.memory.add({ ...note, source: "javascript:alert(1)" });
    contextsChanged();
    const [local, web] = within(await list(/^L2/)).getAllByRole("option");
    await fireEvent.click(local!);
    expect(await screen.findByText("javascript:alert(1)")).toBeVisible();
    expect(screen.queryByRole("button", { name: /Open the address/ })).toBeNull();
    await fireEvent.click(web!);
    await user.click(await screen.findByRole("button", { name: /Open the address/ }));
    const dialog = await screen.findByRole("dialog", { name: /Open this address/ });
    expect(dialog).toHaveTextContent("https://example.org/a?b=c");
    expect(fake.requests("open_link")).toEqual([]);
    await user.click(within(dialog).getByRole("button", { name: "Open example.org" }));
    expect(fake.requests("open_link")).toEqual([{ url: "https://example.org/a?b=c" }]);
  });

  it("list what shares a session", async () => {
    const user = userEvent.setup();
    const fake = show(Levels, {}, { contexts: 240 });
    await fireEvent.click(within(await list(/^L3/)).getAllByRole("option")[0]!);
    await user.click(await screen.findByRole("button", { name: "List only this session" }));
    await waitFor(() =>
      expect(fake.requests("list").at(-1)?.filter?.must).toContainEqual({ key: "session", match: "session-1" }),
    );
  });
});
