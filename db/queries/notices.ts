import { and, desc, eq, inArray, isNull, lt, lte, ne, sql } from "drizzle-orm";
import { newId } from "@relaykey/core/ids";
import type { Notice, NoticeType } from "@relaykey/core/notice";
import type { Database } from "../client.ts";
import { alerts, notices } from "../schema/notices.ts";
import { organizations } from "../schema/organizations.ts";
import { memberships, users } from "../schema/people.ts";
import { adminEventCte } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { takeFrom } from "./throttles.ts";

export type NoticeRow = typeof notices.$inferSelect;

/** Tests of an endpoint are no news to people. */
const NOT_FOR_PEOPLE = "webhook.test" satisfies NoticeType;

/** How often admins are mailed about the same thing, whatever happens in between. */
export interface AlertThrottle {
  /** What counts as the same thing. */
  readonly subject: string;
  readonly windowMs: number;
  /** Mails of this kind to an organization within a window, over all subjects. */
  readonly mailsPerWindow: number;
}

/**
 * Writes a notice once; with it, in the same transaction, its webhook deliveries (by a trigger) and, unless the throttle
 * says no, the alert to admins. Of reports at the same time one wins.
 *
 * @returns the id, or null when the same happening was written before.
 */
export async function recordNotice(
  db: Database,
  notice: Omit<Notice, "v">,
  alert: AlertThrottle | null,
  now: Date,
): Promise<string | null> {
  const { rows } = await db.execute<{ id: string }>(sql`
    WITH written AS (
      INSERT INTO ${notices} (id, organization_id, type, dedupe_key, key_id, holder_id, integration_id, data, at)
      VALUES (${newId()}, ${notice.organizationId}, ${notice.type}, ${notice.dedupeKey}, ${notice.keyId}, ${notice.holderId},
        ${notice.integrationId}, ${JSON.stringify(notice.data)}::jsonb, ${new Date(notice.at).toISOString()}::timestamptz)
      ON CONFLICT DO NOTHING
      RETURNING id, organization_id
    )${alert === null ? sql`` : sql`, ${alertCtes(notice, alert, now)}`}
    SELECT id FROM written`);
  return rows[0]?.id ?? null;
}

/** Makes an alert if the subject, and the organization, have room for one. */
function alertCtes({ organizationId, type }: Omit<Notice, "v">, alert: AlertThrottle, now: Date) {
  const kind = `alert/${organizationId}/${type}`;
  const seconds = alert.windowMs / 1_000;
  const throttles = [
    { bucket: kind, limit: alert.mailsPerWindow, seconds },
    { bucket: `${kind}/${alert.subject}`, limit: 1, seconds },
  ];
  return sql`alerted AS (
      INSERT INTO ${alerts} (notice_id, organization_id)
      SELECT id, organization_id FROM written
      WHERE (SELECT bool_and(admitted) FROM ${takeFrom(throttles, now)})
    )`;
}

/** Newest first; `before` is the last id of the page before. */
export async function listNotices(
  db: Database,
  organizationId: string,
  filter: { readonly type?: NoticeType; readonly unseen?: boolean },
  page: { readonly limit: number; readonly before: string | null },
): Promise<NoticeRow[]> {
  return db
    .select()
    .from(notices)
    .where(
      and(
        eq(notices.organizationId, organizationId),
        filter.type === undefined ? ne(notices.type, NOT_FOR_PEOPLE) : eq(notices.type, filter.type),
        filter.unseen === true ? isNull(notices.seenAt) : undefined,
        page.before === null ? undefined : lt(notices.id, page.before),
      ),
    )
    .orderBy(desc(notices.id))
    .limit(page.limit);
}

/**
 * Marks notices as seen, once.
 *
 * @param which ids, or everything up to and including an id.
 * @returns how many were not seen before.
 */
export async function markSeen(
  db: Database,
  organizationId: string,
  which: { readonly ids: readonly string[] } | { readonly upTo: string },
  now: Date,
  event: AdminEvent,
): Promise<number> {
  const chosen = "ids" in which ? inArray(notices.id, [...which.ids]) : lte(notices.id, which.upTo);
  const update = db
    .update(notices)
    .set({ seenAt: now })
    .where(and(eq(notices.organizationId, organizationId), isNull(notices.seenAt), chosen))
    .returning({ id: notices.id });
  const { rows } = await db.execute(
    sql`WITH changed AS (${update.getSQL()}), ${adminEventCte(event)} SELECT id FROM changed`,
  );
  return rows.length;
}

/** An alert that this run has taken. */
export interface ClaimedAlert {
  readonly notice: NoticeRow;
  /** Addresses of the organization's admins. */
  readonly to: readonly string[];
  readonly organization: string;
}

/**
 * Takes open alerts for a while. Two runs never hold the same one; what a run that ended early held is free again after
 * the lease.
 */
export async function claimAlerts(
  db: Database,
  claim: { readonly now: Date; readonly leaseMs: number; readonly limit: number },
): Promise<ClaimedAlert[]> {
  const until = new Date(claim.now.getTime() + claim.leaseMs).toISOString();
  const { rows } = await db.execute<{ notice_id: string }>(sql`
    WITH open AS (
      SELECT notice_id FROM ${alerts}
      WHERE sent_at IS NULL AND (claimed_until IS NULL OR claimed_until <= ${claim.now.toISOString()}::timestamptz)
      ORDER BY notice_id LIMIT ${claim.limit} FOR UPDATE SKIP LOCKED
    )
    UPDATE ${alerts} SET claimed_until = ${until}::timestamptz FROM open
    WHERE ${alerts.noticeId} = open.notice_id RETURNING ${alerts.noticeId}`);
  if (rows.length === 0) return [];
  const found = await db
    .select({
      notice: notices,
      organization: organizations.name,
      to: sql<
        string[]
      >`ARRAY(SELECT ${users.email} FROM ${memberships} JOIN ${users} ON ${users.id} = ${memberships.userId}
        WHERE ${memberships.organizationId} = ${notices.organizationId} AND ${memberships.role} = 'admin'
        ORDER BY ${users.email})`,
    })
    .from(notices)
    .innerJoin(organizations, eq(organizations.id, notices.organizationId))
    .where(
      inArray(
        notices.id,
        rows.map(({ notice_id }) => notice_id),
      ),
    );
  return found;
}

export async function markAlertSent(db: Database, noticeId: string, now: Date): Promise<void> {
  await db.update(alerts).set({ sentAt: now }).where(eq(alerts.noticeId, noticeId));
}
