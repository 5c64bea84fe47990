import { and, eq, gte, lt, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";
import { relayKeys } from "../schema/keys.ts";
import { trafficCounts } from "../schema/traffic.ts";
import { auditWhere, inPartitions } from "./audit.ts";
import type { AuditFilter } from "./audit.ts";
import { partitionsOf, readAuditDays } from "./audit-days.ts";

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

/** A piece of time that is counted as a whole. */
interface Unit {
  readonly name: (typeof trafficCounts.$inferSelect)["unit"];
  readonly ms: number;
}

/** The largest first. */
const OF_ALL_KEYS: readonly Unit[] = [
  { name: "four_hours", ms: 4 * HOUR_MS },
  { name: "half_hour", ms: HOUR_MS / 2 },
];
const OF_A_KEY: readonly Unit[] = [
  { name: "day", ms: DAY_MS },
  { name: "hour", ms: HOUR_MS },
];

/** A part of a range that whole pieces of one size fill. */
interface CountedPart {
  readonly unit: Unit["name"];
  readonly from: Date;
  readonly until: Date;
}

/**
 * Requests over time. `filter.from` is the beginning of bucket 0. Stretches without any have no slice. Where whole pieces of time
 * that are counted fill the buckets, the counts are read, and events only for what is left at the end; the numbers are the same.
 */
export async function countTraffic(
  db: Database,
  organizationId: string,
  filter: TrafficFilter,
  bucketMs: number,
): Promise<TrafficSlice[]> {
  const { parts, rest } = divide(filter, bucketMs);
  const counted = parts.map(
    (part) =>
      sql`SELECT starts_at AS at, decision, reason, requests FROM ${trafficCounts}
        WHERE ${countsWhere(organizationId, filter, part)}`,
  );
  const pieces =
    rest === null ? counted : [...counted, await selectEvents(db, organizationId, { ...filter, from: rest })];
  const { rows } = await db.execute<
    Record<"bucket" | "decision" | "requests", string> & { why: string | null }
  >(
    sql`SELECT floor(extract(epoch FROM at - ${filter.from.toISOString()}::timestamptz) * 1000 / ${bucketMs}) AS bucket,
        decision, CASE WHEN decision = 'blocked' THEN reason END AS why, sum(requests) AS requests
      FROM (${sql.join(pieces, sql` UNION ALL `)}) AS counted
      GROUP BY 1, 2, 3 HAVING sum(requests) > 0`,
  );
  return rows.map(({ bucket, decision, why, requests }) => ({
    bucket: Number(bucket),
    decision: decision === "allowed" ? "allowed" : "blocked",
    reason: why,
    requests: Number(requests),
  }));
}

async function selectEvents(db: Database, organizationId: string, filter: TrafficFilter): Promise<SQL> {
  const days = await readAuditDays(db, organizationId, {
    from: filter.from.getTime(),
    to: filter.to.getTime(),
  });
  return sql`SELECT at, decision, reason, 1 AS requests FROM ${auditEvents}
    WHERE ${and(auditWhere(organizationId, filter), inPartitions(partitionsOf(days)))}`;
}

/** What of a range counts can answer, in pieces as large as possible, and from when on only the events can; null: not at all. */
function divide(
  filter: TrafficFilter,
  bucketMs: number,
): { readonly parts: readonly CountedPart[]; readonly rest: Date | null } {
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined);
  const isCounted = asked.every(([name]) => COUNTED.some((counted) => counted === name));
  const isOfKeys = filter.keyId !== undefined || filter.holderId !== undefined;
  const parts: CountedPart[] = [];
  const end = filter.to.getTime() + 1;
  let from = filter.from.getTime();
  for (const { name, ms } of isCounted ? (isOfKeys ? OF_A_KEY : OF_ALL_KEYS) : []) {
    const until = Math.floor(end / ms) * ms;
    if (bucketMs % ms !== 0 || from % ms !== 0 || until <= from) continue;
    parts.push({ unit: name, from: new Date(from), until: new Date(until) });
    from = until;
  }
  return { parts, rest: from < end ? new Date(from) : null };
}

function countsWhere(
  organizationId: string,
  filter: TrafficFilter,
  { unit, from, until }: CountedPart,
): SQL | undefined {
  const { keyId, holderId, integrationId, decision, reason } = filter;
  return and(
    eq(trafficCounts.organizationId, organizationId),
    eq(trafficCounts.unit, unit),
    gte(trafficCounts.startsAt, from),
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
