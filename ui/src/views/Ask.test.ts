import { screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asking } from "../features/asking/asking.svelte";
import { options } from "../features/asking/options.svelte";
import { passage } from "../features/contexts/passage.svelte";
import { CommandFailure } from "../platform/platform";
import { queryClient } from "../shared/query";
import { toasts } from "../shared/toasts.svelte";
import type { FakePlatform } from "../testing/fake";
import { show } from "../testing/page";
import Ask from "./Ask.svelte";

const question = () => screen.getByRole("textbox", { name: "Question" });
const budget = { window: 8192, answer: 1024, rules: 130, question: 14, history: 0, margin: 409, sources: 4000, used: 3990 };

let leave = (): void => {};

/** The view as the page has it, which listens from its beginning on. */
function showAsk(): FakePlatform {
  const fake = show(Ask, {});
  leave = asking.follow();
  return fake;
}

/** Somebody words answers. */
function worded(fake: FakePlatform): void {
  fake.config.chat.provider = "openai-compatible";
}

/** Asks something whose answer the test tells; gives the name of the question. */
async function askOpen(fake: FakePlatform, words: string): Promise<string> {
  fake.answers.ask_start = () => ({});
  await userEvent.type(question(), `${words}{Enter}`);
  await waitFor(() => expect(fake.requests("ask_start").at(-1)?.request.question).toBe(words));
  return fake.requests("ask_start").at(-1)?.name ?? "";
}

beforeEach(() => {
  queryClient.clear();
  asking.begin();
  asking.question = "";
  options.clear();
});

afterEach(() => leave());

