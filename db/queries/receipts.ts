import { and, desc, eq, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";
import { enforcementReceipts } from "../schema/keys.ts";
import { inPartitions } from "./audit.ts";
import { partitionsOf, readAuditDays } from "./audit-days.ts";

/** What became true when a policy version of a key was enforced. */
export interface Receipt {
  readonly version: number;
  readonly enforcedAt: Date;
  readonly waitedMs: number;
  /** When the last request that was let through before the enforcement began; null when there is none in the log. */
  readonly lastAdmittedAt: Date | null;
  /** Open answers that were cut because the key no longer allowed them, from the enforcement's wait on. */
  readonly streamsCut: number;
}

/** Open answers are judged again each second, and cut within one lease: what was cut later was cut for another change. */
const CUT_WITHIN_MS = 10_000;

/** The receipts of a key, newest version first. Counts come from the audit log, which is written within seconds. */
export async function listReceipts(
  db: Database,
  organizationId: string,
  keyId: string,
  limit: number,
): Promise<Receipt[]> {
  return db
    .select(columns(await partitionsWithEvents(db, organizationId)))
    .from(enforcementReceipts)
    .where(and(eq(enforcementReceipts.organizationId, organizationId), eq(enforcementReceipts.keyId, keyId)))
    .orderBy(desc(enforcementReceipts.version))
    .limit(limit);
}

/** The newest receipt of each of these keys; keys without one are absent. */
export async function newestReceipts(
  db: Database,
  organizationId: string,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, Receipt>> {
  const { keyId, version } = enforcementReceipts;
  const partitions = await partitionsWithEvents(db, organizationId);
  const rows = await db
    .selectDistinctOn([keyId], { ...columns(partitions), keyId })
    .from(enforcementReceipts)
    .where(
      and(
        eq(enforcementReceipts.organizationId, organizationId),
        sql`${keyId} IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(keyIds)}::jsonb))`,
      ),
    )
    .orderBy(keyId, desc(version));
  return new Map(rows.map(({ keyId: id, ...receipt }) => [id, receipt]));
}

const { enforcedAt, waitedMs } = enforcementReceipts;
const ofKey = and(
  eq(auditEvents.organizationId, enforcementReceipts.organizationId),
  eq(auditEvents.keyId, enforcementReceipts.keyId),
);
const ended = sql`${auditEvents.at} + make_interval(secs => ${auditEvents.durationMs} / 1000.0)`;
const began = sql`${enforcedAt} - make_interval(secs => ${waitedMs} / 1000.0)`;

/** The others are not even planned for, of which an installation has one for each day of retention. */
async function partitionsWithEvents(db: Database, organizationId: string): Promise<string[]> {
  return partitionsOf(await readAuditDays(db, organizationId, { from: -Infinity, to: Infinity }));
}

function columns(partitions: readonly string[]) {
  const logged = and(ofKey, inPartitions(partitions));
  return {
    version: enforcementReceipts.version,
    enforcedAt,
    waitedMs,
    lastAdmittedAt: sql<Date | null>`(
      SELECT max(${auditEvents.at}) FROM ${auditEvents}
      WHERE ${logged} AND ${auditEvents.decision} = 'allowed' AND ${auditEvents.at} <= ${enforcedAt})`.mapWith(
      (value: string | null) => (value === null ? null : new Date(value)),
    ),
    streamsCut: sql<number>`(
      SELECT count(*) FROM ${auditEvents}
      WHERE ${logged} AND ${auditEvents.outcome} = 'cut' AND ${ended} >= ${began}
        AND ${ended} <= ${enforcedAt} + make_interval(secs => ${CUT_WITHIN_MS / 1_000}))`.mapWith(Number),
  };
}
