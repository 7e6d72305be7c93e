// How numbers, sizes, times and levels are written for people.
import type { ContextLevel } from "$bindings/ContextLevel";

/** What takes a while to make, made when it is used first: the first content of the page waits for none of it. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** 12,345. The first formatter that a page makes takes longer than all the figures of its first content. */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** "1 context", "12,345 contexts" */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Bytes in binary units: 1.4 MB */
export function bytes(n: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  let value = n;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Milliseconds: 0.42 ms, 12.3 ms, 1.25 s */
export function ms(n: number): string {
  if (n >= 60_000) return duration(n / 1000);
  if (n >= 1000) return `${(n / 1000).toFixed(2)} s`;
  if (n >= 100) return `${Math.round(n)} ms`;
  if (n >= 10) return `${n.toFixed(1)} ms`;
  return `${n.toFixed(2)} ms`;
}

/** Seconds in words: 45 s, 3 min 20 s, 2 h 5 min, 3 d */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  if (s < 86_400) {
    const minutes = Math.round((s % 3600) / 60);
    return minutes ? `${Math.floor(s / 3600)} h ${minutes} min` : `${Math.floor(s / 3600)} h`;
  }
  return `${Math.round(s / 86_400)} d`;
}

/** 0 to 1 as 97.3 % */
export function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** A score from 0 to 1 with three places. */
export function score(value: number): string {
  return value.toFixed(3);
}

const relative = once(() => new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" }));

/** "2 min. ago", "in 3 days". What happens while the page's clock has not ticked again is "just now". */
export function ago(time: string, now: number): string {
  const seconds = (Date.parse(time) - now) / 1000;
  if (Number.isNaN(seconds)) return "unknown";
  const size = Math.abs(seconds);
  if (size < 60) return seconds > 15 ? "in under a minute" : "just now";
  if (size < 3600) return relative().format(Math.round(seconds / 60), "minute");
  if (size < 86_400) return relative().format(Math.round(seconds / 3600), "hour");
  if (size < 86_400 * 60) return relative().format(Math.round(seconds / 86_400), "day");
  if (size < 86_400 * 730) return relative().format(Math.round(seconds / (86_400 * 30.4)), "month");
  return relative().format(Math.round(seconds / (86_400 * 365)), "year");
}

const absolute = once(() => new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" }));

/** 22 Nov 2026, 07:43:50 in the time zone of this machine. */
export function date(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : absolute().format(at);
}

const clock = once(() => new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }));

/** 07:43:50 */
export function timeOfDay(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : clock().format(at);
}

/** The last eight characters of an id: its random part, which tells ids apart. */
export function shortId(id: string): string {
  return id.slice(-8);
}

export type LevelFacts = { level: ContextLevel; short: "L1" | "L2" | "L3"; name: string; meaning: string };

const immediate: LevelFacts = {
  level: "Immediate",
  short: "L1",
  name: "Immediate",
  meaning: "The working set, held in memory",
};
const shortTerm: LevelFacts = {
  level: "ShortTerm",
  short: "L2",
  name: "Short-term",
  meaning: "Recent contexts that expire or are promoted",
};
const longTerm: LevelFacts = {
  level: "LongTerm",
  short: "L3",
  name: "Long-term",
  meaning: "What is kept for good",
};

export const levels: readonly LevelFacts[] = [immediate, shortTerm, longTerm];

export function levelFacts(level: ContextLevel): LevelFacts {
  return level === "Immediate" ? immediate : level === "ShortTerm" ? shortTerm : longTerm;
}

/** The first line with something in it, for lists. */
export function firstLine(text: string, length = 240): string {
  const flat = text.slice(0, length * 3).replace(/\s+/gu, " ").trim();
  const letters = Array.from(flat);
  return letters.length > length ? `${letters.slice(0, length).join("")}…` : flat;
}

/** "too_many_requests" as "Too many requests" */
export function words(name: string): string {
  const spaced = name.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/**
 * What the host says, as a sentence: with a capital and a full stop. A path, a key or a name at its
 * beginning stays as it is.
 */
export function sentence(text: string): string {
  const said = text.trim();
  const first = /^[a-z]+(?=[\s,:])/.exec(said)?.[0];
  const begun = first ? first.charAt(0).toUpperCase() + said.slice(1) : said;
  return begun === "" || /[.!?…:]$/.test(begun) ? begun : `${begun}.`;
}
