import { describe, expect, it } from "vitest";
import { pieces } from "./highlight";

const hits = (text: string, query: string): string[] =>
  pieces(text, query)
    .filter((piece) => piece.hit)
    .map((piece) => piece.text);

describe("marking the words of a query", () => {
  it("finds words whatever their case, and their inflections", () => {
    expect(hits("Migrations failed. The MIGRATION was long.", "why did the migration fail")).toEqual([
      "Migrations",
      "failed",
      "MIGRATION",
    ]);
  });

  it("does not mark words that every text has", () => {
    expect(hits("It was the best of times.", "what was the time of it")).toEqual(["times"]);
  });

  it("keeps every letter of the text in order", () => {
    const text = '<b onclick="x()">שלום</b> 🧭 migration\n';
    expect(pieces(text, "migration שלום").map((piece) => piece.text).join("")).toBe(text);
  });

  it("marks nothing without a query", () => {
    expect(pieces("text", "")).toEqual([{ text: "text", hit: false }]);
  });
});
