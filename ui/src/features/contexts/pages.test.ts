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

  it("reads the rows that come into sight, following the cursors", async () => {
    pages.want(2500, 2510);
    await settle();
    expect(pages.row(2500)?.id).toBe(idOf(2500));
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

  it("keeps what it shows and says why when reading anew fails", async () => {
    fake.options.failing = true;
    await pages.ask(everything);
    expect(pages.failure?.code).toBe("store_failed");
    expect(pages.row(0)?.id).toBe(idOf(0));
  });
});
