import { and, between, desc, eq, gte, lt, lte, sql } from "drizzle-orm";
import type { SQL, SQLWrapper } from "drizzle-orm";
import type { BlockReason } from "@relaykey/core/block-reasons";
import type { Extension } from "@relaykey/core/audit-chain/append";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { lowestIdAt, newId, timeOfId } from "@relaykey/core/ids";
import type { Database } from "../client.ts";
import { auditDeadLetters, auditEvents, usageDays } from "../schema/audit.ts";
import { auditDays, trafficCounts } from "../schema/traffic.ts";
import { entryInsertion } from "./audit-chain.ts";
import { ID_SLACK_MS, readAuditDays, windowsOf } from "./audit-days.ts";

export type AuditRow = typeof auditEvents.$inferSelect;

/** What a reader of the audit log asks for. Absent = no constraint. */
export interface AuditFilter {
  readonly keyId?: string;
  readonly holderId?: string;
  readonly integrationId?: string;
  readonly decision?: "allowed" | "blocked";
  readonly reason?: BlockReason;
  readonly requestId?: string;
  /** As it was sent: case counts. */
  readonly method?: string;
  /** How the path begins; case counts. */
  readonly pathPrefix?: string;
  /** Anywhere in the path; case counts. */
  readonly pathPart?: string;
  /** A canonical address. */
  readonly ip?: string;
  /** Both inclusive. */
  readonly status?: { readonly least: number; readonly most: number };
  /** Inclusive. */
  readonly from?: Date;
  /** Inclusive. */
  readonly to?: Date;
  /** Request id of the last row of the previous page. */
  readonly before?: string;
}

const DAY_MS = 86_400_000;

/** The first day (UTC, YYYY-MM-DD) on which an event is no longer kept. It follows from the event alone. */
export function expiryDay(event: Pick<AuditEvent, "at" | "retentionDays">): string {
  return new Date(event.at + (event.retentionDays + 1) * DAY_MS).toISOString().slice(0, 10);
}

/**
 * Writes events that are in no chain, and counts them per organization and day; one that is there already is left as it is.
 *
 * @returns how many were new.
 */
export async function insertAuditEvents(db: Database, events: readonly AuditEvent[]): Promise<number> {
  if (events.length === 0) return 0;
  await ensurePartitions(db, events);
  const result = await insertion(db, events, new Map(), sql`ON CONFLICT DO NOTHING`);
  return Number(result.rows[0]?.count ?? 0);
}

/**
 * Writes events together with the entries that their chains are continued by: all of it or nothing.
 *
 * @throws a unique violation when one of the events is there already, or another writer has continued a chain meanwhile.
 */
export async function insertChainedEvents(
  db: Database,
  events: readonly AuditEvent[],
  extension: Extension,
): Promise<void> {
  await ensurePartitions(db, events);
  // The entries first: writers of the same organization wait for one another there, in the same order each time.
  await db.batch([entryInsertion(db, extension.entries), insertion(db, events, extension.places, sql``)]);
}

/** Those of the events that are not in the table yet. */
export async function withoutWritten(db: Database, events: readonly AuditEvent[]): Promise<AuditEvent[]> {
  const asked = events.map((event) => ({ day: expiryDay(event), id: event.requestId }));
  const { rows } = await db.execute<{ request_id: string }>(sql`
    SELECT event.request_id FROM jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) AS asked (day date, id uuid)
    JOIN ${auditEvents} AS event ON event.expires_on = asked.day AND event.request_id = asked.id`);
  const written = new Set(rows.map((row) => row.request_id));
  return events.filter(({ requestId }) => !written.has(requestId));
}

