import { and, asc, desc, eq, lt, sql } from "drizzle-orm";
import { newId } from "@relaykey/core/ids";
import type { NoticeType } from "@relaykey/core/notice";
import type { Database } from "../client.ts";
import { notices, webhookDeliveries, webhookEndpoints } from "../schema/notices.ts";
import { adminEventCte, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { planGuard } from "./plans.ts";
import { revisionGuard } from "./revisions.ts";

export type WebhookEndpoint = typeof webhookEndpoints.$inferSelect;
export type NewWebhookEndpoint = typeof webhookEndpoints.$inferInsert;
export type EndpointChange = Partial<
  Pick<
    WebhookEndpoint,
    | "url"
    | "description"
    | "types"
    | "secretVersion"
    | "formerSecretUntil"
    | "failingSince"
    | "disabledAt"
    | "disabledBy"
  >
>;

/** A delivery and what it carries. */
export interface Delivery {
  readonly delivery: typeof webhookDeliveries.$inferSelect;
  readonly notice: typeof notices.$inferSelect;
}

export async function findEndpoint(
  db: Database,
  organizationId: string,
  endpointId: string,
): Promise<WebhookEndpoint | null> {
  const [row] = await db
    .select()
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.organizationId, organizationId), eq(webhookEndpoints.id, endpointId)));
  return row ?? null;
}

/** All of an organization, the oldest first: a plan allows few. */
export async function listEndpoints(db: Database, organizationId: string): Promise<WebhookEndpoint[]> {
  return db
    .select()
    .from(webhookEndpoints)
    .where(eq(webhookEndpoints.organizationId, organizationId))
    .orderBy(asc(webhookEndpoints.id));
}

/** @throws PlanLimit (see `isPlanLimit`) when the plan allows no more. */
export async function createEndpoint(
  db: Database,
  endpoint: NewWebhookEndpoint,
  event: AdminEvent,
): Promise<WebhookEndpoint> {
  const [, , created] = await db.batch([
    ...planGuard(db, endpoint.organizationId, "webhookEndpoints"),
    db.insert(webhookEndpoints).values(endpoint).returning(),
    insertAdminEvent(db, event),
  ]);
  const [row] = created;
  if (row === undefined) throw new Error("The inserted endpoint was not returned.");
  return row;
}

/**
 * Changes an endpoint, if it is still at the revision that the change was worked out from.
 *
 * @returns null when it has moved on (or is not there).
 */
export async function changeEndpoint(
  db: Database,
  organizationId: string,
  endpointId: string,
  expectedRevision: number,
  change: EndpointChange,
  event: AdminEvent,
): Promise<WebhookEndpoint | null> {
  const update = db
    .update(webhookEndpoints)
    .set({ ...change, revision: sql`${webhookEndpoints.revision} + 1` })
    .where(
      and(
        eq(webhookEndpoints.organizationId, organizationId),
        eq(webhookEndpoints.id, endpointId),
        eq(webhookEndpoints.revision, expectedRevision),
      ),
    )
    .returning({ id: webhookEndpoints.id });
  const { rows } = await db.execute(
    sql`WITH changed AS (${update.getSQL()}), ${adminEventCte(event)} SELECT id FROM changed`,
  );
  return rows.length === 0 ? null : findEndpoint(db, organizationId, endpointId);
}

/**
 * Removes an endpoint with its deliveries; notices stay.
 *
 * @param expected the revision that it must be at; null = any.
 * @returns false when it is not there.
 * @throws what `isStale` knows when the revision is another.
 */
export async function deleteEndpoint(
  db: Database,
  organizationId: string,
  endpointId: string,
  event: AdminEvent,
  expected: number | null,
): Promise<boolean> {
  const [, , , result] = await db.batch([
    // Locks it: from here on no new delivery to it begins, so the removal of those that are there is whole.
    ...revisionGuard(db, webhookEndpoints, organizationId, endpointId, expected),
    db
      .delete(webhookDeliveries)
      .where(
        and(
          eq(webhookDeliveries.organizationId, organizationId),
          eq(webhookDeliveries.endpointId, endpointId),
        ),
      ),
    db.execute<{ id: string }>(sql`
      WITH changed AS (
        DELETE FROM ${webhookEndpoints} WHERE id = ${endpointId} AND organization_id = ${organizationId} RETURNING id
      ), ${adminEventCte(event)}
      SELECT id FROM changed`),
  ]);
  return result.rows.length > 0;
}

