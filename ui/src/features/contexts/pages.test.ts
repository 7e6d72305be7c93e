import { beforeEach, describe, expect, it } from "vitest";
import { connect } from "../../platform/platform";
import { FakePlatform } from "../../testing/fake";
import { idOf } from "../../testing/contexts";
import { ContextPages, type Question } from "./pages.svelte";

const everything: Question = { filter: { must: [], should: [], must_not: [] }, order: "newest_first", deleted: false };
const settle = async (): Promise<void> => {
  for (let i = 0; i < 50; i += 1) await Promise.resolve();
  await new Promise((done) => setTimeout(done, 0));
};

describe("a long list", () => {
  let fake: FakePlatform;
  let pages: ContextPages;
  beforeEach(async () => {
    fake = new FakePlatform({ contexts: 3000 });
    connect(fake);
    pages = new ContextPages();
    await pages.ask(everything);
  });

  it("knows its length and its first rows after one question", () => {
    expect(pages.total).toBe(3000);
    expect(pages.row(0)?.id).toBe(idOf(0));
    expect(pages.row(2500)).toBeUndefined();
    expect(fake.requests("list")).toHaveLength(1);
  });

  it("reads the rows of any place with one question", async () => {
    for (const place of [2500, 40, 1210, 2990]) {
      const asked = fake.requests("list").length;
      pages.want(place, place + 9);
      await settle();
      expect(pages.row(place)?.id).toBe(idOf(place));
      expect(pages.row(place + 9)?.id).toBe(idOf(place + 9));
      expect(fake.requests("list").length - asked).toBeLessThanOrEqual(1);
    }
  });

  it("goes on from the nearest cursor that it knows", async () => {
    pages.want(1000, 1010);
    await settle();
    pages.want(1300, 1410);
    await settle();
    expect(fake.requests("list").map(({ cursor, skip }) => [cursor, skip])).toEqual([
      [null, 0],
      ["newest_first:200", 800],
      ["newest_first:1200", 0],
      ["newest_first:1400", 0],
    ]);
    expect(pages.row(1410)?.id).toBe(idOf(1410));
  });

  it("reads anew what is in sight when something has changed, and shows the old rows until then", async () => {
    pages.want(2500, 2510);
    await settle();
    fake.memory.remove([idOf(0)]);
    const again = pages.ask(everything);
    expect(pages.row(2500)?.id).toBe(idOf(2500));
    await again;
    expect(pages.total).toBe(2999);
    expect(pages.row(2500)?.id).toBe(idOf(2501));
    await settle();
    expect(fake.requests("list")).toHaveLength(3);
  });

  it("begins at the top with another order, whose cursors are others", async () => {
    pages.want(2500, 2510);
    await settle();
    await pages.ask({ ...everything, order: "most_used" });
    expect(pages.row(0)?.access_count).toBe(12);
    pages.want(200, 210);
    await settle();
    expect(fake.requests("list").at(-1)).toMatchObject({ order: "most_used", cursor: "most_used:200", skip: 0 });
    expect(pages.failure).toBeNull();
  });

  it("shows no row of a question that was overtaken by another", async () => {
    const slow = pages.ask({ ...everything, order: "oldest_first" });
    const last = pages.ask({ ...everything, order: "longest_first" });
    await Promise.all([slow, last]);
    const longest = fake.memory.list({ order: "longest_first" })[0]?.id;
    expect(pages.row(0)?.id).toBe(longest);
  });

  it("asks for no page twice while it holds it", async () => {
    pages.want(0, 250);
    await settle();
    const asked = fake.requests("list").length;
    pages.want(0, 250);
    await settle();
    expect(fake.requests("list")).toHaveLength(asked);
  });

  it("gives a range over several pages, for choosing with shift", async () => {
    const rows = await pages.range(190, 410);
    expect(rows.map((row) => row.id)).toEqual(Array.from({ length: 221 }, (_, i) => idOf(190 + i)));
  });

  it("gives the whole range as it is after a change that came while it was read", async () => {
    const range = pages.range(190, 410);
    fake.memory.remove([idOf(0)]);
    await pages.ask(everything);
    expect((await range).map((row) => row.id)).toEqual(Array.from({ length: 221 }, (_, i) => idOf(191 + i)));
  });

  it("gives nothing rather than rows of another list", async () => {
    const range = pages.range(190, 410);
    await pages.ask({ ...everything, order: "longest_first" });
    expect(await range).toEqual([]);
  });

  it("gives no part of a range that could not be read, and says why", async () => {
    fake.options.failing = true;
    expect(await pages.range(190, 410)).toEqual([]);
    expect(pages.failure?.code).toBe("store_failed");
    fake.options.failing = false;
    expect(await pages.range(190, 410)).toHaveLength(221);
    expect(pages.failure).toBeNull();
  });

  it("keeps what it shows and says why when reading anew fails", async () => {
    fake.options.failing = true;
    await pages.ask(everything);
    expect(pages.failure?.code).toBe("store_failed");
    expect(pages.row(0)?.id).toBe(idOf(0));
  });
});
