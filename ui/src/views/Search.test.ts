import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { draft } from "../features/search/draft.svelte";
import { lastSearch } from "../features/search/last-search.svelte";
import type { FakeOptions, FakePlatform } from "../testing/fake";
import { idOf } from "../testing/contexts";
import { router } from "../shared/router.svelte";
import { show } from "../testing/page";
import Search from "./Search.svelte";

/** What stands beside a result that moved. */
const moves = /^(up|down) \d+ places?$/;

async function searched(query: string, options: FakeOptions = {}): Promise<FakePlatform> {
  const fake = show(Search, {}, options);
  await submit(query);
  return fake;
}

async function submit(query: string): Promise<void> {
  const field = screen.getByRole("textbox", { name: "Query" });
  await fireEvent.input(field, { target: { value: query } });
  await fireEvent.submit(field.closest("form")!);
}

/** Lets the next orders hold the best `n` candidates as they stood, whatever the weights. */
async function rerankTo(fake: FakePlatform, n: number): Promise<void> {
  const { candidates } = await fake.call("reasons", { id: lastSearch.shown!.trace.id });
  const best = candidates.filter(({ outcome }) => ["chosen", "outranked"].includes(outcome.stage)).slice(0, n);
  const contexts = best.map(({ id, score, parts, ranks }, i) => ({
    id,
    rank: i + 1,
    previous_rank: ranks.chosen,
    score,
    previous_score: score,
    parts,
  }));
  fake.answers.rerank = () => ({ contexts, total_tokens: 0, dropped: [] });
}

async function slide(to: number): Promise<void> {
  await fireEvent.input(screen.getByRole("slider", { name: "Recency" }), { target: { value: String(to) } });
}

const articles = (n: number): Promise<void> =>
  waitFor(() => expect(document.querySelectorAll("article")).toHaveLength(n), { timeout: 20_000 });

