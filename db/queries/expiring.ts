import { and, asc, eq, gt, lte, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { holders } from "../schema/holders.ts";
import { integrations } from "../schema/integrations.ts";
import { relayKeys } from "../schema/keys.ts";
import { notices } from "../schema/notices.ts";

/** A key that comes near its expiry. */
export interface ExpiringKey {
  readonly id: string;
  readonly organizationId: string;
  readonly holderId: string;
  readonly integrationId: string;
  readonly name: string;
  readonly holder: string;
  readonly integration: string;
  readonly expiresAt: Date;
  /** Of the notice: once per key, stage and expiry. A key whose expiry is moved is noticed again. */
  readonly dedupeKey: string;
}

/**
 * Keys that are active, expire within a window, were made longer before their expiry than the stage, and were not noticed
 * yet. Across organizations: for the job only.
 */
export async function keysExpiring(
  db: Database,
  window: {
    /** Exclusive. */
    readonly from: Date;
    /** Inclusive. */
    readonly until: Date;
    readonly stage: string;
    readonly stageMs: number;
  },
  limit: number,
): Promise<ExpiringKey[]> {
  const dedupeKey = sql<string>`'key.expiring.' || ${relayKeys.id} || '.' || ${window.stage}::text || '.'
    || (extract(epoch FROM ${relayKeys.expiresAt}) * 1000)::bigint`;
  const rows = await db
    .select({
      id: relayKeys.id,
      organizationId: relayKeys.organizationId,
      holderId: relayKeys.holderId,
      integrationId: relayKeys.integrationId,
      name: relayKeys.name,
      holder: holders.name,
      integration: integrations.slug,
      expiresAt: relayKeys.expiresAt,
      dedupeKey,
    })
    .from(relayKeys)
    .innerJoin(holders, eq(holders.id, relayKeys.holderId))
    .innerJoin(integrations, eq(integrations.id, relayKeys.integrationId))
    .where(
      and(
        eq(relayKeys.state, "active"),
        gt(relayKeys.expiresAt, window.from),
        lte(relayKeys.expiresAt, window.until),
        sql`${relayKeys.createdAt} < ${relayKeys.expiresAt} - make_interval(secs => ${window.stageMs / 1_000})`,
        sql`NOT EXISTS (SELECT 1 FROM ${notices} WHERE ${notices.organizationId} = ${relayKeys.organizationId}
          AND ${notices.dedupeKey} = ${dedupeKey})`,
      ),
    )
    .orderBy(asc(relayKeys.expiresAt))
    .limit(limit);
  return rows.flatMap(({ expiresAt, ...key }) => (expiresAt === null ? [] : [{ ...key, expiresAt }]));
}
