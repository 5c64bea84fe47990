import { and, eq, gte, isNotNull, lt, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";
import { relayKeys } from "../schema/keys.ts";
import { trafficCounts } from "../schema/traffic.ts";
import { auditWhere } from "./audit.ts";
import type { AuditFilter } from "./audit.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Requests of one stretch of time that ended the same way. */
export interface TrafficSlice {
  /** Number of the stretch, counted from the beginning of the range. */
  readonly bucket: number;
  readonly decision: "allowed" | "blocked";
  readonly reason: string | null;
  readonly requests: number;
}

type TrafficFilter = AuditFilter & { readonly from: Date; readonly to: Date };

/** What the counts can tell; whoever asks for more has to look at the events themselves. */
const COUNTED: readonly (keyof AuditFilter)[] = [
  "keyId",
  "holderId",
  "integrationId",
  "decision",
  "reason",
  "from",
  "to",
];

/**
 * Requests over time. `filter.from` is the beginning of bucket 0. Stretches without any have no slice. Where whole half hours, or
 * whole hours of a key, fill the buckets, their counts are read, and events only for what is left at the end; the numbers are the same.
 */
export async function countTraffic(
  db: Database,
  organizationId: string,
  filter: TrafficFilter,
  bucketMs: number,
): Promise<TrafficSlice[]> {
  const { unit, until } = wholeUnits(filter, bucketMs);
  const parts = [
    ...(until > filter.from
      ? [
          sql`SELECT starts_at AS at, decision, reason, requests FROM ${trafficCounts}
            WHERE ${countsWhere(organizationId, filter, unit, until)}`,
        ]
      : []),
    ...(until <= filter.to
      ? [
          sql`SELECT at, decision, reason, 1 AS requests FROM ${auditEvents}
            WHERE ${auditWhere(organizationId, { ...filter, from: until })}`,
        ]
      : []),
  ];
  const { rows } = await db.execute<
    Record<"bucket" | "decision" | "requests", string> & { why: string | null }
  >(
    sql`SELECT floor(extract(epoch FROM at - ${filter.from.toISOString()}::timestamptz) * 1000 / ${bucketMs}) AS bucket,
        decision, CASE WHEN decision = 'blocked' THEN reason END AS why, sum(requests) AS requests
      FROM (${sql.join(parts, sql` UNION ALL `)}) AS counted
      GROUP BY 1, 2, 3 HAVING sum(requests) > 0`,
  );
  return rows.map(({ bucket, decision, why, requests }) => ({
    bucket: Number(bucket),
    decision: decision === "allowed" ? "allowed" : "blocked",
    reason: why,
    requests: Number(requests),
  }));
}

/** Which counts a question can be answered from, and up to which moment; up to its beginning when from none. */
function wholeUnits(filter: TrafficFilter, bucketMs: number): { unit: "half_hour" | "hour"; until: Date } {
  const isOfKeys = filter.keyId !== undefined || filter.holderId !== undefined;
  const [unit, unitMs] = isOfKeys ? (["hour", HOUR_MS] as const) : (["half_hour", HOUR_MS / 2] as const);
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined);
  const isCounted = asked.every(([name]) => COUNTED.some((counted) => counted === name));
  const fits = bucketMs % unitMs === 0 && filter.from.getTime() % unitMs === 0;
  if (!isCounted || !fits) return { unit, until: filter.from };
  const until = Math.floor((filter.to.getTime() + 1) / unitMs) * unitMs;
  return { unit, until: new Date(Math.max(until, filter.from.getTime())) };
}

function countsWhere(
  organizationId: string,
  filter: TrafficFilter,
  unit: "half_hour" | "hour",
  until: Date,
): SQL | undefined {
  const { keyId, holderId, integrationId, decision, reason } = filter;
  return and(
    eq(trafficCounts.organizationId, organizationId),
    eq(trafficCounts.unit, unit),
    gte(trafficCounts.startsAt, filter.from),
    lt(trafficCounts.startsAt, until),
    keyId === undefined ? undefined : eq(trafficCounts.keyId, keyId),
    holderId === undefined
      ? undefined
      : // A key never changes hands.
        sql`${trafficCounts.keyId} IN (SELECT id FROM ${relayKeys}
          WHERE organization_id = ${organizationId} AND holder_id = ${holderId})`,
    integrationId === undefined ? undefined : eq(trafficCounts.integrationId, integrationId),
    decision === undefined ? undefined : eq(trafficCounts.decision, decision),
    reason === undefined ? undefined : eq(trafficCounts.reason, reason),
  );
}

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
 * Keys by what they were used for, those busiest of late first.
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
  const pieces = (unit: "hour" | "day", from: Date, until: Date | null): SQL =>
    sql`SELECT key_id, unit, decision, requests FROM ${trafficCounts} WHERE ${and(
      eq(trafficCounts.organizationId, organizationId),
      eq(trafficCounts.unit, unit),
      gte(trafficCounts.startsAt, from),
      until === null ? undefined : lt(trafficCounts.startsAt, until),
    )}`;
  const number = (decision: "allowed" | "blocked", unit: "hour" | "day"): SQL =>
    sql`coalesce(sum(requests) FILTER (WHERE decision = ${decision} AND unit = ${unit}), 0)`;
  const { rows } = await db.execute<Record<string, string>>(sql`
    SELECT relay_key.id, relay_key.name, relay_key.display, used.* FROM (
      SELECT key_id, ${number("allowed", "hour")} AS allowed, ${number("blocked", "hour")} AS blocked,
        ${number("allowed", "day")} AS allowed_before, ${number("blocked", "day")} AS blocked_before
      FROM (${pieces("hour", range.since, null)} UNION ALL ${pieces("day", range.before, range.beforeUntil)}) AS piece
      GROUP BY key_id
    ) AS used JOIN ${relayKeys} AS relay_key ON relay_key.id = used.key_id
    WHERE relay_key.organization_id = ${organizationId}
    ORDER BY used.allowed + used.blocked DESC, relay_key.id DESC LIMIT ${limit}`);
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
