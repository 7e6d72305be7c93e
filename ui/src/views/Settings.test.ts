import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { jobs } from "../features/host/jobs.svelte";
import { startup } from "../features/host/startup.svelte";
import { outdated, queryClient } from "../shared/query";
import { router } from "../shared/router.svelte";
import { toasts } from "../shared/toasts.svelte";
import { show } from "../testing/page";
import Settings from "./Settings.svelte";

const secret = "sk-very-secret-1234567890";

describe("the token", () => {
  it("goes to the host once and stays nowhere in the page", async () => {
    const user = userEvent.setup();
    router.go("settings", { tab: "tokens" });
    const fake = show(Settings, {});
    const panel = within(await screen.findByRole("region", { name: "Embedding endpoint" }));
    const field = await panel.findByLabelText<HTMLInputElement>("Token");
    expect(field).toHaveAttribute("type", "password");
    await user.type(field, secret);
    await user.click(panel.getByRole("button", { name: "Keep in the keyring" }));
    expect(await panel.findByText("…7890")).toBeVisible();
    expect(fake.requests("token_set")).toEqual([{ kind: "embedding", token: secret, keep: "keyring" }]);
    expect(field.value).toBe("");
    const kept = JSON.stringify([
      document.documentElement.outerHTML,
      { ...localStorage },
      { ...sessionStorage },
      queryClient.getQueryCache().getAll().map((query) => [query.queryKey, query.state.data]),
      toasts.items,
    ]);
    expect(kept).not.toContain(secret);
  });

  it("is cleared from the field even when the host refuses it, with the reason", async () => {
    const user = userEvent.setup();
    router.go("settings", { tab: "tokens" });
    show(Settings, {});
    const panel = within(await screen.findByRole("region", { name: "Embedding endpoint" }));
    const field = await panel.findByLabelText<HTMLInputElement>("Token");
    await user.type(field, ` ${secret}`);
    await user.click(panel.getByRole("button", { name: "Keep in the keyring" }));
    expect(await panel.findByRole("alert")).toHaveTextContent(/starts or ends with a space/);
    expect(field.value).toBe("");
  });

  it("is kept for this run only where no keyring runs, and the page says so", async () => {
    const user = userEvent.setup();
    router.go("settings", { tab: "tokens" });
    const fake = show(Settings, {}, { keyring: "absent" });
    const panel = within(await screen.findByRole("region", { name: "Embedding endpoint" }));
    const said = await panel.findByText(/^No keyring runs here: no Secret Service answers on the session bus\. A token/);
    expect(said).toBeVisible();
    expect(panel.queryByRole("button", { name: "Keep in the keyring" })).toBeNull();
    await user.type(panel.getByLabelText("Token"), `${secret}{Enter}`);
    await waitFor(() => expect(fake.requests("token_set")[0]?.keep).toBe("this_run"));
  });
});

describe("the settings", () => {
  it("mark the bad key of a settings file, and where it is corrected", async () => {
    const user = userEvent.setup();
    router.go("settings");
    show(Settings, {}, { brokenSettings: true });
    expect(await screen.findByText(/circuit_breaker.failure_threshold is 0/)).toBeVisible();
    await user.click(await screen.findByRole("link", { name: "Resilience" }));
    router.go("settings", { tab: "resilience" });
    const field = await screen.findByRole("spinbutton", { name: "Opens after" });
    await waitFor(() => expect(field).toBeInvalid());
    await fireEvent.input(field, { target: { value: "4" } });
    await waitFor(() => expect(field).toBeValid());
  });

  it("test the endpoint that is typed, before it is applied", async () => {
    const user = userEvent.setup();
    router.go("settings");
    const fake = show(Settings, {});
    await fireEvent.change(await screen.findByRole("combobox", { name: "Provider" }), { target: { value: "http" } });
    await user.type(screen.getByRole("textbox", { name: "Endpoint" }), "http://127.0.0.1:9/v1");
    await user.type(screen.getByRole("textbox", { name: "Model" }), "small");
    await user.click(screen.getByRole("button", { name: "Test what is typed below" }));
    expect(fake.requests("test_provider")).toEqual([{ api_url: "http://127.0.0.1:9/v1", model: "small" }]);
    expect(fake.requests("change_settings")).toEqual([]);
  });

  it("say when a change needs a restart", async () => {
    router.go("settings", { tab: "levels" });
    const fake = show(Settings, {});
    const usual = await fake.call("settings", {});
    fake.answers.change_settings = () => ({ ...usual, restart_needed: ["hirag.l1_size"] });
    await fireEvent.input(await screen.findByRole("spinbutton", { name: "Size of L1" }), { target: { value: "50" } });
    const apply = within(screen.getByRole("region", { name: "Sizes and lifetimes" })).getByRole("button", { name: "Apply" });
    await waitFor(() => expect(apply).toBeEnabled());
    await fireEvent.click(apply);
    await waitFor(() =>
      expect(toasts.items.map((t) => t.text)).toContain("Restart the app to apply hirag.l1_size."),
    );
  });

  it("show what the clean-up would do before it can be done", async () => {
    const user = userEvent.setup();
    router.go("settings", { tab: "levels" });
    const fake = show(Settings, {});
    const stop = startup.follow();
    expect(await screen.findByRole("button", { name: "Do it now" })).toBeDisabled();
    await waitFor(() => expect(screen.getByRole("button", { name: "What would it do?" })).toBeEnabled());
    await user.click(screen.getByRole("button", { name: "What would it do?" }));
    expect(await screen.findByText("Promoted from L2 to L3: 1")).toBeVisible();
    expect(fake.requests("clean_up")).toEqual([{ dry_run: true }]);
    await user.click(screen.getByRole("button", { name: "Do it now" }));
    expect(fake.requests("clean_up")).toHaveLength(2);
    stop();
  });
});

