import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { frameFirst } from "./frame.ts";
import { plainIcons } from "./icons.ts";

/** What the desktop shell sets as well; here so that a preview shows what the policy would block. */
const policy = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self' ipc: http://ipc.localhost",
].join("; ");

/** In the mode `fake` the page starts from `dev/main.ts`, which no production build can reach. */
function fakeEntry(mode: string): Plugin {
  return {
    name: "fake-entry",
    transformIndexHtml: {
      order: "pre",
      handler: (html) => (mode === "fake" ? html.replace("/src/main.ts", "/dev/main.ts") : html),
    },
  };
}

/** The letters are fetched beside the code: text that is set in others first is set twice, and finding others takes longer. */
function lettersFirst(): Plugin {
  return {
    name: "letters-first",
    transformIndexHtml: {
      order: "post",
      handler: (_, { bundle }) =>
        Object.keys(bundle ?? {})
          .filter((name) => /\/inter-latin-wght-normal-.*\.woff2$/.test(name))
          .map((name) => ({
            tag: "link",
            attrs: { rel: "preload", as: "font", type: "font/woff2", crossorigin: true, href: `./${name}` },
            injectTo: "head-prepend" as const,
          })),
    },
  };
}

export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: [plainIcons(), svelte(), svelteTesting(), fakeEntry(mode), lettersFirst(), frameFirst()],
  resolve: {
    alias: { $bindings: fileURLToPath(new URL("../crates/hirag-server/bindings", import.meta.url)) },
  },
  clearScreen: false,
  server: { port: 5173, strictPort: true },
  preview: { headers: { "Content-Security-Policy": policy } },
  build: { target: "safari16.4", assetsInlineLimit: 0, reportCompressedSize: false },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts", "tests/*.test.ts"],
    setupFiles: ["src/testing/setup.ts"],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
}));
