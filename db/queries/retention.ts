import { and, asc, eq, isNotNull, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";
import { organizations } from "../schema/organizations.ts";
import { ensurePartition } from "./audit.ts";

const DAY_MS = 86_400_000;

/**
 * Events younger than this stay where they are: their message may still come again, and must then meet its original, which
 * it looks for on the day that follows from the event itself. Longer than a queue keeps a message.
 */
const SETTLED_DAYS = 5;
/** A shorter retention takes nothing away for so long: a plan may have ended by mistake. */
const GRACE_DAYS = 7;
/** So long after a change every event that was made under the former retention has been looked at. */
const LOOKED_AT_DAYS = GRACE_DAYS + SETTLED_DAYS + 2;

const BATCH = 2_000;
const MAX_BATCHES = 200;

export interface Move {
  readonly organizations: number;
  readonly events: number;
}

/**
 * Moves events of organizations whose retention has changed to the day that they expire on now; those that should have
 * expired already expire today. In batches, each whole: a run that ends early is gone on with by the next one.
 *
 * @param now of the run.
 * @param beforeShortening is told of an organization before events of it are moved to an earlier day.
 */
export async function moveToRetention(
  db: Database,
  now: Date,
  beforeShortening: (organizationId: string, days: number) => Promise<void>,
): Promise<Move> {
  const changed = await db
    .select({
      id: organizations.id,
      days: organizations.auditRetentionDays,
      changedAt: organizations.retentionChangedAt,
    })
    .from(organizations)
    .where(isNotNull(organizations.retentionChangedAt))
    .orderBy(asc(organizations.id));
  let events = 0;
  for (const { id, days, changedAt } of changed) {
    const age = now.getTime() - (changedAt?.getTime() ?? 0);
    const mayShorten = age >= GRACE_DAYS * DAY_MS;
    const moved = await moveEvents(db, { id, days, mayShorten }, now, () => beforeShortening(id, days));
    events += moved.events;
    if (moved.isDone && changedAt !== null && age >= LOOKED_AT_DAYS * DAY_MS) {
      await db
        .update(organizations)
        .set({ retentionChangedAt: null })
        .where(and(eq(organizations.id, id), eq(organizations.retentionChangedAt, changedAt)));
    }
  }
  return { organizations: changed.length, events };
}

async function moveEvents(
  db: Database,
  organization: { readonly id: string; readonly days: number; readonly mayShorten: boolean },
  now: Date,
  beforeShortening: () => Promise<void>,
): Promise<{ readonly events: number; readonly isDone: boolean }> {
  const { id, days, mayShorten } = organization;
  const today = sql`${now.toISOString().slice(0, 10)}::date`;
  const settled = sql`${new Date(now.getTime() - SETTLED_DAYS * DAY_MS).toISOString()}::timestamptz`;
  // An event that has expired by now goes with today's partition, which is dropped next.
  const target = sql`greatest((at AT TIME ZONE 'UTC')::date + ${days + 1}::int, ${today})`;
  const misplaced = sql`organization_id = ${id} AND at < ${settled} AND expires_on <> ${target}
    AND (${mayShorten} OR expires_on < ${target})`;
  let events = 0;
  let isTold = false;
  for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
    const { rows } = await db.execute<{ request_id: string; expires_on: string; target: string }>(sql`
      SELECT request_id, expires_on::text, (${target})::text AS target FROM ${auditEvents}
      WHERE ${misplaced} ORDER BY request_id LIMIT ${BATCH}`);
    if (rows.length === 0) return { events, isDone: true };
    if (!isTold && rows.some((row) => row.target < row.expires_on)) {
      await beforeShortening();
      isTold = true;
    }
    for (const day of new Set(rows.map((row) => row.target))) await ensurePartition(db, day);
    await db.execute(sql`
      UPDATE ${auditEvents} AS event SET expires_on = moving.target::date
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS moving (request_id uuid, expires_on date, target text)
      WHERE event.expires_on = moving.expires_on AND event.request_id = moving.request_id`);
    events += rows.length;
  }
  return { events, isDone: false };
}