describe("the server", () => {
  it("says where it listens and gives a link for a browser, which works once", async () => {
    const user = userEvent.setup();
    const written = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    router.go("settings", { tab: "server" });
    const fake = show(Settings, {});
    expect(await screen.findByText("http://127.0.0.1:8080")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Copy a link for a browser" }));
    await waitFor(() => expect(written).toHaveBeenCalledWith("http://127.0.0.1:8080/open?key=9fK2"));
    await user.click(screen.getByRole("button", { name: "Open in a browser" }));
    await waitFor(() => expect(fake.requests("open_link")).toEqual([{ url: "http://127.0.0.1:8080/open?key=9fK2" }]));
    written.mockRestore();
  });

  it("says why it does not listen where other machines would reach it", async () => {
    router.go("settings", { tab: "server" });
    const fake = show(Settings, {});
    await screen.findByText("http://127.0.0.1:8080");
    fake.config.server.host = "0.0.0.0";
    outdated("server");
    expect(await screen.findByRole("alert")).toHaveTextContent(/0\.0\.0\.0.*server\.allow_remote/);
    expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
  });

  it("shows a new token this once, and it stays nowhere in the page", async () => {
    const user = userEvent.setup();
    router.go("settings", { tab: "server" });
    const fake = show(Settings, {});
    expect(await screen.findByText("…x9Qw")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Replace the token…" }));
    expect(fake.requests("server_token_replace")).toEqual([]);
    await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Replace" }));
    const shown = await screen.findByRole("dialog", { name: "The new token" });
    expect(shown).toHaveTextContent("Zt4cJ0mB8yW1qvE5nRk2uLd7sHa3pXo6iGf9TbNe-Kw");
    await user.click(within(shown).getByRole("button", { name: "Done" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(document.documentElement.innerHTML).not.toContain("Zt4cJ0mB8yW1");
    expect(await screen.findByText("…e-Kw")).toBeVisible();
  });
});

describe("agents", () => {
  it("get the configuration of their program, to copy", async () => {
    const user = userEvent.setup();
    const written = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    router.go("settings", { tab: "agents" });
    show(Settings, {});
    await user.selectOptions(await screen.findByRole("combobox", { name: "Agent" }), "Codex");
    expect(screen.getByText("~/.codex/config.toml")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Copy: Configuration for Codex" }));
    expect(written).toHaveBeenCalledWith(expect.stringContaining("[mcp_servers.hirag]"));
    written.mockRestore();
  });
});

describe("the appearance", () => {
  it("is a setting, and as it was where it cannot be written", async () => {
    const user = userEvent.setup();
    router.go("settings", { tab: "appearance" });
    const fake = show(Settings, {});
    await user.click(await screen.findByRole("radio", { name: "Dark" }));
    expect(document.documentElement.dataset.theme).toBe("dark");
    expect(fake.requests("change_settings")).toEqual([{ changes: [{ key: "appearance.theme", value: "dark" }] }]);
    fake.answers.change_settings = () => Promise.reject(new Error("the settings file cannot be written"));
    await user.click(screen.getByRole("radio", { name: "Same as the system" }));
    await waitFor(() => expect(document.documentElement.dataset.theme).toBe("dark"));
    expect(toasts.items.at(-1)?.text).toBe("the settings file cannot be written");
  });
});

describe("moving the memory", () => {
  it("copies it into a folder and tells how to start there", async () => {
    const user = userEvent.setup();
    router.go("settings", { tab: "storage" });
    const fake = show(Settings, {});
    onTestFinished(jobs.follow());
    startup.state = fake.startup();
    fake.answers.pick_paths = () => ({ paths: ["/mnt/ada's disk"] });
    await user.click(await screen.findByRole("button", { name: "Copy to another folder…" }));
    expect(fake.requests("backup_start")).toEqual([{ file: "/mnt/ada's disk/hirag.db" }]);
    expect(await screen.findByRole("heading", { name: "Backup is running" })).toBeVisible();
    expect(screen.getByRole("button", { name: "Cancel the backup" })).toBeEnabled();
    expect(screen.queryByText(/--data-dir/)).toBeNull();
    fake.report({ id: "job-1", state: "done" });
    expect(await screen.findByText("hirag-studio --data-dir '/mnt/ada'\\''s disk'")).toBeVisible();
  });
});