function insertion(
  db: Database,
  events: readonly AuditEvent[],
  places: Extension["places"],
  onConflict: SQL,
) {
  // One JSON parameter instead of a parameter per column and row: far less work for the Worker, and for the driver.
  const rows = events.map(({ v: _format, retentionDays: _days, at, ...event }) => ({
    ...event,
    at: new Date(at).toISOString(),
    expiresOn: expiryDay({ at, retentionDays: _days }),
    ...places.get(event.requestId),
  }));
  return db.execute<{ count: string }>(sql`
    WITH written AS (INSERT INTO ${auditEvents} (expires_on, request_id, at, organization_id, integration_id, integration_slug, key_id,
      holder_id, method, path, query, decision, reason, outcome, status, upstream_status, ip, user_agent, duration_ms,
      bytes_in, bytes_out, dropped_headers, chain_sequence, chain_position)
    SELECT "expiresOn", "requestId", at, "organizationId", "integrationId", "integrationSlug", "keyId", "holderId",
      method, path, query, decision, reason, outcome, status, "upstreamStatus", ip, "userAgent", "durationMs",
      "bytesIn", "bytesOut", ARRAY(SELECT jsonb_array_elements_text("droppedHeaders")), sequence, position
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS event ("expiresOn" date, "requestId" uuid,
      at timestamptz, "organizationId" uuid, "integrationId" uuid, "integrationSlug" text, "keyId" uuid,
      "holderId" uuid, method text, path text, query text, decision text, reason text, outcome text, status int,
      "upstreamStatus" int, ip text, "userAgent" text, "durationMs" bigint, "bytesIn" bigint, "bytesOut" bigint,
      "droppedHeaders" jsonb, sequence bigint, position int)
    ${onConflict}
    RETURNING organization_id, at
    ), counted AS (
      INSERT INTO ${usageDays} AS usage (organization_id, day, requests)
      SELECT organization_id, (at AT TIME ZONE 'UTC')::date AS day, count(*) FROM written
      WHERE organization_id IS NOT NULL GROUP BY organization_id, day ORDER BY organization_id, day
      ON CONFLICT (organization_id, day) DO UPDATE SET requests = usage.requests + excluded.requests
    )
    SELECT count(*) FROM written`);
}

/** The rows of one organization that a filter admits. */
export function auditWhere(organizationId: string, filter: AuditFilter): SQL | undefined {
  return and(
    eq(auditEvents.organizationId, organizationId),
    filter.keyId === undefined ? undefined : eq(auditEvents.keyId, filter.keyId),
    filter.holderId === undefined ? undefined : eq(auditEvents.holderId, filter.holderId),
    filter.integrationId === undefined ? undefined : eq(auditEvents.integrationId, filter.integrationId),
    filter.decision === undefined ? undefined : eq(auditEvents.decision, filter.decision),
    filter.reason === undefined ? undefined : eq(auditEvents.reason, filter.reason),
    filter.requestId === undefined ? undefined : eq(auditEvents.requestId, filter.requestId),
    filter.method === undefined ? undefined : eq(auditEvents.method, filter.method),
    filter.pathPrefix === undefined ? undefined : sql`starts_with(${auditEvents.path}, ${filter.pathPrefix})`,
    filter.pathPart === undefined ? undefined : sql`position(${filter.pathPart} in ${auditEvents.path}) > 0`,
    filter.ip === undefined ? undefined : eq(auditEvents.ip, filter.ip),
    filter.status === undefined
      ? undefined
      : between(auditEvents.status, filter.status.least, filter.status.most),
    // Ids are the order of time, and have the index.
    filter.from === undefined
      ? undefined
      : and(
          gte(auditEvents.requestId, lowestIdAt(filter.from.getTime() - ID_SLACK_MS)),
          gte(auditEvents.at, filter.from),
        ),
    filter.to === undefined
      ? undefined
      : and(
          lt(auditEvents.requestId, lowestIdAt(filter.to.getTime() + ID_SLACK_MS)),
          lte(auditEvents.at, filter.to),
        ),
    filter.before === undefined ? undefined : lt(auditEvents.requestId, filter.before),
  );
}

/** The rows in some partitions. The names are values of the statement, so that the others are not even planned for. */
export function inPartitions(expiresOn: readonly string[], column: SQLWrapper = auditEvents.expiresOn): SQL {
  return sql`${column} = ANY(${`{${expiresOn.join(",")}}`}::date[])`;
}

