/**
 * A fresh, migrated PGlite behind the real endpoint, for tests that run in another runtime than Node: prints
 * `{"databaseUrl", "sqlEndpoint"}` when it answers, and ends when its standard input does.
 */
import { startSqlEndpoint } from "./endpoint.ts";
import { migrateBackend } from "./migrate-backend.ts";
import { openPglite } from "./pglite.ts";

const password = crypto.randomUUID();
const backend = await openPglite("memory://");
await migrateBackend(backend);
const endpoint = await startSqlEndpoint({ backend, password });
console.log(
  JSON.stringify({
    databaseUrl: `postgres://relaykey:${password}@localhost/relaykey`,
    sqlEndpoint: endpoint.url,
  }),
);
process.stdin.resume();
process.stdin.on("close", () => process.exit(0));
