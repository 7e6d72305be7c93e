import { describe, expect, it } from "vitest";
import { ago, bytes, count, duration, firstLine, ms, plural, sentence } from "./format";

describe("figures for people", () => {
  it("writes bytes, milliseconds and durations with their unit", () => {
    expect([bytes(0), bytes(1536), bytes(12_600_000)]).toEqual(["0 B", "1.5 KB", "12.0 MB"]);
    expect([ms(0.08), ms(12.34), ms(1250), ms(90_000)]).toEqual(["0.08 ms", "12.3 ms", "1.25 s", "1 min 30 s"]);
    expect([duration(45), duration(200), duration(7500)]).toEqual(["45 s", "3 min 20 s", "2 h 5 min"]);
    expect([plural(1, "context"), plural(1200, "context")]).toEqual(["1 context", "1,200 contexts"]);
  });

  it("parts thousands as the language does", () => {
    const numbers = [0, 999, 1000, 12_345.6, -1234, -999_999, 123_456_789, 9_007_199_254_740_991];
    const language = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
    expect(numbers.map(count)).toEqual(numbers.map((n) => language.format(n)));
  });

  it("says how long ago, and calls a clock that jumped back just now or in", () => {
    const now = Date.parse("2026-11-22T08:00:00Z");
    expect(ago("2026-11-22T07:58:00Z", now)).toMatch(/2 min/);
    expect(ago("2026-11-22T09:00:00Z", now)).toMatch(/^in 1 h/);
    expect(ago("nonsense", now)).toBe("unknown");
  });

  it("says just now of what happened since the page's clock ticked", () => {
    const ticked = Date.parse("2026-11-22T08:00:00Z");
    expect(ago("2026-11-22T08:00:09.900Z", ticked)).toBe("just now");
    expect(ago("2026-11-22T08:00:40Z", ticked)).toBe("in under a minute");
  });

  it("makes a sentence of what the host says, and leaves keys and paths as they are", () => {
    expect(sentence("the database answered: disk I/O error")).toBe("The database answered: disk I/O error.");
    expect(sentence("hirag.l1_size is 0; it must be 1 to 10000")).toBe("hirag.l1_size is 0; it must be 1 to 10000.");
    expect(sentence("/home/ada/hirag.db is newer.")).toBe("/home/ada/hirag.db is newer.");
    expect(sentence("")).toBe("");
  });

  it("cuts a preview between letters, never inside an emoji", () => {
    expect(firstLine(`  a\n\nb ${"🧭".repeat(300)}`, 6)).toBe("a b 🧭🧭…");
  });
});
