import { randomBytes } from "node:crypto";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "../../wrangler.toml" },
      miniflare: {
        bindings: {
          RELAYKEY_TOKEN_KEY: randomBytes(32).toString("base64"),
          RELAYKEY_MASTER_KEY: randomBytes(32).toString("base64"),
          RELAYKEY_AWS_ACCESS_KEY_ID: "EXAMPLEACCESSKEY0001",
          RELAYKEY_AWS_SECRET_ACCESS_KEY: randomBytes(30).toString("base64"),
        },
        // Every host on the internet is this Worker: the vendor of the tests.
        outboundService: "vendor",
        workers: [
          {
            name: "vendor",
            modules: [
              { type: "ESModule", path: "./test/vendor.js" },
              { type: "ESModule", path: "./test/kms.js" },
            ],
            compatibilityDate: "2026-10-01",
          },
        ],
      },
    }),
  ],
  test: {
    name: "proxy",
    include: ["**/*.test.ts"],
    // The simulation brings its own clock and runs in plain Node.
    exclude: ["simulation/**", "node_modules/**"],
    testTimeout: 30_000,
  },
});
