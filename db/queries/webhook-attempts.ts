import { and, eq, inArray, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../client.ts";
import type { DeliveryAttempt } from "../schema/notices.ts";
import { notices, webhookDeliveries, webhookEndpoints } from "../schema/notices.ts";
import { adminEventCte } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import type { Delivery, WebhookEndpoint } from "./webhooks.ts";

/** So many attempts of a delivery are kept, the latest. */
export const KEPT_ATTEMPTS = 20;

/** A delivery that this run has taken, for one attempt. */
export interface ClaimedDelivery extends Delivery {
  readonly endpoint: WebhookEndpoint;
}

/**
 * Takes deliveries that are due, each for one attempt: two runs never hold the same attempt. One that is not settled within
 * the lease (the run ended early) is due again, as the next attempt.
 *
 * @param claim.perEndpoint so that one slow endpoint does not use the whole run up.
 * @param claim.only this delivery, due or not.
 */
export async function claimDeliveries(
  db: Database,
  claim: {
    readonly now: Date;
    readonly leaseMs: number;
    readonly limit: number;
    readonly perEndpoint: number;
    readonly only?: string;
  },
): Promise<ClaimedDelivery[]> {
  const now = sql`${claim.now.toISOString()}::timestamptz`;
  const until = new Date(claim.now.getTime() + claim.leaseMs).toISOString();
  const isDue = (row: string) =>
    sql`${sql.raw(row)}.state = 'waiting' AND ${
      claim.only === undefined
        ? sql`${sql.raw(row)}.next_attempt_at <= ${now}`
        : sql`${sql.raw(row)}.id = ${claim.only}::uuid`
    }`;
  const { rows } = await db.execute<{ id: string }>(sql`
    WITH candidates AS (
      SELECT due.id, row_number() OVER (PARTITION BY due.endpoint_id ORDER BY due.next_attempt_at, due.id) AS place
      FROM ${webhookDeliveries} AS due
      JOIN ${webhookEndpoints} AS endpoint ON endpoint.id = due.endpoint_id AND endpoint.disabled_at IS NULL
      WHERE ${isDue("due")}
    ), taken AS (
      SELECT waiting.id FROM ${webhookDeliveries} AS waiting
      WHERE waiting.id IN (SELECT id FROM candidates WHERE place <= ${claim.perEndpoint}) AND ${isDue("waiting")}
      ORDER BY waiting.next_attempt_at, waiting.id LIMIT ${claim.limit}
      FOR UPDATE SKIP LOCKED
    )
    UPDATE ${webhookDeliveries} AS delivery
    SET attempts = delivery.attempts + 1, next_attempt_at = ${until}::timestamptz
    FROM taken WHERE delivery.id = taken.id RETURNING delivery.id`);
  if (rows.length === 0) return [];
  return db
    .select({ delivery: webhookDeliveries, notice: notices, endpoint: webhookEndpoints })
    .from(webhookDeliveries)
    .innerJoin(notices, eq(notices.id, webhookDeliveries.noticeId))
    .innerJoin(webhookEndpoints, eq(webhookEndpoints.id, webhookDeliveries.endpointId))
    .where(
      inArray(
        webhookDeliveries.id,
        rows.map(({ id }) => id),
      ),
    );
}

/** What became of one attempt. */
export type AttemptResult =
  | { readonly state: "delivered"; readonly status: number }
  | {
      readonly state: "waiting" | "dead";
      readonly status: number | null;
      /** Short, and never what the receiver wrote. */
      readonly error: string;
      readonly nextAttemptAt: Date;
    };

/** Settles an attempt, unless a later one has begun meanwhile; and what it says of the endpoint. */
export async function settleAttempt(
  db: Database,
  { delivery }: Pick<ClaimedDelivery, "delivery">,
  result: AttemptResult,
  times: { readonly began: Date; readonly now: Date },
): Promise<void> {
  const { began, now } = times;
  const isDelivered = result.state === "delivered";
  const attempt: DeliveryAttempt = {
    at: began.toISOString(),
    status: result.status,
    error: isDelivered ? null : result.error,
    durationMs: Math.max(0, now.getTime() - began.getTime()),
  };
  await db.batch([
    db
      .update(webhookDeliveries)
      .set({
        state: result.state,
        lastStatus: result.status,
        lastError: attempt.error,
        log: withAttempt(attempt),
        ...(isDelivered ? { deliveredAt: now } : { nextAttemptAt: result.nextAttemptAt }),
      })
      .where(
        and(
          eq(webhookDeliveries.id, delivery.id),
          eq(webhookDeliveries.state, "waiting"),
          eq(webhookDeliveries.attempts, delivery.attempts),
        ),
      ),
    db
      .update(webhookEndpoints)
      .set({
        failingSince: isDelivered
          ? null
          : sql`coalesce(${webhookEndpoints.failingSince}, ${now.toISOString()}::timestamptz)`,
      })
      .where(
        and(
          eq(webhookEndpoints.id, delivery.endpointId),
          isDelivered ? sql`${webhookEndpoints.failingSince} IS NOT NULL` : undefined,
        ),
      ),
  ]);
}

/** The log of a delivery with one more attempt at its end; the oldest ones fall out. */
function withAttempt(attempt: DeliveryAttempt): SQL {
  return sql`(
    SELECT jsonb_agg(entry ORDER BY place) FROM (
      SELECT entry, place
      FROM jsonb_array_elements(${webhookDeliveries.log} || ${JSON.stringify([attempt])}::jsonb)
        WITH ORDINALITY AS attempts (entry, place)
      ORDER BY place DESC LIMIT ${KEPT_ATTEMPTS}
    ) AS kept)`;
}

/** Stops an endpoint that has failed since before a moment, once. @returns whether this call did. */
export async function disableFailing(
  db: Database,
  endpoint: Pick<WebhookEndpoint, "id" | "organizationId">,
  change: { readonly failingBefore: Date | null; readonly now: Date; readonly event: AdminEvent },
): Promise<boolean> {
  const { failingBefore, now, event } = change;
  const condition =
    failingBefore === null ? sql`true` : sql`failing_since <= ${failingBefore.toISOString()}::timestamptz`;
  const { rows } = await db.execute(sql`
    WITH changed AS (
      UPDATE ${webhookEndpoints}
      SET disabled_at = ${now.toISOString()}::timestamptz, disabled_by = 'failures', revision = revision + 1
      WHERE id = ${endpoint.id} AND organization_id = ${endpoint.organizationId} AND disabled_at IS NULL AND ${condition}
      RETURNING id
    ), ${adminEventCte(event)}
    SELECT id FROM changed`);
  return rows.length > 0;
}