/** Newest first; `before` is the last id of the page before. */
export async function listDeliveries(
  db: Database,
  organizationId: string,
  endpointId: string,
  filter: { readonly state?: Delivery["delivery"]["state"] },
  page: { readonly limit: number; readonly before: string | null },
): Promise<Delivery[]> {
  return db
    .select({ delivery: webhookDeliveries, notice: notices })
    .from(webhookDeliveries)
    .innerJoin(notices, eq(notices.id, webhookDeliveries.noticeId))
    .where(
      and(
        eq(webhookDeliveries.organizationId, organizationId),
        eq(webhookDeliveries.endpointId, endpointId),
        filter.state === undefined ? undefined : eq(webhookDeliveries.state, filter.state),
        page.before === null ? undefined : lt(webhookDeliveries.id, page.before),
      ),
    )
    .orderBy(desc(webhookDeliveries.id))
    .limit(page.limit);
}

export async function findDelivery(
  db: Database,
  organizationId: string,
  endpointId: string,
  deliveryId: string,
): Promise<Delivery | null> {
  const [row] = await db
    .select({ delivery: webhookDeliveries, notice: notices })
    .from(webhookDeliveries)
    .innerJoin(notices, eq(notices.id, webhookDeliveries.noticeId))
    .where(
      and(
        eq(webhookDeliveries.organizationId, organizationId),
        eq(webhookDeliveries.endpointId, endpointId),
        eq(webhookDeliveries.id, deliveryId),
      ),
    );
  return row ?? null;
}

/** Writes the notice of a test, and its delivery to one endpoint. @returns the id of the delivery. */
export async function createTest(
  db: Database,
  endpoint: Pick<WebhookEndpoint, "id" | "organizationId">,
  now: Date,
  event: AdminEvent,
): Promise<string> {
  const { id: endpointId, organizationId } = endpoint;
  const noticeId = newId();
  const deliveryId = newId();
  await db.batch([
    db.insert(notices).values({
      id: noticeId,
      organizationId,
      type: "webhook.test" satisfies NoticeType,
      dedupeKey: `webhook.test.${noticeId}`,
      data: { endpoint_id: endpointId },
      at: now,
      seenAt: now,
    }),
    db.insert(webhookDeliveries).values({
      id: deliveryId,
      organizationId,
      endpointId,
      noticeId,
      state: "waiting",
      nextAttemptAt: now,
    }),
    insertAdminEvent(db, event),
  ]);
  return deliveryId;
}

/** Sends one delivery again, whatever became of it. @returns false when it is not there. */
export async function replayDelivery(
  db: Database,
  organizationId: string,
  endpointId: string,
  deliveryId: string,
  now: Date,
  event: AdminEvent,
): Promise<boolean> {
  const { rows } = await db.execute(sql`
    WITH changed AS (
      UPDATE ${webhookDeliveries}
      SET state = 'waiting', attempts = 0, next_attempt_at = ${now.toISOString()}::timestamptz
      WHERE id = ${deliveryId} AND endpoint_id = ${endpointId} AND organization_id = ${organizationId}
      RETURNING id
    ), ${adminEventCte(event)}
    SELECT id FROM changed`);
  return rows.length > 0;
}

/**
 * Sends again, or for the first time, what an endpoint has not received of the notices since a moment. What was delivered
 * is left alone.
 *
 * @returns how many deliveries now wait.
 */
export async function replaySince(
  db: Database,
  endpoint: Pick<WebhookEndpoint, "id" | "organizationId" | "types">,
  since: Date,
  now: Date,
  event: AdminEvent,
): Promise<number> {
  const { rows } = await db.execute(sql`
    WITH changed AS (
      INSERT INTO ${webhookDeliveries} (id, organization_id, endpoint_id, notice_id, state, next_attempt_at)
      SELECT relaykey_new_id(), notice.organization_id, ${endpoint.id}::uuid, notice.id, 'waiting',
        ${now.toISOString()}::timestamptz
      FROM ${notices} AS notice
      WHERE notice.organization_id = ${endpoint.organizationId} AND notice.created_at >= ${since.toISOString()}::timestamptz
        AND notice.type <> 'webhook.test'
        AND (${endpoint.types.length} = 0 OR notice.type IN (
          SELECT jsonb_array_elements_text(${JSON.stringify(endpoint.types)}::jsonb)))
      ON CONFLICT (endpoint_id, notice_id) DO UPDATE
        SET state = 'waiting', attempts = 0, next_attempt_at = excluded.next_attempt_at
        WHERE ${webhookDeliveries.state} <> 'delivered'
      RETURNING id
    ), ${adminEventCte(event)}
    SELECT id FROM changed`);
  return rows.length;
}
