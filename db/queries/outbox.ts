import { and, asc, eq, isNull, lt, lte, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../client.ts";
import { enforcementReceipts, outbox, relayKeys } from "../schema/keys.ts";

/** A key with a change that the data plane has not confirmed. */
export interface OpenChange {
  readonly organizationId: string;
  readonly keyId: string;
}

/**
 * Statements for the batch of a change that touches many keys (an integration, a holder): each key gets the next policy
 * version and an outbox row. Keys are locked in the order of their ids, so that two such changes cannot deadlock.
 * Revoked keys are left alone: nothing makes them hold again.
 */
export function bumpKeys(db: Database, organizationId: string, which: SQL) {
  const scope = and(
    eq(relayKeys.organizationId, organizationId),
    sql`${relayKeys.state} <> 'revoked'`,
    which,
  );
  return [
    db.select({ id: relayKeys.id }).from(relayKeys).where(scope).orderBy(asc(relayKeys.id)).for("update"),
    // Outbox ids are made here because the application does not know how many keys there are.
    db.execute<{ key_id: string }>(sql`
      WITH bumped AS (
        UPDATE ${relayKeys} SET policy_version = policy_version + 1 WHERE ${scope}
        RETURNING id, organization_id, policy_version
      )
      INSERT INTO ${outbox} (id, organization_id, key_id, version)
      SELECT gen_random_uuid(), organization_id, id, policy_version FROM bumped
      RETURNING key_id`),
  ] as const;
}

/** Keys whose open changes are due, those that waited longest first. Across organizations: for the retry job only. */
export async function dueChanges(db: Database, now: Date, limit: number): Promise<OpenChange[]> {
  return db
    .select({ organizationId: outbox.organizationId, keyId: outbox.keyId })
    .from(outbox)
    .where(and(isNull(outbox.doneAt), lte(outbox.nextAttemptAt, now)))
    .groupBy(outbox.organizationId, outbox.keyId)
    .orderBy(sql`min(${outbox.nextAttemptAt})`)
    .limit(limit);
}

/** Keys of an organization with open changes, due or not, in the order of their ids, and how many there are in all. */
export async function openKeys(
  db: Database,
  organizationId: string,
  limit: number,
): Promise<{ readonly keyIds: string[]; readonly total: number }> {
  const open = and(eq(outbox.organizationId, organizationId), isNull(outbox.doneAt));
  const [rows, count] = await db.batch([
    db
      .selectDistinct({ keyId: outbox.keyId })
      .from(outbox)
      .where(open)
      .orderBy(asc(outbox.keyId))
      .limit(limit),
    db
      .select({ total: sql<string>`count(DISTINCT ${outbox.keyId})` })
      .from(outbox)
      .where(open),
  ]);
  return { keyIds: rows.map(({ keyId }) => keyId), total: Number(count[0]?.total ?? 0) };
}

/**
 * Notes that the data plane confirmed a version of a key: it covers every older change too. Confirmations may arrive out
 * of order: an older one never hides a newer one.
 */
export async function markEnforced(
  db: Database,
  organizationId: string,
  keyId: string,
  receipt: {
    readonly version: number;
    readonly enforcedAt: Date;
    readonly waitedMs: number;
    readonly now: Date;
  },
): Promise<void> {
  await db.batch([
    db
      .insert(enforcementReceipts)
      .values({
        organizationId,
        keyId,
        version: receipt.version,
        enforcedAt: receipt.enforcedAt,
        waitedMs: receipt.waitedMs,
      })
      // A repeated confirmation is not a second one.
      .onConflictDoNothing(),
    db
      .update(relayKeys)
      .set({ enforcedVersion: receipt.version, enforcedAt: receipt.enforcedAt })
      .where(
        and(
          eq(relayKeys.organizationId, organizationId),
          eq(relayKeys.id, keyId),
          lt(relayKeys.enforcedVersion, receipt.version),
        ),
      ),
    db
      .update(outbox)
      .set({ doneAt: receipt.now, lastError: null })
      .where(
        and(
          eq(outbox.organizationId, organizationId),
          eq(outbox.keyId, keyId),
          lte(outbox.version, receipt.version),
          isNull(outbox.doneAt),
        ),
      ),
  ]);
}

/** First retry after 2 s, then twice as long each time, at most every 10 minutes. */
const FIRST_RETRY_SECONDS = 2;
const MAX_DOUBLINGS = 8;
const MAX_RETRY_SECONDS = 600;

/** Notes a failed attempt on all open changes of a key and when to try again. `error` must hold no secret. */
export async function markFailed(
  db: Database,
  organizationId: string,
  keyId: string,
  failure: { readonly error: string; readonly now: Date },
): Promise<void> {
  const delay = sql`least(${FIRST_RETRY_SECONDS} * power(2, least(${outbox.attempts}, ${MAX_DOUBLINGS})), ${MAX_RETRY_SECONDS})`;
  await db
    .update(outbox)
    .set({
      attempts: sql`${outbox.attempts} + 1`,
      lastError: failure.error,
      nextAttemptAt: sql`${failure.now.toISOString()}::timestamptz + make_interval(secs => ${delay})`,
    })
    .where(and(eq(outbox.organizationId, organizationId), eq(outbox.keyId, keyId), isNull(outbox.doneAt)));
}
