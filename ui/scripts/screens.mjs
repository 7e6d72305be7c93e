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
  ["import-path", "?browser", "/import", (page) => page.getByRole("button", { name: "Choose files…" }).click()],
  [
    "import-path-wrong",
    "?browser",
    "/import",
    async (page) => {
      await page.getByRole("button", { name: "Choose a folder…" }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("notes");
      await page.keyboard.press("Enter");
    },
  ],
  [
    "import-running",
    "",
    "/import",
    async (page) => {
      await page.getByRole("button", { name: "Choose a folder…" }).click();
      await page.getByRole("button", { name: "Import 4 files" }).click();
      await page.waitForTimeout(1500);
    },
  ],
  [
    "import-result",
    "",
    "/import",
    async (page) => {
      await page.getByRole("button", { name: "Choose a folder…" }).click();
      await page.getByRole("button", { name: "Import 4 files" }).click();
      await page.getByRole("heading", { name: "Imported" }).waitFor();
    },
  ],
  ["levels-deleted", "", "/levels?show=deleted"],
  [
    "levels-chosen",
    "",
    "/levels",
    async (page) => {
      await page.getByRole("listbox", { name: /^L2/ }).focus();
      await page.keyboard.press("Space");
      for (let i = 0; i < 3; i += 1) await page.keyboard.press("Shift+ArrowDown");
      await page.getByRole("button", { name: "Filter" }).click();
    },
  ],
  ["levels-words", "", "/levels", (page) => page.getByRole("searchbox", { name: "Words in the text" }).fill("migration")],
  [
    "levels-edit",
    "",
    "/levels",
    async (page) => {
      await page.locator("[role=option]").nth(3).click();
      await page.getByRole("button", { name: "Edit" }).click();
      await page.getByRole("button", { name: "Add metadata" }).click();
    },
  ],
  ["levels-errors", "?errors", "/levels"],
  ["search-errors", "?errors", search],
  ["performance-errors", "?errors", "/performance"],
  ["resilience-errors", "?errors", "/resilience"],
  ["server-errors", "?errors", "/settings?tab=server"],
  ["shortcuts", "", "/overview", (page) => page.keyboard.press("?")],
  ["lost", "", "/overview", (page) => page.evaluate(() => window.fake.emit("connection", { state: "lost" }))],
  ["locked", "", "/overview", (page) => page.evaluate(() => window.fake.emit("connection", { state: "locked" }))],
  ["fault", "", "/overview", (page) => page.evaluate(() => window.fake.emit("panic", { message: "The program met a fault in the embedding at batcher.rs:120." }))],
  [
    "toast-over-dialog",
    "",
    "/levels",
    async (page) => {
      await page.keyboard.press("Control+z");
      await page.keyboard.press("n");
    },
  ],
  ["settings", "", "/settings"],
  ["settings-storage", "", "/settings?tab=storage"],
  ["settings-resilience", "", "/settings?tab=resilience"],
  ["settings-appearance", "", "/settings?tab=appearance"],
  ["settings-broken", "?settings=broken", "/settings?tab=resilience"],
  ["settings-no-keyring", "?keyring=absent", "/settings?tab=tokens"],
  [
    "settings-invalid",
    "",
    "/settings?tab=resilience",
    (page) => page.getByRole("spinbutton", { name: "Opens after" }).fill("0"),
  ],
  [
    "settings-remote",
    "",
    "/settings?tab=server",
    async (page) => {
      await page.getByRole("textbox", { name: "Address" }).fill("0.0.0.0");
      await page.waitForTimeout(400);
      await page.getByRole("button", { name: "Apply" }).click();
      await page.waitForTimeout(400);
    },
  ],
  ["settings-server-browser", "?browser", "/settings?tab=server"],
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
      if (only && !new RegExp(only).test(`${name}-${colorScheme}-${size}`)) continue;
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
