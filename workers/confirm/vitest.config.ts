import { randomBytes } from "node:crypto";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const ESM = { modules: true, compatibilityDate: "2026-10-01" };

export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => ({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: {
          RELAYKEY_CONFIRM_KEY: randomBytes(32).toString("base64"),
          RELAYKEY_MAIL_TRANSPORT: "outbox",
          MAIL_SERVERS: inject<string>("mailServers"),
        },
        serviceBindings: { OUTBOX: { name: "relaykey-outbox", entrypoint: "Outbox" } },
        workers: [
          { name: "relaykey-proxy", scriptPath: "./test/confirmations.js", ...ESM },
          { name: "relaykey-outbox", scriptPath: "./test/outbox.js", ...ESM },
        ],
      },
    })),
  ],
  test: {
    name: "confirm",
    include: ["**/*.test.{ts,tsx}"],
    globalSetup: ["./test/mail-servers.mjs"],
    testTimeout: 30_000,
  },
});
