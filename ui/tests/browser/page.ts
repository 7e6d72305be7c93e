// The built page with the scripted host, in a real browser.
import { chromium, type Browser, type Page } from "playwright-core";
import { preview, type PreviewServer } from "vite";

export type Opened = { page: Page; problems: string[] };

export class Studio {
  #server!: PreviewServer;
  #browser!: Browser;

  async start(): Promise<void> {
    this.#server = await preview({ mode: "fake", build: { outDir: "dist-fake" }, preview: { port: 0 } });
    this.#browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-background-networking"],
    });
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
  }

  /** Opens a view; everything the browser complains of is kept in `problems`. */
  async open(
    address: string,
    { theme = "light", width = 1280, height = 800 }: { theme?: "light" | "dark"; width?: number; height?: number } = {},
  ): Promise<Opened> {
    const context = await this.#browser.newContext({ colorScheme: theme, viewport: { width, height } });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(`${this.#server.resolvedUrls?.local[0] ?? ""}${address}`);
    await page.waitForTimeout(600);
    return { page, problems };
  }
}

