// Pictures of every view on the scripted host: `npm run build:fake && npm run screens -- FOLDER [only]`.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { preview } from "vite";

const folder = process.argv[2];
if (!folder) {
  console.error("Say where the pictures go: npm run screens -- FOLDER");
  process.exit(2);
}
const only = process.argv[3];
mkdirSync(folder, { recursive: true });

const server = await preview({ mode: "fake", build: { outDir: "dist-fake" }, preview: { port: 0 } });
const base = server.resolvedUrls.local[0];
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-background-networking"] });

const search = "/search?query=Why+did+the+migration+of+billing+fail";
const screens = [
  ["overview", "", "/overview"],
  ["overview-empty", "?empty", "/overview"],
  ["levels", "", "/levels"],
  ["levels-detail", "", "/levels", (page) => page.locator("[role=option]").nth(3).click()],
  ["levels-empty", "?empty", "/levels"],
  ["search", "", search],
  [
    "search-reranked",
    "",
    search,
    async (page) => {
      await page.getByRole("slider", { name: "Recency" }).fill("0.6");
      await page.waitForTimeout(300);
    },
  ],
  ["search-dropped", "", search, (page) => page.getByText(/^Dropped/).click()],
  [
    "search-why",
    "",
    search,
    async (page) => {
      await page.getByText(/^Dropped/).click();
      await page.getByRole("button", { name: /^Why not …/ }).first().click();
      await page.waitForTimeout(300);
    },
  ],
  ["search-history", "", search, (page) => page.getByText("History").click()],
  [
    "search-replay",
    "",
    search,
    async (page) => {
      await page.getByText("History").click();
      await page.getByRole("button", { name: /^Replay/ }).first().click();
    },
  ],
  ["search-empty", "?empty", "/search"],
  ["performance", "", "/performance"],
  ["performance-empty", "?empty", "/performance"],
  [
    "performance-load",
    "",
    "/performance",
    async (page) => {
      await page.getByRole("spinbutton", { name: "Seconds" }).fill("1");
      await page.getByRole("button", { name: "Start the run" }).click();
      await page.getByRole("table", { name: "Errors under load" }).waitFor();
      await page.getByRole("table", { name: "Errors under load" }).scrollIntoViewIfNeeded();
    },
  ],
  ["resilience", "", "/resilience"],
  ["resilience-open", "?breaker=open", "/resilience"],
  [
    "resilience-drill",
    "",
    "/resilience",
    async (page) => {
      await page.getByRole("button", { name: "Start the drill" }).click();
      await page.getByText("Search once a second").click();
      await page.waitForTimeout(6000);
    },
  ],
  ["import", "", "/import"],
  ["import-preview", "", "/import", (page) => page.getByRole("button", { name: "Choose a folder…" }).click()],
  ["settings", "", "/settings"],
  ["settings-retrieval", "", "/settings?tab=retrieval"],
  ["settings-levels", "", "/settings?tab=levels"],
  ["settings-server", "", "/settings?tab=server"],
  [
    "settings-new-token",
    "",
    "/settings?tab=server",
    async (page) => {
      await page.getByRole("button", { name: "Replace the token…" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Replace" }).click();
    },
  ],
  ["settings-agents", "", "/settings?tab=agents"],
  ["settings-tokens", "", "/settings?tab=tokens"],
  ["opening", "?startup=opening", "/overview"],
  ["failed", "?startup=failed", "/overview"],
  ["errors", "?errors", "/overview"],
  ["palette", "", "/overview", (page) => page.keyboard.press("Control+k")],
  ["new-context", "", "/levels", (page) => page.getByRole("button", { name: "New context", exact: true }).click()],
];
const sizes = [
  { name: "small", width: 900, height: 600 },
  { name: "large", width: 1600, height: 1000 },
];

for (const colorScheme of ["light", "dark"]) {
  for (const { name: size, ...viewport } of sizes) {
    const context = await browser.newContext({ viewport, colorScheme });
    const page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") console.log(page.url(), message.text());
    });
    page.on("pageerror", (error) => console.log(page.url(), error.stack));
    for (const [name, query, hash, then] of screens) {
      if (only && !`${name}-${colorScheme}-${size}`.includes(only)) continue;
      await page.goto("about:blank");
      await page.goto(`${base}${query}#${hash}`);
      await page.waitForTimeout(700);
      await then?.(page);
      await page.waitForTimeout(250);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${size}.png`) });
    }
    await context.close();
  }
}
await browser.close();
await server.close();
process.exit(0);
