import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

// The direction in which imports run: a tier may use itself and what stands after it.
const tiers = ["views", "features", "shared", "platform"];
const root = join(import.meta.dirname, "../src");

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : /\.(ts|svelte|css)$/.test(path) ? [path] : [];
  });
}

function importsOf(path: string): string[] {
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)].map((match) =>
    relative(root, resolve(dirname(path), match[1] ?? "")),
  );
}

const tierOf = (path: string): string => path.split("/")[0] ?? "";
const all = files(root).map((path) => relative(root, path));

describe("imports", () => {
  it("run from views to features to shared to platform, and never back", () => {
    const wrong = all
      .filter((path) => tiers.includes(tierOf(path)) && !path.endsWith(".test.ts"))
      .flatMap((path) =>
        importsOf(join(root, path))
          .filter((target) => tiers.indexOf(tierOf(target)) < tiers.indexOf(tierOf(path)))
          .map((target) => `${path} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it("reach Tauri only in platform/ipc.ts, and the scripted host only in tests", () => {
    const own = all.filter((path) => !path.endsWith(".test.ts") && !path.startsWith("testing/"));
    for (const path of own) {
      const text = readFileSync(join(root, path), "utf8");
      if (path !== "platform/ipc.ts") expect(text, path).not.toMatch(/@tauri-apps/);
      expect(text, path).not.toMatch(/testing\//);
    }
  });

  it("show no text as markup", () => {
    for (const path of all.filter((one) => one.endsWith(".svelte"))) {
      expect(readFileSync(join(root, path), "utf8"), path).not.toContain("{@html");
    }
  });
});
