/**
 * A fresh, migrated database behind the real endpoint, for tests that run in another runtime than Node: a PostgreSQL where
 * its server is installed, else PGlite. Prints `{"databaseUrl", "sqlEndpoint"}` when it answers, and ends when its standard
 * input does.
 */
import { startSqlEndpoint } from "./endpoint.ts";
import { migrateBackend } from "./migrate-backend.ts";
import { openPglite } from "./pglite.ts";
import { openPostgres } from "./postgres.ts";
import { startPostgres } from "./test-postgres.ts";

const password = crypto.randomUUID();
const postgres = await startPostgres();
const backend = postgres === null ? await openPglite("memory://") : openPostgres(postgres.url);
await migrateBackend(backend);
const endpoint = await startSqlEndpoint({ backend, password });
console.log(
  JSON.stringify({
    databaseUrl: `postgres://relaykey:${password}@localhost/relaykey`,
    sqlEndpoint: endpoint.url,
  }),
);
const end = (): void => {
  postgres?.stop();
  process.exit(0);
};
process.on("SIGTERM", end);
process.stdin.resume();
process.stdin.on("close", end);
