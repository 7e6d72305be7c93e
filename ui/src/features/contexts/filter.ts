// What people narrow a list or a search by, and the filter that it comes to.
import type { Condition } from "$bindings/Condition";
import type { ContextLevel } from "$bindings/ContextLevel";
import type { Filter } from "$bindings/Filter";
import type { Value } from "$bindings/Value";

export type Narrowing = {
  agent: string;
  session: string;
  /** Days as 2026-11-22; both count. */
  since: string;
  until: string;
  /** Pairs like `topic=retrieval, draft=true`. */
  metadata: string;
};

export const everything: Narrowing = { agent: "", session: "", since: "", until: "", metadata: "" };

export function isNarrowed(narrowing: Narrowing): boolean {
  return Object.values(narrowing).some((value) => value.trim() !== "");
}

function value(text: string): Value {
  if (text === "true" || text === "false") return text === "true";
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** The pairs of `topic=retrieval, draft=true`; what has no `=` asks whether the key exists. */
export function metadataConditions(text: string): Condition[] {
  return text
    .split(",")
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      if (at < 0) return { key: `metadata.${pair}`, exists: true };
      return { key: `metadata.${pair.slice(0, at).trim()}`, match: value(pair.slice(at + 1).trim()) };
    });
}

/** Whether a day is empty or one that there is: some web views let people type anything. */
export function isDay(day: string): boolean {
  if (day.trim() === "") return true;
  const [, year, month, date] = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(day.trim())?.map(Number) ?? [];
  if (!year || !month || !date) return false;
  const at = new Date(year, month - 1, date);
  return at.getMonth() === month - 1 && at.getDate() === date;
}

function dayStart(day: string, plus = 0): string | null {
  const [year, month, date] = day.trim().split("-").map(Number);
  if (!isDay(day) || !year || !month || !date) return null;
  return new Date(year, month - 1, date + plus).toISOString();
}

export function toFilter(narrowing: Narrowing, level?: ContextLevel): Filter {
  const must: Condition[] = [];
  if (level) must.push({ key: "level", match: level });
  if (narrowing.agent.trim()) must.push({ key: "agent", match: narrowing.agent.trim() });
  if (narrowing.session.trim()) must.push({ key: "session", match: narrowing.session.trim() });
  const since = dayStart(narrowing.since);
  const until = dayStart(narrowing.until, 1);
  if (since || until) {
    must.push({ key: "created_at", range: { ...(since && { gte: since }), ...(until && { lt: until }) } });
  }
  must.push(...metadataConditions(narrowing.metadata));
  return { must, should: [], must_not: [] };
}

/** The day of a time as the fields show it, in the time zone of this machine. */
function dayOf(time: string, plus = 0): string {
  const at = new Date(time);
  const day = new Date(at.getFullYear(), at.getMonth(), at.getDate() + plus);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
}

/** What a filter was made from; `null` for one that the fields cannot say. */
export function fromFilter(filter: Filter): Narrowing | null {
  const narrowing = { ...everything };
  const pairs: string[] = [];
  for (const { key, match, range, exists } of filter.must) {
    const name = key.replace(/^metadata\./, "");
    if ((key === "agent" || key === "session") && match !== undefined) narrowing[key] = String(match);
    else if (key === "created_at" && range) {
      if (range.gte != null) narrowing.since = dayOf(String(range.gte));
      if (range.lt != null) narrowing.until = dayOf(String(range.lt), -1);
    } else if (name !== key && match !== undefined) pairs.push(`${name}=${match}`);
    else if (name !== key && exists === true) pairs.push(name);
  }
  narrowing.metadata = pairs.join(", ");
  const said = JSON.stringify(toFilter(narrowing)) === JSON.stringify(filter);
  return said ? narrowing : null;
}
