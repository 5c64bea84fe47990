import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => ({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: {
          DATABASE_URL: inject<string>("databaseUrl"),
          RELAYKEY_SQL_ENDPOINT: inject<string>("sqlEndpoint"),
        },
      },
    })),
  ],
  test: {
    name: "audit",
    include: ["**/*.test.ts"],
    globalSetup: ["../../local/sql/test-database.ts"],
    testTimeout: 30_000,
  },
});
