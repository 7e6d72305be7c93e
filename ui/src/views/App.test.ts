import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeAll, describe, expect, it } from "vitest";
import { newContext } from "../features/contexts/new-context.svelte";
import { show } from "../testing/page";
import { router } from "../shared/router.svelte";
import { toasts } from "../shared/toasts.svelte";
import App from "./App.svelte";
import { views } from "./views";

// Their code comes when it is needed; here it is there, as in a window that has been open for a moment.
beforeAll(async () => {
  await Promise.all(Object.values(views).map((view) => view()));
  await import("./Dialogs.svelte");
  await import("../features/host/NotOpen.svelte");
});

describe("the shell", () => {
  it("goes to a view through the command palette, by keyboard alone", async () => {
    const user = userEvent.setup();
    show(App, {});
    await screen.findByRole("heading", { name: "Overview" });
    await user.keyboard("{Control>}k{/Control}");
    const field = await screen.findByRole("combobox", { name: /command/i });
    await waitFor(() => expect(field).toHaveFocus());
    await user.keyboard("perfor{Enter}");
    expect(await screen.findByRole("heading", { name: "Performance" })).toBeVisible();
    await waitFor(() => expect(screen.queryByRole("combobox", { name: /command/i })).toBeNull());
  });

  it("searches the memory for words that are no command", async () => {
    const user = userEvent.setup();
    const fake = show(App, {});
    await screen.findByRole("heading", { name: "Overview" });
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await screen.findByRole("combobox", { name: /command/i }), "zero vector{Enter}");
    await waitFor(() => expect(fake.requests("search")[0]).toMatchObject({ query: "zero vector", explain: true }));
  });

  it("offers what views offer: earlier searches, copies, settings, an agent", async () => {
    const user = userEvent.setup();
    const fake = show(App, {});
    await screen.findByRole("heading", { name: "Overview" });
    await fake.call("search", { query: "zero vector", max_tokens: null, limit: null, levels: [], filter: { must: [], should: [], must_not: [] }, mode: "text", priority: "high", explain: true, exact: false });
    await user.keyboard("{Control>}k{/Control}");
    expect(await screen.findByRole("option", { name: "Search again: zero vector" })).toBeVisible();
    await user.type(await screen.findByRole("combobox", { name: /command/i }), "connect{Enter}");
    expect(await screen.findByRole("heading", { name: "Settings" })).toBeVisible();
    expect(router.param("tab")).toBe("agents");
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await screen.findByRole("combobox", { name: /command/i }), "back up{Enter}");
    await waitFor(() => expect(fake.requests("backup_start")).toHaveLength(1));
  });

  it("shows the shortcuts with ?, but not while someone types", async () => {
    const user = userEvent.setup();
    show(App, {});
    await screen.findByRole("heading", { name: "Overview" });
    await user.keyboard("?");
    expect(await screen.findByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await user.keyboard("/");
    await user.type(await screen.findByRole("textbox", { name: "Query" }), "why?");
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("can be used while the database opens, and shows everything as soon as it is open", async () => {
    const user = userEvent.setup();
    const fake = show(App, {}, { startup: "opening" });
    expect(await screen.findByRole("heading", { name: /opening the database/i })).toBeVisible();
    expect(fake.requests("list")).toEqual([]);
    await user.click(screen.getByRole("link", { name: "Settings" }));
    expect(await screen.findByRole("heading", { name: "Provider" })).toBeVisible();
    await user.click(screen.getByRole("link", { name: "Overview" }));
    fake.setStartup("ready");
    expect(await screen.findByRole("heading", { name: "Overview" })).toBeVisible();
  });

  it("explains a database that cannot be opened, and restores a backup", async () => {
    const user = userEvent.setup();
    const fake = show(App, {}, { startup: "failed" });
    expect(await screen.findByRole("alert")).toHaveTextContent(/schema version 9/);
    await user.click(screen.getByRole("button", { name: "Restore a backup…" }));
    const dialog = await screen.findByRole("dialog", { name: "Restore this backup?" });
    await user.click(within(dialog).getByRole("button", { name: "Restore" }));
    await waitFor(() => expect(fake.requests("restore")).toHaveLength(1));
    expect(await screen.findByRole("heading", { name: "Overview" })).toBeVisible();
  });

  it("tells in the dialog why a context was not stored, and keeps what was typed", async () => {
    const user = userEvent.setup();
    const fake = show(App, {});
    await screen.findByRole("heading", { name: "Overview" });
    await user.keyboard("n");
    const dialog = await screen.findByRole("dialog", { name: "Store a new context" });
    await user.type(within(dialog).getByRole("textbox", { name: "Text" }), "a thought");
    fake.options.failing = true;
    await user.click(within(dialog).getByRole("button", { name: "Store" }));
    expect(await within(dialog).findByRole("alert")).toHaveTextContent(/disk I\/O error/);
    expect(within(dialog).getByRole("textbox", { name: "Text" })).toHaveValue("a thought");
    fake.options.failing = false;
    await user.click(within(dialog).getByRole("button", { name: "Store" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  it("keeps a dialog open while a message above it is pressed", async () => {
    const user = userEvent.setup();
    show(App, {});
    await screen.findByRole("heading", { name: "Overview" });
    await user.keyboard("n");
    const dialog = await screen.findByRole("dialog", { name: "Store a new context" });
    toasts.show("info", "Import is done.");
    const dismiss = await screen.findByRole("button", { name: "Dismiss message" });
    await fireEvent.pointerDown(dismiss, { button: 0, clientX: 9, clientY: 9 });
    // The next press settles what the one before it meant.
    await user.click(within(dialog).getByRole("textbox", { name: "Text" }));
    expect(newContext.open).toBe(true);
    await fireEvent.click(dismiss);
    expect(screen.queryByText("Import is done.")).toBeNull();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  it("takes the keyboard to the messages and back, in a dialog as well", async () => {
    const user = userEvent.setup();
    show(App, {});
    await screen.findByRole("heading", { name: "Overview" });
    await user.keyboard("n");
    const dialog = await screen.findByRole("dialog", { name: "Store a new context" });
    const text = within(dialog).getByRole("textbox", { name: "Text" });
    text.focus();
    toasts.show("info", "Import is done.");
    const dismiss = await within(dialog).findByRole("button", { name: "Dismiss message" });
    await user.keyboard("{F6}");
    expect(dismiss).toHaveFocus();
    await user.keyboard("{F6}");
    expect(text).toHaveFocus();
    await user.keyboard("{F6}{Enter}");
    expect(screen.queryByText("Import is done.")).toBeNull();
    await waitFor(() => expect(text).toHaveFocus());
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  it("says what becomes of files that are held over the window, as long as they are", async () => {
    const fake = show(App, {});
    await screen.findByRole("heading", { name: "Overview" });
    fake.emit("dragged", { files: 2 });
    expect(await screen.findByText("Let go to choose 2 files or folders for import")).toBeVisible();
    fake.emit("dragged", { files: 0 });
    await waitFor(() => expect(screen.queryByText(/^Let go/)).toBeNull());
  });

  it("has the theme of the settings, and follows them when they are changed outside", async () => {
    const fake = show(App, {});
    await screen.findByRole("heading", { name: "Overview" });
    await fake.call("change_settings", { changes: [{ key: "appearance.theme", value: "dark" }] });
    fake.emit("settings", {});
    await waitFor(() => expect(document.documentElement.dataset.theme).toBe("dark"));
    await fake.call("change_settings", { changes: [{ key: "appearance.theme", value: "system" }] });
    fake.emit("settings", {});
    await waitFor(() => expect(document.documentElement.dataset.theme).toBe("light"));
  });

  it("tells of a panic and goes on", async () => {
    const user = userEvent.setup();
    const fake = show(App, {});
    await screen.findByRole("heading", { name: "Overview" });
    fake.emit("panic", { message: "the queue stopped" });
    const dialog = await screen.findByRole("dialog", { name: /something went wrong/i });
    expect(dialog).toHaveTextContent("the queue stopped");
    await user.click(within(dialog).getByRole("button", { name: "Continue" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  it("says that the server is gone, and shows nothing of it as if it held", async () => {
    const fake = show(App, {});
    const status = await screen.findByRole("contentinfo", { name: "Status" });
    expect(await within(status).findByText("Provider ready")).toBeVisible();
    fake.emit("connection", { state: "lost" });
    expect(await screen.findByRole("alert")).toHaveTextContent("The server does not answer");
    expect(status).toHaveTextContent("The server does not answer");
    expect(within(status).queryByText("Provider ready")).toBeNull();
    fake.emit("connection", { state: "connected" });
    expect(await within(status).findByText("Provider ready")).toBeVisible();
    expect(screen.queryByRole("alert")).toBeNull();
  });
});