/**
 * Newest first, of one organization. Request ids are UUIDv7, so they are the order of time. Looks into the newest days first, and
 * further back only as long as there are too few.
 */
export async function listAuditEvents(
  db: Database,
  organizationId: string,
  filter: AuditFilter,
  limit: number,
): Promise<AuditRow[]> {
  const days = await readAuditDays(db, organizationId, timesOf(filter));
  const rows: AuditRow[] = [];
  for (const { expiresOn, first, end } of windowsOf(days)) {
    const found = await db
      .select()
      .from(auditEvents)
      .where(
        and(
          auditWhere(organizationId, filter),
          inPartitions(expiresOn),
          first === null ? undefined : gte(auditEvents.requestId, first),
          end === null ? undefined : lt(auditEvents.requestId, end),
        ),
      )
      .orderBy(desc(auditEvents.requestId))
      .limit(limit - rows.length);
    rows.push(...found);
    if (rows.length >= limit) break;
  }
  return rows;
}

/** Between which moments (epoch ms) the rows of a filter are. */
function timesOf({ from, to, before, requestId }: AuditFilter): { from: number; to: number } {
  const near = (id: string | undefined, slack: number): number =>
    id === undefined ? slack * Infinity : timeOfId(id) + slack;
  return {
    from: Math.max(from?.getTime() ?? -Infinity, near(requestId, -ID_SLACK_MS)),
    to: Math.min(to?.getTime() ?? Infinity, near(requestId, ID_SLACK_MS), near(before, ID_SLACK_MS)),
  };
}

/** Keeps what could not be read, once per origin. */
export async function keepDeadLetters(
  db: Database,
  letters: readonly { readonly origin: string; readonly raw: string; readonly error: string }[],
): Promise<void> {
  if (letters.length === 0) return;
  await db
    .insert(auditDeadLetters)
    .values(letters.map((letter) => ({ id: newId(), ...letter })))
    .onConflictDoNothing();
}

/**
 * Drops the partitions whose events have expired, and their counts.
 *
 * @param today YYYY-MM-DD (UTC); partitions up to and including this day go.
 * @returns the days that were dropped.
 */
export async function dropExpiredPartitions(db: Database, today: string): Promise<string[]> {
  const { rows } = await db.execute<{ name: string }>(sql`
    SELECT child.relname AS name FROM pg_inherits
    JOIN pg_class child ON child.oid = pg_inherits.inhrelid
    JOIN pg_class parent ON parent.oid = pg_inherits.inhparent
    WHERE parent.relname = 'audit_events'`);
  const expired = rows
    .map(({ name }) => name)
    .filter((name) => /^audit_events_\d{8}$/.test(name) && dayOfPartition(name) <= today)
    .sort();
  for (const name of expired) {
    await db.batch([
      db.execute(sql`DROP TABLE IF EXISTS ${sql.identifier(name)}`),
      db.delete(trafficCounts).where(eq(trafficCounts.expiresOn, dayOfPartition(name))),
      db.delete(auditDays).where(eq(auditDays.expiresOn, dayOfPartition(name))),
    ]);
  }
  return expired.map(dayOfPartition);
}

async function ensurePartitions(db: Database, events: readonly AuditEvent[]): Promise<void> {
  for (const day of new Set(events.map(expiryDay))) await ensurePartition(db, day);
}

/** Makes the partition of a day, unless it is there. */
export async function ensurePartition(db: Database, day: string): Promise<void> {
  const name = `audit_events_${day.replaceAll("-", "")}`;
  const next = new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
  const found = await db.execute(sql`SELECT to_regclass(${name}) IS NOT NULL AS found`);
  if (found.rows[0]?.["found"] === true) return;
  // Two consumers may race here: the loser's batch fails and is delivered again.
  await db.execute(
    sql.raw(
      `CREATE TABLE IF NOT EXISTS "${name}" PARTITION OF audit_events FOR VALUES FROM ('${day}') TO ('${next}')`,
    ),
  );
}

function dayOfPartition(name: string): string {
  const digits = name.slice(-8);
  return `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
}
