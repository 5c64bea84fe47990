import { defineConfig } from "vitest/config";
import { SweepLast } from "./e2e/sweep-last.ts";

/** One project per runtime: plain Node, workerd (each Worker brings its own), and the whole stack. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          include: [
            "core/**/*.test.ts",
            "db/**/*.test.ts",
            "local/**/*.test.ts",
            "control-plane/{api,app,service}/**/*.test.ts",
            "cli/**/*.test.ts",
            "scripts/**/*.test.ts",
            "workers/proxy/simulation/*.test.ts",
          ],
          exclude: ["**/node_modules/**"],
          testTimeout: 30_000,
          hookTimeout: 120_000,
        },
      },
      "workers/*/vitest.config.ts",
      "e2e/vitest.config.*",
    ],
    // Two cores: files that start a stack or a database must not starve each other.
    maxWorkers: 2,
    sequence: { sequencer: SweepLast },
  },
});