describe("a search", () => {
  beforeEach(() => {
    lastSearch.clear();
    draft.clear();
  });

  it("shows the results with the query's words marked and the score's parts in words", async () => {
    await searched("billing migration");
    const first = await screen.findByRole("article", { name: "Result 1" });
    const marks = [...first.querySelectorAll("mark")].map((mark) => mark.textContent);
    expect(marks).toContain("billing");
    expect(marks).toContain("migration");
    expect(within(first).getByRole("img")).toHaveAccessibleName(
      /^Score 0\.\d+: relevance 0\.\d+, recency 0\.\d+, level 0\.\d+, frequency 0\.\d+$/,
    );
  });

  it("shows every result, however many, and then what was dropped", async () => {
    draft.limit = 40;
    await searched("billing");
    await articles(40);
    expect(screen.getByRole("button", { name: "See each with its reason" })).toBeVisible();
  });

  it("keeps the end of the results standing when an order brings one more in", async () => {
    draft.limit = 12;
    const fake = await searched("billing");
    await articles(12);
    const end = screen.getByRole("button", { name: "See each with its reason" });
    await rerankTo(fake, 13);
    await slide(0.9);
    await articles(13);
    expect(end).toBeInTheDocument();
  });

  it("keeps texts open and the focus in its row when another order is drawn", async () => {
    const fake = show(Search, {});
    for (let i = 0; i < 120; i += 1) fake.memory.change(idOf(i), { text: `billing ${i} `.repeat(60) });
    draft.limit = 20;
    await submit("billing");
    await articles(20);
    // Each row is 100 pixels high, and five are in sight.
    const layout = vi.spyOn(Element.prototype, "getBoundingClientRect").mockImplementation(function (this: Element) {
      const row = [...document.querySelectorAll("article")].indexOf(this as HTMLElement);
      return row < 0 ? new DOMRect(0, 0, 800, 500) : new DOMRect(0, row * 100, 800, 100);
    });
    const last = (): HTMLElement => screen.getByRole("article", { name: "Result 20" });
    await fireEvent.click(within(last()).getByRole("button", { name: /^Show all/ }));
    await rerankTo(fake, 20);
    await slide(0.8);
    await waitFor(() => expect(fake.requests("rerank")).toHaveLength(1));
    await articles(20);
    const less = await waitFor(() => within(last()).getByRole("button", { name: "Show less" }));
    less.focus();
    await slide(0.6);
    await waitFor(() => expect(fake.requests("rerank")).toHaveLength(2));
    await articles(20);
    expect(less).toHaveFocus();
    layout.mockRestore();
  });

  it("shows markup in results as text", async () => {
    await searched("markup must stay text script");
    await screen.findByRole("article", { name: "Result 1" });
    const text = screen.getAllByRole("article").map((article) => article.textContent).join("");
    expect(text).toContain('<script>alert("no")</script>');
    expect(document.querySelector("article script, article img[src]")).toBeNull();
  });

  it("asks for what the form says", async () => {
    const user = userEvent.setup();
    const fake = show(Search, {});
    await user.click(screen.getByRole("checkbox", { name: "L2 Short-term" }));
    await user.click(screen.getByRole("radio", { name: "Text" }));
    await user.type(screen.getByRole("spinbutton", { name: "Contexts at most" }), "5");
    await user.type(screen.getByRole("textbox", { name: "Query" }), "billing{Enter}");
    await waitFor(() => expect(fake.requests("search")).toHaveLength(1));
    expect(fake.requests("search")[0]).toMatchObject({
      query: "billing",
      levels: ["Immediate", "LongTerm"],
      mode: "text",
      limit: 5,
      max_tokens: null,
      explain: true,
    });
  });

  it("re-ranks when a slider moves, without a new search, and shows what moved", async () => {
    const fake = await searched("billing migration");
    await screen.findByRole("article", { name: "Result 1" });
    await fireEvent.input(screen.getByRole("slider", { name: "Recency" }), { target: { value: "0.9" } });
    await waitFor(() => expect(fake.requests("rerank").length).toBeGreaterThan(0));
    const { weights } = fake.requests("rerank").at(-1)!;
    expect(weights.recency).toBe(0.9);
    expect(weights.similarity + weights.recency + weights.level + weights.frequency).toBeCloseTo(1, 9);
    expect(fake.requests("search")).toHaveLength(1);
    expect(await screen.findAllByText(moves)).not.toEqual([]);
    await fireEvent.click(screen.getByRole("button", { name: "Reset" }));
    await waitFor(() => expect(screen.queryAllByText(moves)).toEqual([]));
  });

  it("always ends with the latest position of a slider, however fast it moves", async () => {
    const fake = await searched("billing migration", { delay: 5 });
    await screen.findByRole("article", { name: "Result 1" });
    const slider = screen.getByRole("slider", { name: "Level" });
    for (let i = 1; i <= 20; i += 1) await fireEvent.input(slider, { target: { value: String(i / 40) } });
    await waitFor(() => expect(fake.requests("rerank").at(-1)?.weights.level).toBe(0.5));
    expect(fake.requests("rerank").length).toBeLessThan(20);
  });

  it("keeps the weights as settings, and undoes that", async () => {
    const fake = await searched("billing");
    await screen.findByRole("article", { name: "Result 1" });
    await fireEvent.input(screen.getByRole("slider", { name: "Recency" }), { target: { value: "0.5" } });
    await fireEvent.click(await screen.findByRole("button", { name: "Save as settings" }));
    await waitFor(() => expect(fake.config.hirag.ranking_weights.recency).toBe(0.5));
  });

  it("lists what was dropped with stage and reason, and answers why", async () => {
    const user = userEvent.setup();
    const fake = await searched("billing migration");
    await screen.findByRole("article", { name: "Result 1" });
    await user.click(screen.getByRole("radio", { name: /^Dropped/ }));
    const table = await screen.findByRole("table", { name: "Dropped candidates" });
    expect(within(table).getAllByText(/better ones filled the limit/)[0]).toBeVisible();
    await user.click(within(table).getAllByRole("button", { name: /^Why not/ })[0]!);
    const dialog = await screen.findByRole("dialog", { name: "Why not this one?" });
    expect(await within(dialog).findByText(/Lower the relevance threshold/)).toBeVisible();
    expect(fake.requests("why")[0]?.request.query).toBe("billing migration");
  });

  it("asks once for the reasons of a search, which never change", async () => {
    const user = userEvent.setup();
    const fake = await searched("billing migration");
    await screen.findByRole("article", { name: "Result 1" });
    await user.click(screen.getByRole("radio", { name: /^Dropped/ }));
    await screen.findByRole("table", { name: "Dropped candidates" });
    await user.click(screen.getByRole("radio", { name: /^Results/ }));
    const later = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
    await user.click(screen.getByRole("radio", { name: /^Dropped/ }));
    await screen.findByRole("table", { name: "Dropped candidates" });
    later.mockRestore();
    expect(fake.requests("reasons")).toHaveLength(1);
  });

  it("answers why for any context by its id", async () => {
    const user = userEvent.setup();
    const fake = await searched("billing migration");
    await screen.findByRole("article", { name: "Result 1" });
    await user.click(screen.getByRole("radio", { name: /^Dropped/ }));
    await user.type(screen.getByRole("textbox", { name: /id of the context/ }), idOf(200));
    await user.click(screen.getByRole("button", { name: "Ask why not" }));
    expect(await screen.findByText(/is below the threshold/)).toBeVisible();
    expect(fake.requests("why")[0]?.id).toBe(idOf(200));
  });

  it("finds the context that was missed by words of its text, and answers why", async () => {
    const user = userEvent.setup();
    const fake = await searched("billing migration");
    await screen.findByRole("article", { name: "Result 1" });
    await user.click(await screen.findByRole("button", { name: "See each with its reason" }));
    await user.type(screen.getByRole("textbox", { name: /id of the context/ }), "kettle kitchen{Enter}");
    await user.click((await screen.findAllByRole("button", { name: /kettle.*Why not/ }))[0]!);
    expect(await screen.findByRole("dialog", { name: "Why not this one?" })).toBeVisible();
    expect(fake.requests("why")[0]?.request.query).toBe("billing migration");
  });

  it("tries a suggestion: by a new search, or by the sliders", async () => {
    const user = userEvent.setup();
    const fake = await searched("billing migration");
    await screen.findByRole("article", { name: "Result 1" });
    const attempt = async (which: number): Promise<void> => {
      await user.click(screen.getByRole("radio", { name: /^Dropped/ }));
      await user.click((await screen.findAllByRole("button", { name: /^Why not …/ }))[0]!);
      await user.click((await screen.findAllByRole("button", { name: "Try it" }))[which]!);
    };
    await attempt(0);
    await waitFor(() => expect(fake.requests("rerank").at(-1)?.relevance_threshold).toBe(0.04));
    expect(fake.requests("search")).toHaveLength(1);
    await attempt(1);
    await waitFor(() => expect(fake.requests("search").at(-1)?.limit).toBe(20));
  });

  it("says why a result was returned", async () => {
    const user = userEvent.setup();
    await searched("billing migration");
    await user.click(await screen.findByRole("button", { name: "Why result 1?" }));
    const dialog = await screen.findByRole("dialog", { name: "Why this one?" });
    expect(within(dialog).getByText("Returned at place 1.")).toBeVisible();
    expect(within(dialog).queryByText("What would let it in")).toBeNull();
  });

  it("moves between results with the arrow keys", async () => {
    const user = userEvent.setup();
    await searched("billing migration");
    (await screen.findByRole("button", { name: "Why result 1?" })).focus();
    await user.keyboard("{ArrowDown}{ArrowDown}{ArrowUp}");
    expect(screen.getByRole("button", { name: "Why result 2?" })).toHaveFocus();
  });

  it("searches once for the address that names a query, and not while one types on", async () => {
    const user = userEvent.setup();
    location.hash = "/search?query=billing";
    const stop = router.follow();
    const fake = show(Search, {});
    await screen.findByRole("article", { name: "Result 1" });
    await user.type(screen.getByRole("textbox", { name: "Query" }), " and more");
    expect(fake.requests("search").map((request) => request.query)).toEqual(["billing"]);
    stop();
    router.go("search");
  });

  it("brings the filter of an earlier search back, and one that the fields cannot say", async () => {
    const user = userEvent.setup();
    const fake = await searched("billing");
    await screen.findByRole("article", { name: "Result 1" });
    const filter = { must: [], should: [{ key: "agent", match: "claude" }], must_not: [] };
    draft.take({ ...fake.requests("search")[0]!, filter });
    await user.click(screen.getByRole("button", { name: "Search" }));
    await waitFor(() => expect(fake.requests("search").at(-1)?.filter).toEqual(filter));
    await user.click(screen.getByRole("button", { name: "Leave that filter out" }));
    await user.click(screen.getByRole("button", { name: "Search" }));
    await waitFor(() => expect(fake.requests("search").at(-1)?.filter.should).toEqual([]));
  });

  it("finds earlier searches by their words", async () => {
    const user = userEvent.setup();
    await searched("billing migration");
    await screen.findByRole("article", { name: "Result 1" });
    await user.click(screen.getByRole("radio", { name: "History" }));
    const field = await screen.findByRole("searchbox", { name: "Find an earlier search" });
    await user.type(field, "kettle");
    expect(screen.getByText("No search has these words")).toBeVisible();
    await user.clear(field);
    await user.type(field, "MIGRATION");
    expect(screen.getByRole("button", { name: /^Replay/ })).toBeVisible();
  });

  it("says when it had to do without vectors", async () => {
    await searched("billing", { breaker: "open" });
    expect(await screen.findByText(/words alone decided/)).toBeVisible();
  });

  it("shows a search of the history again, and replays it against today", async () => {
    const user = userEvent.setup();
    await searched("billing migration");
    await screen.findByRole("article", { name: "Result 1" });
    await user.click(screen.getByRole("radio", { name: "History" }));
    await user.click(await screen.findByRole("button", { name: /^Replay/ }));
    const dialog = await screen.findByRole("dialog", { name: /Replay/ });
    expect(await within(dialog).findByText(/^1 came in, 1 went out, 2 moved\./)).toBeVisible();
    await user.keyboard("{Escape}");
    await user.click(await screen.findByRole("button", { name: /^Show/ }));
    expect(await screen.findByRole("article", { name: "Result 1" })).toBeVisible();
  });

  it("copies the results as a prompt", async () => {
    const user = userEvent.setup();
    await searched("billing migration");
    await screen.findByRole("article", { name: "Result 1" });
    const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    await user.click(screen.getByRole("button", { name: "Copy as Prompt" }));
    expect(write.mock.calls[0]?.[0]).toMatch(/\[1\] \(L\d.*\n.*billing[\s\S]*Question: billing migration/);
  });

  it("refuses a query of 100 KB before it is sent", async () => {
    const fake = await searched("x".repeat(100_000));
    expect(screen.getByRole("alert")).toHaveTextContent("more than the 16.0 KB that a search takes");
    expect(fake.requests("search")).toEqual([]);
    await fireEvent.input(screen.getByRole("textbox", { name: "Query" }), { target: { value: "" } });
  });

  it("says why it failed", async () => {
    await searched("billing", { failing: true });
    expect(await screen.findByText("The search failed.")).toBeVisible();
    expect(screen.getByText(/disk I\/O error/)).toBeVisible();
  });
});
