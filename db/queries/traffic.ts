import { and, count, eq, gt, isNotNull, lt, lte, sql } from "drizzle-orm";
import { unionAll } from "drizzle-orm/pg-core";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";
import { holders } from "../schema/holders.ts";
import { integrations } from "../schema/integrations.ts";
import { relayKeys } from "../schema/keys.ts";
import { auditWhere, inPartitions } from "./audit.ts";
import { partitionsOf, readAuditDays } from "./audit-days.ts";

/** What waits for somebody. */
export interface Attention {
  readonly activeKeys: number;
  /** Keys with a change that the proxy has not confirmed. */
  readonly pendingKeys: number;
  readonly expiringKeys: number;
  readonly frozenKeys: number;
  readonly failingIntegrations: number;
  readonly integrations: number;
}

/** @param soon until when a key that expires is said to expire soon. */
export async function countAttention(
  db: Database,
  organizationId: string,
  times: { readonly now: Date; readonly soon: Date },
): Promise<Attention> {
  const where = (condition: ReturnType<typeof sql>) =>
    sql<number>`count(*) FILTER (WHERE ${condition})`.mapWith(Number);
  const live = and(
    eq(relayKeys.state, "active"),
    sql`(${relayKeys.expiresAt} IS NULL OR ${relayKeys.expiresAt} > ${times.now.toISOString()}::timestamptz)`,
  );
  const [keys, upstreams] = await db.batch([
    db
      .select({
        activeKeys: where(sql`${live}`),
        pendingKeys: where(sql`${relayKeys.enforcedVersion} < ${relayKeys.policyVersion}`),
        frozenKeys: where(sql`${relayKeys.state} = 'frozen'`),
        expiringKeys: where(
          sql`${and(eq(relayKeys.state, "active"), gt(relayKeys.expiresAt, times.now), lte(relayKeys.expiresAt, times.soon))}`,
        ),
      })
      .from(relayKeys)
      .where(eq(relayKeys.organizationId, organizationId)),
    db
      .select({
        integrations: count(),
        failingIntegrations: where(sql`${integrations.health} = 'failing'`),
      })
      .from(integrations)
      .where(eq(integrations.organizationId, organizationId)),
  ]);
  const [first] = keys;
  const [second] = upstreams;
  if (first === undefined || second === undefined) throw new Error("A count came back empty.");
  return { ...first, ...second };
}

/** Addresses of keys that were blocked as new ones since a moment, and have not been let through since. */
export async function countUnconfirmedAddresses(
  db: Database,
  organizationId: string,
  since: Date,
): Promise<number> {
  const days = await readAuditDays(db, organizationId, { from: since.getTime(), to: Infinity });
  const passed = sql`bool_or(${auditEvents.decision} = 'allowed')`;
  const waiting = db
    .select({ holderId: auditEvents.holderId })
    .from(auditEvents)
    .where(
      and(
        auditWhere(organizationId, { from: since }),
        inPartitions(partitionsOf(days)),
        isNotNull(auditEvents.ip),
      ),
    )
    .groupBy(auditEvents.holderId, auditEvents.ip)
    .having(sql`bool_or(${auditEvents.reason} = 'ip_unconfirmed') AND NOT ${passed}`)
    .as("waiting");
  const [row] = await db.select({ addresses: count() }).from(waiting);
  return row?.addresses ?? 0;
}

/** Keys of an organization that expire in a time, the next one first. */
export function listExpiringKeys(
  db: Database,
  organizationId: string,
  times: { readonly now: Date; readonly soon: Date },
  limit: number,
): Promise<{ id: string; name: string; expiresAt: Date | null }[]> {
  return db
    .select({ id: relayKeys.id, name: relayKeys.name, expiresAt: relayKeys.expiresAt })
    .from(relayKeys)
    .where(
      and(
        eq(relayKeys.organizationId, organizationId),
        eq(relayKeys.state, "active"),
        gt(relayKeys.expiresAt, times.now),
        lt(relayKeys.expiresAt, times.soon),
      ),
    )
    .orderBy(relayKeys.expiresAt)
    .limit(limit);
}

/** What the ids of a list of events are called. */
export async function namesOf(
  db: Database,
  organizationId: string,
  ids: { readonly keys: readonly string[]; readonly holders: readonly string[] },
): Promise<{ readonly keys: ReadonlyMap<string, string>; readonly holders: ReadonlyMap<string, string> }> {
  const isAny = (column: AnyPgColumn, asked: readonly string[]) =>
    sql`${column} = ANY(${`{${asked.join(",")}}`}::uuid[])`;
  const kind = (name: "key" | "holder") => sql<"key" | "holder">`${name}::text`.as("kind");
  const rows = await unionAll(
    db
      .select({ kind: kind("key"), id: relayKeys.id, name: relayKeys.name })
      .from(relayKeys)
      .where(and(eq(relayKeys.organizationId, organizationId), isAny(relayKeys.id, ids.keys))),
    db
      .select({ kind: kind("holder"), id: holders.id, name: holders.name })
      .from(holders)
      .where(and(eq(holders.organizationId, organizationId), isAny(holders.id, ids.holders))),
  );
  const named = (wanted: "key" | "holder") =>
    new Map(rows.filter((row) => row.kind === wanted).map(({ id, name }) => [id, name]));
  return { keys: named("key"), holders: named("holder") };
}
