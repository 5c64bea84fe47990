import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "e2e",
    include: ["**/*.test.ts"],
    globalSetup: ["./shared-stack.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // One stack at a time on two cores.
    fileParallelism: false,
  },
});
