import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
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

export default defineConfig(({ mode }) => ({
  base: "./",
  plugins: [plainIcons(), svelte(), svelteTesting(), fakeEntry(mode)],
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
