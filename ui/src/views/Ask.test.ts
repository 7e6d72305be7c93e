import { screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { asking } from "../features/asking/asking.svelte";
import { CommandFailure } from "../platform/platform";
import { queryClient } from "../shared/query";
import { toasts } from "../shared/toasts.svelte";
import { show } from "../testing/page";
import Ask from "./Ask.svelte";

const question = () => screen.getByRole("textbox", { name: "Question" });

beforeEach(() => {
  queryClient.clear();
  asking.begin();
  asking.question = "";
});

describe("asking", () => {
  it("shows passages with sources that open, and says that nobody worded them", async () => {
    const user = userEvent.setup();
    const fake = show(Ask, {});
    expect(await screen.findByText("Ask the memory a question")).toBeVisible();
    await user.type(question(), "who keeps the key?{Enter}");
    const answer = await screen.findByRole("article", { name: "Question 1" });
    expect(within(answer).getByText(/Nobody worded this answer/)).toBeVisible();
    const sources = within(answer).getByRole("list", { name: "Sources" });
    const [first] = within(sources).getAllByRole("link");
    expect(first).toHaveAttribute("href", `#/levels?id=${fake.memory.at(0).id}`);
    expect(question()).toHaveValue("");
  });

  it("shows an answer as text while it comes, with what was left out, and what was taken out of it", async () => {
    const user = userEvent.setup();
    const fake = show(Ask, {});
    fake.answers.ask_start = () => ({});
    await user.type(question(), "why?{Enter}");
    await waitFor(() => expect(fake.requests("ask_start")).toHaveLength(1));
    const { name } = fake.requests("ask_start")[0] as { name: string };
    const budget = { window: 8192, answer: 1024, rules: 130, question: 14, history: 0, margin: 409, sources: 4000, used: 3990 };
    const id = fake.memory.at(3).id;
    const leftOut = { id, source: "long.md", title: null, section: null, tokens: 900 };
    fake.emit("answer", { name, event: "found", data: { sources: [], left_out: [leftOut], budget } });
    fake.emit("answer", { name, event: "begun", data: { kind: "worded", problem: null, cached: false } });
    fake.emit("answer", { name, event: "text", data: "<img src=x> is" });
    fake.emit("answer", { name, event: "text", data: " text" });
    fake.emit("answer", { name: "another", event: "text", data: " of others" });
    expect(await screen.findByText("<img src=x> is text")).toBeVisible();
    expect(document.querySelector("article img")).toBeNull();
    expect(screen.getByText("1 context left out, as there was no room")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Stop" }));
    expect(fake.requests("ask_stop")).toEqual([{ name }]);
    expect(screen.getByText(/Nothing is kept of this answer/)).toBeVisible();
    fake.emit("answer", { name, event: "text", data: " too late" });
    expect(screen.getByText("<img src=x> is text")).toBeVisible();
  });

  it("keeps what one thinks of an answer, with the reason, and takes it back", async () => {
    const user = userEvent.setup();
    const fake = show(Ask, {});
    await user.type(question(), "who keeps the key?{Enter}");
    await user.click(await screen.findByRole("button", { name: "Not useful" }));
    expect(screen.getByRole("button", { name: "Not useful" })).toHaveAttribute("aria-pressed", "true");
    await user.type(screen.getByRole("textbox", { name: "Why?" }), "it is Ada");
    await user.click(screen.getByRole("button", { name: "Keep the note" }));
    await user.click(screen.getByRole("button", { name: "Not useful" }));
    const said = fake.requests("answer_judge") as { useful: boolean | null; note: string | null }[];
    expect(said.map(({ useful, note }) => [useful, note])).toEqual([
      [false, null],
      [false, "it is Ada"],
      [null, "it is Ada"],
    ]);
  });

  it("finds a conversation again, goes on with it, deletes it and brings it back", async () => {
    const user = userEvent.setup();
    const fake = show(Ask, {});
    await user.type(question(), "who keeps the key?{Enter}");
    const list = await screen.findByRole("list", { name: "Conversations" });
    await user.click(screen.getByRole("button", { name: "New conversation" }));
    expect(screen.queryByRole("article")).toBeNull();
    await user.click(within(list).getByRole("button", { name: /^who keeps the key\?/ }));
    expect(await screen.findByRole("article", { name: "Question 1" })).toBeVisible();
    await user.type(question(), "and where?{Enter}");
    await screen.findByRole("article", { name: "Question 2" });
    const asked = fake.requests("ask_start") as { request: { session: string | null } }[];
    expect(asked[1]?.request.session).toBe(asking.session);
    await user.click(within(list).getByRole("button", { name: "Delete “who keeps the key?”" }));
    expect(await screen.findByText("No conversations yet")).toBeVisible();
    await toasts.undoLast();
    expect(await screen.findByRole("button", { name: "Delete “who keeps the key?”" })).toBeVisible();
  });

  it("says why there is no answer, and keeps the question", async () => {
    const user = userEvent.setup();
    const fake = show(Ask, {});
    fake.answers.ask_start = () => {
      throw new CommandFailure({ code: "busy", message: "8 questions are being answered; wait for it, or stop it" });
    };
    await user.type(question(), "why?{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("8 questions are being answered");
    expect(question()).toHaveValue("why?");
  });
});
