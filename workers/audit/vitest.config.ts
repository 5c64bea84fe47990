import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { randomBytes } from "node:crypto";
import { defineConfig } from "vitest/config";
import { openSigner } from "../../core/audit-chain/keys.ts";

const AUDIT_KEY = randomBytes(32).toString("base64");
const { publicKey } = await openSigner(AUDIT_KEY);

export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => ({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: {
          RELAYKEY_AUDIT_KEY: AUDIT_KEY,
          RELAYKEY_AUDIT_PUBLIC_KEYS: publicKey.text,
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
