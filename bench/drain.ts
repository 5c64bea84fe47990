/**
 * `npm run bench:drain`: how many audit events a second are written, batch by batch as the audit Worker drains its queue, without
 * the chain and with it, in turns in the same run. On PostgreSQL where its server is installed, else on PGlite. Prints a table
 * and JSON.
 */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { openSigner } from "@relaykey/core/audit-chain/keys";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { newId } from "@relaykey/core/ids";
import { openDatabase } from "@relaykey/db/client";
import type { Database } from "@relaykey/db/client";
import { insertAuditEvents } from "@relaykey/db/queries/audit";
import { appendAuditEvents } from "@relaykey/db/queries/audit-append";
import { startSqlEndpoint } from "@relaykey/local/sql/endpoint";
import { migrateBackend } from "@relaykey/local/sql/migrate-backend";
import { openPglite } from "@relaykey/local/sql/pglite";
import { openPostgres } from "@relaykey/local/sql/postgres";
import { startPostgres } from "@relaykey/local/sql/test-postgres";
import { median } from "./measures/load.ts";

const { values } = parseArgs({
  options: {
    batch: { type: "string", default: "500" },
    keys: { type: "string", default: "200" },
    rounds: { type: "string", default: "30" },
  },
});
const size = Number(values.batch);
const rounds = Number(values.rounds);
const organizationId = newId();
const integrationId = newId();
const keyIds = Array.from({ length: Number(values.keys) }, () => newId());

const postgres = await startPostgres();
const backend = postgres === null ? await openPglite("memory://") : openPostgres(postgres.url);
await migrateBackend(backend);
const endpoint = await startSqlEndpoint({ backend, password: "p" });
try {
  await main(openDatabase("postgres://relaykey:p@localhost/relaykey", endpoint.url));
} finally {
  await endpoint.close();
  await backend.close();
  postgres?.stop();
}

async function main(db: Database): Promise<void> {
  const signer = await openSigner(randomBytes(32).toString("base64"));
  const ways = [
    { name: "without the chain", write: (some: readonly AuditEvent[]) => insertAuditEvents(db, some) },
    {
      name: "with the chain",
      write: (some: readonly AuditEvent[]) => appendAuditEvents(db, signer, some, Date.now()),
    },
  ].map((way) => ({ ...way, ms: [] as number[] }));
  // The first round warms up and does not count.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { write, ms } of ways) {
      const batch = Array.from({ length: size }, (_, index) => event(index));
      const begun = performance.now();
      const written = await write(batch);
      if (written !== size) throw new Error(`Of ${String(size)} events ${String(written)} were written.`);
      if (round > 0) ms.push(performance.now() - begun);
    }
  }
  const bare = median(ways[0]?.ms ?? []);
  const figures = ways.map(({ name, ms }) => ({
    name,
    batchMs: Math.round(median(ms)),
    eventsPerSecond: Math.round((size * 1_000) / median(ms)),
    ratio: Math.round((bare / median(ms)) * 100) / 100,
  }));
  console.table(
    Object.fromEntries(
      figures.map(({ name, batchMs, eventsPerSecond, ratio }) => [
        name,
        { "ms per batch": batchMs, "events/s": eventsPerSecond, "of without": ratio },
      ]),
    ),
  );
  const database = postgres === null ? "PGlite" : "PostgreSQL";
  console.log(JSON.stringify({ database, batch: size, keys: keyIds.length, rounds, figures }));
}

function event(index: number): AuditEvent {
  const isBlocked = index % 9 === 0;
  return {
    v: 1,
    requestId: newId(),
    at: Date.now(),
    organizationId,
    integrationId,
    integrationSlug: "openai",
    keyId: keyIds[Math.floor(Math.random() ** 3 * keyIds.length)] ?? null,
    holderId: organizationId,
    method: "POST",
    path: `/v1/models/${String(index % 40)}/items`,
    query: null,
    decision: isBlocked ? "blocked" : "allowed",
    reason: isBlocked ? "scope_path" : null,
    outcome: "completed",
    status: isBlocked ? 403 : 200,
    upstreamStatus: isBlocked ? null : 200,
    ip: `203.0.113.${String(index % 250)}`,
    userAgent: "OpenAI/JS 7.57.0",
    durationMs: 40 + index,
    bytesIn: 812,
    bytesOut: 4_100,
    retentionDays: 90,
    droppedHeaders: [],
  };
}