describe("asking", () => {
  it("shows passages with sources that open, and says that nobody worded them", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
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
    const fake = showAsk();
    const name = await askOpen(fake, "why?");
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

  it("marks where a number that names no source was taken out, and says why the answer is not kept", async () => {
    const fake = showAsk();
    const name = await askOpen(fake, "why?");
    const answer = await fake.call("ask", { ...options.request("why?", "talk") });
    fake.emit("answer", { name, event: "begun", data: { kind: "worded", problem: null, cached: false } });
    fake.emit("answer", { name, event: "text", data: "So [1], not so [?]." });
    expect(await screen.findByRole("img", { name: /^A source removed/ })).toHaveTextContent("[?]");
    const text = "So [1], not so [?].";
    const done = {
      ...answer,
      kind: "worded" as const,
      text,
      removed: ["9"],
      marks: [{ at: text.indexOf("[?]"), numbers: "9" }],
      id: null,
      session: null,
      not_kept: { code: "store_locked", message: "the answer is not kept: process 7 writes to this memory; close it" },
    };
    fake.emit("answer", { name, event: "done", data: done });
    expect(await screen.findByRole("img", { name: "Source 9 removed: there is none" })).toBeVisible();
    expect(screen.getByRole("button", { name: "Source 1" })).toBeVisible();
    expect(screen.getByText("The answer is not kept: process 7 writes to this memory; close it.")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Useful" })).toBeNull();
  });

  it("keeps what one thinks of an answer, with the reason, and takes it back", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
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

  it("keeps the note when one thinks otherwise of the answer", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
    await user.type(question(), "who keeps the key?{Enter}");
    await user.click(await screen.findByRole("button", { name: "Not useful" }));
    await user.type(screen.getByRole("textbox", { name: "Why?" }), "it is Ada");
    await user.click(screen.getByRole("button", { name: "Keep the note" }));
    await user.click(screen.getByRole("button", { name: "Useful" }));
    expect(fake.requests("answer_judge").at(-1)).toMatchObject({ useful: true, note: "it is Ada" });
  });

  it("leads from a number in the text to its source, which opens where the answer has it from", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
    await user.type(question(), "who keeps the key?{Enter}");
    const answer = await screen.findByRole("article", { name: "Question 1" });
    const second = fake.memory.at(1);
    await user.click(await within(answer).findByRole("button", { name: "Source 2" }));
    const link = within(answer).getAllByRole("link")[1];
    expect(link).toHaveFocus();
    await user.click(link as HTMLElement);
    expect(passage.in(second.id, `before. ${second.text} after`)?.pieces).toEqual([
      { text: "before. ", hit: false },
      { text: second.text, hit: true },
      { text: " after", hit: false },
    ]);
  });

  it("asks as it is told to: levels, mode, filter, passages alone, afresh", async () => {
    const user = userEvent.setup();
    const fake = show(Ask, {});
    worded(fake);
    leave = asking.follow();
    await user.click(await screen.findByRole("checkbox", { name: "Ask afresh" }));
    await user.click(screen.getByRole("checkbox", { name: "Passages only" }));
    await user.click(screen.getByRole("checkbox", { name: "L1 Immediate" }));
    await user.click(screen.getByRole("radio", { name: "Text" }));
    await user.click(screen.getByRole("button", { name: "Filter" }));
    await user.type(screen.getByRole("textbox", { name: "Agent" }), "claude");
    await askOpen(fake, "why?");
    expect(fake.requests("ask_start").at(-1)?.request).toMatchObject({
      levels: ["ShortTerm", "LongTerm"],
      mode: "text",
      filter: { must: [{ key: "agent", match: "claude" }] },
      extractive: true,
      fresh: true,
    });
  });

  it("offers nothing of wording where nobody words answers", async () => {
    showAsk();
    await screen.findByText(/Nothing leaves this machine/);
    expect(screen.queryByRole("checkbox", { name: "Passages only" })).toBeNull();
    expect(screen.getByRole("radio", { name: "Hybrid" })).toBeChecked();
  });

  it("goes on with the conversation although its first answer was stopped", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
    const first = await askOpen(fake, "why?");
    fake.emit("answer", { name: first, event: "stopped" });
    expect(await screen.findByText(/Nothing is kept of this answer/)).toBeVisible();
    expect(fake.requests("ask_stop")).toEqual([]);
    await askOpen(fake, "and how?");
    const [one, two] = fake.requests("ask_start");
    expect(one?.request.session).not.toBeNull();
    expect(two?.request.session).toBe(one?.request.session);
    await user.click(screen.getByRole("button", { name: "Stop" }));
  });

  it("does not mix conversations when a question fails late", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
    let fail = (_: unknown): void => {};
    fake.answers.ask_start = () => new Promise((_, reject) => (fail = reject));
    await user.type(question(), "why?{Enter}");
    await screen.findByRole("article", { name: "Question 1" });
    await user.click(screen.getByRole("button", { name: "New conversation" }));
    await user.clear(question());
    await askOpen(fake, "and how?");
    fail(new CommandFailure({ code: "store_failed", message: "too late" }));
    await waitFor(() => expect(screen.getByRole("heading", { name: /and how/ })).toBeVisible());
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.getByRole("button", { name: "Stop" })).toBeVisible();
  });

  it("leaves what was typed meanwhile", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
    let begun = (_: Record<string, never>): void => {};
    fake.answers.ask_start = () => new Promise((resolve) => (begun = resolve));
    await user.type(question(), "why?{Enter}");
    await user.type(question(), " And where?");
    begun({});
    await screen.findByRole("article", { name: "Question 1" });
    await waitFor(() => expect(question()).toHaveValue("why? And where?"));
  });

  it("finds a conversation again, goes on with it, deletes it and brings it back", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
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

  it("finds an answer whose end was not heard among what is kept, or says that it is lost", async () => {
    const fake = showAsk();
    const answered = await fake.call("ask", { ...options.request("why?", "talk") });
    const [turn] = (await fake.call("conversation", { session: "talk" })).turns;
    await askOpen(fake, "why?");
    fake.answers.ask_status = () => ({ running: true });
    fake.emit("connection", { state: "connected" });
    await waitFor(() => expect(fake.requests("ask_status")).toHaveLength(1));
    expect(screen.getByRole("button", { name: "Stop" })).toBeVisible();
    fake.answers.ask_status = () => ({ running: false });
    fake.answers.conversation = () => ({ session: "talk", title: "why?", answers: 1, created_at: "", updated_at: "", deleted_at: null, turns: turn ? [turn] : [] });
    fake.emit("connection", { state: "connected" });
    const article = await screen.findByRole("article", { name: "Question 1" });
    await waitFor(() => expect(within(article).getByRole("list", { name: "Sources" })).toBeVisible());
    expect(answered.id).toBe(turn?.id);
    await askOpen(fake, "and how?");
    fake.emit("connection", { state: "connected" });
    expect(await screen.findByText(/The answer was lost/)).toBeVisible();
    expect(screen.getByRole("button", { name: "Ask" })).toBeVisible();
  });

  it("saves a conversation, stores it as contexts, and takes that back", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
    fake.answers.save_file = ({ suggested }) => ({ path: `/home/ada/${suggested}` });
    await user.type(question(), "who keeps the key?{Enter}");
    await user.click(await screen.findByRole("button", { name: "Markdown" }));
    await user.click(screen.getByRole("button", { name: "JSONL" }));
    await waitFor(() => expect(fake.requests("save_file").map(({ suggested }) => suggested)).toEqual(["conversation.md", "conversation.jsonl"]));
    expect(fake.requests("save_file")[0]?.content).toBe("# who keeps the key?\n");
    fake.answers.delete = ({ ids }) => ({ operation: 1, ids, per_level: { Immediate: 0, ShortTerm: ids.length, LongTerm: 0 } });
    await user.click(screen.getByRole("button", { name: "Store as contexts" }));
    await waitFor(() => expect(fake.requests("conversation_store")).toEqual([{ session: asking.session }]));
    await toasts.undoLast();
    expect(fake.requests("delete")).toHaveLength(1);
  });

  it("saves useful answers as golden queries, and says where there are none", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
    fake.answers.save_file = ({ suggested }) => ({ path: `/home/ada/${suggested}` });
    toasts.reset();
    await user.click(screen.getByRole("button", { name: /^Golden queries/ }));
    await waitFor(() => expect(toasts.items.at(-1)?.kind).toBe("failed"));
    await user.type(question(), "who keeps the key?{Enter}");
    await user.click(await screen.findByRole("button", { name: "Useful" }));
    await user.click(screen.getByRole("button", { name: /^Golden queries/ }));
    await waitFor(() => expect(fake.requests("save_file").map(({ suggested }) => suggested)).toEqual(["queries.jsonl", "qrels.tsv"]));
  });

  it("shows what was deleted and brings it back", async () => {
    const user = userEvent.setup();
    showAsk();
    await user.type(question(), "who keeps the key?{Enter}");
    await user.click(await screen.findByRole("button", { name: "Delete “who keeps the key?”" }));
    await user.click(screen.getByRole("radio", { name: "Deleted" }));
    await user.click(await screen.findByRole("button", { name: "Bring “who keeps the key?” back" }));
    expect(await screen.findByText("No deleted conversations")).toBeVisible();
    await user.click(screen.getByRole("radio", { name: "Kept" }));
    expect(await screen.findByRole("button", { name: "Delete “who keeps the key?”" })).toBeVisible();
  });

  it("says why there is no answer, and keeps the question", async () => {
    const user = userEvent.setup();
    const fake = showAsk();
    fake.answers.ask_start = () => {
      throw new CommandFailure({ code: "busy", message: "8 questions are being answered; wait for it, or stop it" });
    };
    await user.type(question(), "why?{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("8 questions are being answered");
    expect(question()).toHaveValue("why?");
  });
});
