import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { violations } from "./axe";
import { Studio } from "./page";

const studio = new Studio();
beforeAll(() => studio.start());
afterAll(() => studio.stop());

const search = "#/search?query=Why+did+the+migration+of+billing+fail";
const views = [
  ["overview", "#/overview"],
  ["overview, nothing stored", "?empty#/overview"],
  ["overview, failing", "?errors#/overview"],
  ["levels", "#/levels"],
  ["levels, deleted", "#/levels?show=deleted"],
  ["levels, nothing stored", "?empty#/levels"],
  ["search", search],
  ["search, nothing asked", "#/search"],
  ["ask", "#/ask"],
  ["ask, nothing stored", "?empty#/ask"],
  ["sources", "#/sources"],
  ["sources, none yet", "?empty#/sources"],
  ["sources, failing", "?errors#/sources"],
  ["performance", "#/performance"],
  ["performance, nothing measured", "?empty#/performance"],
  ["resilience", "#/resilience"],
  ["resilience, breaker open", "?breaker=open#/resilience"],
  ["import", "#/import"],
  ["settings", "#/settings"],
  ["settings, retrieval", "#/settings?tab=retrieval"],
  ["settings, answers", "#/settings?tab=answers"],
  ["settings, levels", "#/settings?tab=levels"],
  ["settings, storage", "#/settings?tab=storage"],
  ["settings, tokens", "#/settings?tab=tokens"],
  ["settings, server", "#/settings?tab=server"],
  ["settings, agents", "#/settings?tab=agents"],
  ["settings, no keyring", "?keyring=absent#/settings?tab=tokens"],
  ["settings, a bad file", "?settings=broken#/settings?tab=resilience"],
  ["settings, appearance", "#/settings?tab=appearance"],
  ["opening", "?startup=opening#/overview"],
  ["not opened", "?startup=failed#/overview"],
] as const;

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  it.each(views)("%s keeps WCAG 2.2 AA and the content security policy", async (_, address) => {
    const { page, problems } = await studio.open(address, { theme });
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("dialogs and panels keep them too", async () => {
    const { page, problems } = await studio.open("#/levels", { theme });
    await page.locator("[role=option]").nth(1).click();
    await page.waitForTimeout(300);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Edit" }).click();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Close details" }).click();
    await page.getByRole("button", { name: "New context", exact: true }).click();
    await page.waitForTimeout(300);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.waitForTimeout(300);
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("an answer, its options, and a source with its passage marked keep them too", async () => {
    const { page, problems } = await studio.open("#/ask", { theme });
    await page.getByRole("textbox", { name: "Question" }).fill("Why did the migration of billing fail?");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Useful", exact: true }).click();
    await page.getByRole("button", { name: "Filter" }).click();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Source 1" }).press("Enter");
    await page.keyboard.press("Enter");
    await page.getByText("Marked is what the answer has of it.").waitFor();
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("the dropped candidates and the answer to why keep them too", async () => {
    const { page, problems } = await studio.open(search, { theme });
    await page.getByText(/^Dropped/).click();
    await page.waitForTimeout(300);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: /^Why not …/ }).first().click();
    await page.waitForTimeout(400);
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("a replay, a drill and a chart as figures keep them too", async () => {
    const { page, problems } = await studio.open(search, { theme });
    await page.getByText("History").click();
    await page.getByRole("button", { name: /^Replay/ }).first().click();
    await page.getByText(/1 came in, 1 went out/).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.goto(page.url().replace(/#.*/, "#/resilience"));
    await page.getByRole("button", { name: "Start the drill" }).click();
    await page.getByText("Search once a second").click();
    await page.getByText(/The last search went by words alone/).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.goto(page.url().replace(/#.*/, "#/performance"));
    await page.getByRole("button", { name: "Latency of retrieve as figures" }).click();
    await page.getByRole("table", { name: "Latency of retrieve" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("spinbutton", { name: "Seconds" }).fill("1");
    await page.getByRole("button", { name: "Start the run" }).click();
    await page.getByRole("table", { name: "Errors under load" }).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });
});

describe("the keyboard", () => {
  it("comes back to where it was when a dialog closes", async () => {
    const { page } = await studio.open("#/levels");
    const button = page.getByRole("button", { name: "New context", exact: true });
    await button.focus();
    for (const open of ["Control+k", "?", "n"]) {
      await page.keyboard.press(open);
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    }
    await page.context().close();
  });

  it("writes at once in the dialog for a new context, and goes on in the list", async () => {
    const { page } = await studio.open("#/levels");
    const list = page.getByRole("listbox", { name: /^L1/ });
    await list.focus();
    await page.keyboard.press("n");
    await page.getByRole("textbox", { name: "Text" }).waitFor();
    await page.keyboard.type("written without a mouse");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("option", { name: /written without a mouse/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Details of the context" }).waitFor();
    await page.keyboard.press("Escape");
    expect(await list.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.context().close();
  });

  it("reads the values of a chart one after another", async () => {
    const { page } = await studio.open("#/performance");
    const chart = page.getByRole("group", { name: /^Memory: left and right/ });
    await chart.focus();
    await page.keyboard.press("ArrowLeft");
    const told = (): Promise<string> => page.locator("figure:has(:focus) [aria-live]").innerText();
    const newest = await told();
    expect(newest).toMatch(/^\d\d:\d\d:\d\d: resident MB \d/);
    await page.keyboard.press("ArrowLeft");
    expect(await told()).not.toBe(newest);
    await page.context().close();
  });
});

describe("messages above a dialog", () => {
  it("are reached by the keyboard, which the dialog keeps", async () => {
    const { page } = await studio.open("#/levels");
    await page.keyboard.press("Control+z");
    await page.keyboard.press("n");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("There is nothing to undo.").waitFor();
    expect(await violations(page)).toEqual([]);
    const dismiss = dialog.getByRole("button", { name: "Dismiss message" });
    for (let i = 0; i < 20 && !(await dismiss.evaluate((it) => it === document.activeElement)); i += 1) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await dismiss.waitFor({ state: "detached" });
    expect(await dialog.count()).toBe(1);
    await page.context().close();
  });
});

describe("hostile texts", () => {
  it("neither run nor break the page: markup, endless words, both directions", async () => {
    const { page, problems } = await studio.open("#/levels", { width: 900, height: 600 });
    await page.evaluate(() => {
      type Fake = { memory: { add(context: unknown): void }; emit(event: string, payload: unknown): void };
      const { fake } = window as unknown as { fake: Fake };
      for (const text of [
        "x".repeat(5000),
        `<img src=x onerror="document.title='hit'"><script>document.title='hit'</scr` + "ipt>",
        "\u202Eעולם שלום\u202C 🧭👩🏽‍🔬 مرحبا",
      ]) {
        fake.memory.add({ text, level: "Immediate", agent: "a".repeat(400), session: text, metadata: { [text.slice(0, 300)]: text }, source: text });
      }
      fake.emit("activity", { at: new Date().toISOString(), kind: "stored", summary: "", ids: [], trace_id: null });
    });
    for (let i = 0; i < 3; i += 1) {
      await page.getByRole("listbox", { name: /^L1/ }).getByRole("option").nth(i).click();
      await page.getByRole("complementary", { name: "Details of the context" }).waitFor();
      await page.waitForTimeout(150);
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll("main, .levels, .detail, .detail .body")].filter((e) => e.scrollWidth > e.clientWidth + 1).length,
      );
      expect(wide).toBe(0);
      await page.keyboard.press("Escape");
    }
    expect(await page.title()).toBe("Levels – HiRAG Studio");
    expect(problems).toEqual([]);
    await page.context().close();
  });
});

describe.each([
  [900, 600],
  [3840, 2160],
])("at %d × %d", (width, height) => {
  it.each(views)("%s fits without a horizontal scroll bar", async (_, address) => {
    const { page } = await studio.open(address, { width, height });
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll("main, .view, .levels, .search")]
        .filter((element) => element.scrollWidth > element.clientWidth + 1)
        .map((element) => element.className),
    );
    expect(wide).toEqual([]);
    await page.context().close();
  });
});

describe("messages", () => {
  it.each(views.filter(([name]) => !name.startsWith("open")))("lie over nothing in %s", async (_, address) => {
    const { page } = await studio.open(address, { width: 900, height: 600 });
    // In a field, the keys would undo what was typed there.
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    for (let i = 0; i < 3; i += 1) await page.keyboard.press("Control+z");
    await page.getByRole("group").getByText("There is nothing to undo.").last().waitFor();
    const covered = await page.evaluate(() => {
      const toasts = document.querySelector(".toasts")?.getBoundingClientRect();
      if (!toasts || toasts.height === 0) return ["no message"];
      const others = [...document.querySelectorAll(".content, footer, nav")].filter((other) => {
        const box = other.getBoundingClientRect();
        const beside = box.right <= toasts.left || box.left >= toasts.right;
        return !beside && box.bottom > toasts.top + 0.5 && box.top < toasts.bottom - 0.5;
      });
      return others.map((other) => other.className || other.tagName);
    });
    expect(covered).toEqual([]);
    await page.context().close();
  });
});

describe("100,000 contexts", () => {
  it("scroll with time to spare in each frame", async () => {
    const { page } = await studio.open("?contexts=100000#/levels");
    await page.getByText("L3", { exact: true }).first().click();
    await page.locator("[role=option]").first().waitFor();
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    const spent = async (): Promise<number> => {
      const { metrics } = await session.send("Performance.getMetrics");
      const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? 0;
      return 1000 * (of("ScriptDuration") + of("LayoutDuration") + of("RecalcStyleDuration"));
    };
    const frames = 120;
    const before = await spent();
    await page.evaluate(async (n) => {
      const list = document.querySelector("[role=listbox]");
      if (!list) throw new Error("there is no list");
      for (let i = 0; i < n; i += 1) {
        list.scrollTop += 180;
        await new Promise(requestAnimationFrame);
      }
    }, frames);
    // Script, style and layout; drawing depends on the graphics card, which a test machine lacks.
    // The scripted host answers on the same thread, so the true cost is lower.
    expect((await spent()) - before).toBeLessThan(frames * 16);
    expect(await page.locator("[role=option]").count()).toBeLessThan(60);
    await page.context().close();
  });

  it("can be jumped through to the end", async () => {
    const { page } = await studio.open("?contexts=100000#/levels");
    const list = page.getByRole("listbox", { name: /^L3/ });
    await list.focus();
    await page.keyboard.press("End");
    await page.getByRole("option", { name: /\(99998\)|\(99997\)/ }).first().waitFor({ timeout: 5_000 });
    await page.context().close();
  });
});
