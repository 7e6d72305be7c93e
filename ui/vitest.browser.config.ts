import { defineConfig } from "vitest/config";

/** Tests that look at the built page in a real browser; `npm run build:fake` comes first. */
export default defineConfig({
  test: {
    environment: "node",
    include: ["tests/browser/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
