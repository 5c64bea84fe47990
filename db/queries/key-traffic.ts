import { and, eq, gte, isNotNull, lt, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../client.ts";
import { relayKeys } from "../schema/keys.ts";
import { trafficCounts } from "../schema/traffic.ts";

const DAY_MS = 86_400_000;

/** What a key was used for of late, and in the days before. */
export interface KeyTraffic {
  readonly id: string;
  readonly name: string;
  readonly display: string;
  readonly allowed: number;
  readonly blocked: number;
  readonly allowedBefore: number;
  readonly blockedBefore: number;
}

/**
 * Keys by what they were used for of late, the busiest first. Those that were not used are absent.
 *
 * @param range `since`, the first moment of an hour, begins what is counted as of late; it is compared with whole days from
 * `before` until `beforeUntil`.
 */
export async function countByKey(
  db: Database,
  organizationId: string,
  range: { readonly since: Date; readonly before: Date; readonly beforeUntil: Date },
  limit: number,
): Promise<KeyTraffic[]> {
  const number = (decision: "allowed" | "blocked"): SQL =>
    sql`coalesce(sum(requests) FILTER (WHERE decision = ${decision}), 0)::bigint`;
  const late = and(
    eq(trafficCounts.organizationId, organizationId),
    eq(trafficCounts.unit, "hour"),
    gte(trafficCounts.startsAt, range.since),
  );
  const before = and(
    eq(trafficCounts.organizationId, organizationId),
    eq(trafficCounts.unit, "day"),
    gte(trafficCounts.startsAt, range.before),
    lt(trafficCounts.startsAt, range.beforeUntil),
  );
  // What came before matters of the busiest only: most keys' days are not read.
  const { rows } = await db.execute<Record<string, string>>(sql`
    SELECT relay_key.id, relay_key.name, relay_key.display, used.allowed, used.blocked, former.* FROM (
      SELECT key_id, ${number("allowed")} AS allowed, ${number("blocked")} AS blocked FROM ${trafficCounts} WHERE ${late}
      GROUP BY key_id HAVING sum(requests) > 0 ORDER BY sum(requests) DESC, key_id DESC LIMIT ${limit}
    ) AS used JOIN ${relayKeys} AS relay_key ON relay_key.id = used.key_id AND relay_key.organization_id = ${organizationId},
    LATERAL (
      SELECT ${number("allowed")} AS allowed_before, ${number("blocked")} AS blocked_before FROM ${trafficCounts}
      WHERE key_id = used.key_id AND ${before}
    ) AS former
    ORDER BY used.allowed + used.blocked DESC, relay_key.id DESC`);
  return rows.map((row) => ({
    id: row["id"] ?? "",
    name: row["name"] ?? "",
    display: row["display"] ?? "",
    allowed: Number(row["allowed"]),
    blocked: Number(row["blocked"]),
    allowedBefore: Number(row["allowed_before"]),
    blockedBefore: Number(row["blocked_before"]),
  }));
}

/**
 * Requests per day of many keys, for the days from `since` until `until`. Keys without any are absent.
 *
 * @param since the first moment of a day (UTC).
 */
export async function dailyUse(
  db: Database,
  organizationId: string,
  keyIds: readonly string[],
  since: Date,
  until: Date,
): Promise<ReadonlyMap<string, readonly number[]>> {
  if (keyIds.length === 0) return new Map();
  const days = Math.ceil((until.getTime() - since.getTime()) / DAY_MS);
  const rows = await db
    .select({
      keyId: trafficCounts.keyId,
      startsAt: trafficCounts.startsAt,
      requests: sql<number>`sum(${trafficCounts.requests})`.mapWith(Number),
    })
    .from(trafficCounts)
    .where(
      and(
        eq(trafficCounts.organizationId, organizationId),
        eq(trafficCounts.unit, "day"),
        gte(trafficCounts.startsAt, since),
        lt(trafficCounts.startsAt, until),
        isNotNull(trafficCounts.keyId),
        sql`${trafficCounts.keyId} IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(keyIds)}::jsonb))`,
      ),
    )
    .groupBy(trafficCounts.keyId, trafficCounts.startsAt)
    .having(sql`sum(${trafficCounts.requests}) > 0`);
  const use = new Map<string, number[]>();
  for (const { keyId, startsAt, requests } of rows) {
    if (keyId === null) continue;
    const counts = use.get(keyId) ?? new Array<number>(days).fill(0);
    counts[Math.floor((startsAt.getTime() - since.getTime()) / DAY_MS)] = requests;
    use.set(keyId, counts);
  }
  return use;
}

/** When each of these keys last made a request, allowed or not. Keys without one in the audit log are absent. */
export async function lastUses(
  db: Database,
  organizationId: string,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, Date>> {
  if (keyIds.length === 0) return new Map();
  const of = sql`FROM ${trafficCounts} AS counted WHERE counted.key_id = key.value::uuid AND counted.unit = 'hour'
    AND counted.organization_id = ${organizationId} AND counted.requests > 0`;
  // A look at the end of an index per key, whatever the size of the log.
  const { rows } = await db.execute<{ key_id: string; at: string }>(sql`
    SELECT key.value AS key_id, newest.at FROM jsonb_array_elements_text(${JSON.stringify(keyIds)}::jsonb) AS key,
    LATERAL (SELECT max(counted.last_at) AS at ${of}
      AND counted.starts_at = (SELECT counted.starts_at ${of} ORDER BY counted.starts_at DESC LIMIT 1)) AS newest
    WHERE newest.at IS NOT NULL`);
  return new Map(rows.map(({ key_id, at }) => [key_id, new Date(at)]));
}
