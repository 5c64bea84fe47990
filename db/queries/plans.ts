import { sql } from "drizzle-orm";
import { PLANS, PLAN_NAMES } from "@relaykey/core/plans";
import type { Plan, PlanResource } from "@relaykey/core/plans";
import type { Database } from "../client.ts";
import { organizations } from "../schema/organizations.ts";
import { adminEventCte } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { hasCode } from "./conflicts.ts";
import { bumpKeys } from "./outbox.ts";

/** SQLSTATE of `relaykey_require_below`. */
const PLAN_LIMIT = "RK001";

/** What counts towards a limit, of the organization named by a parameter. */
const COUNTED: Record<PlanResource, (organizationId: string) => ReturnType<typeof sql>> = {
  keys: (id) => sql`SELECT count(*) FROM relay_keys WHERE organization_id = ${id} AND state <> 'revoked'`,
  integrations: (id) => sql`SELECT count(*) FROM integrations WHERE organization_id = ${id}`,
  members: (id) => sql`SELECT (SELECT count(*) FROM memberships WHERE organization_id = ${id})
    + (SELECT count(*) FROM invitations WHERE organization_id = ${id} AND accepted_at IS NULL AND revoked_at IS NULL
      AND expires_at > now())`,
  webhookEndpoints: (id) => sql`SELECT count(*) FROM webhook_endpoints WHERE organization_id = ${id}`,
};

/**
 * Statements that begin the batch of a create: they stop the whole transaction when the plan allows no more. The lock makes
 * creates of an organization at the same time wait for one another, so that the count is true until the batch is over.
 *
 * @param leaving how many the same batch ends.
 */
export function planGuard(db: Database, organizationId: string, resource: PlanResource, leaving: 0 | 1 = 0) {
  const allowed = sql.join(
    PLAN_NAMES.map((plan) => sql`WHEN ${plan} THEN ${PLANS[plan].limits[resource]}::bigint`),
    sql` `,
  );
  return [
    db.execute(sql`SELECT id FROM ${organizations} WHERE id = ${organizationId} FOR NO KEY UPDATE`),
    db.execute(sql`
      SELECT relaykey_require_below((${COUNTED[resource](organizationId)}) - ${leaving}::bigint, CASE plan ${allowed} ELSE 0 END, ${resource})
      FROM ${organizations} WHERE id = ${organizationId}`),
  ] as const;
}

/** Whether a create failed because of the plan. */
export function isPlanLimit(error: unknown): boolean {
  return hasCode(error, PLAN_LIMIT);
}

/** How much of each limit an organization has used, and its requests of the month. */
export async function readUsage(
  db: Database,
  organizationId: string,
  now: Date,
): Promise<Readonly<Record<PlanResource, number>> & { readonly requests: number }> {
  const month = `${now.toISOString().slice(0, 7)}-01`;
  const { rows } = await db.execute<Record<PlanResource | "requests", string>>(sql`
    SELECT (${COUNTED.keys(organizationId)}) AS keys, (${COUNTED.integrations(organizationId)}) AS integrations,
      (${COUNTED.members(organizationId)}) AS members, (${COUNTED.webhookEndpoints(organizationId)}) AS "webhookEndpoints",
      (SELECT coalesce(sum(requests), 0) FROM usage_days
        WHERE organization_id = ${organizationId} AND day >= ${month}::date) AS requests`);
  const [row] = rows;
  return {
    keys: Number(row?.keys ?? 0),
    integrations: Number(row?.integrations ?? 0),
    members: Number(row?.members ?? 0),
    webhookEndpoints: Number(row?.webhookEndpoints ?? 0),
    requests: Number(row?.requests ?? 0),
  };
}

/** A change of plan. */
export interface PlanChange {
  readonly plan: Plan;
  readonly now: Date;
  readonly event: AdminEvent;
}

/**
 * Puts an organization on a plan. Its keys say how long their events are kept, so each gets a new policy version; events
 * that are there are moved by the audit plane's daily job.
 *
 * @returns the ids of the keys that now wait to be enforced; null when it is on the plan already.
 */
export async function changePlan(
  db: Database,
  organizationId: string,
  change: PlanChange,
): Promise<string[] | null> {
  const [changed, , bumped] = await db.batch(planStatements(db, organizationId, change));
  return waitingKeys(changed, bumped);
}

/** The statements of a change of plan, for the batch of what leads to it; `waitingKeys` reads the first and the last answer. */
export function planStatements(db: Database, organizationId: string, { plan, now, event }: PlanChange) {
  const days = PLANS[plan].auditRetentionDays;
  const at = sql`${now.toISOString()}::timestamptz`;
  return [
    db.execute(sql`
      WITH changed AS (
        UPDATE ${organizations}
        SET plan = ${plan}, audit_retention_days = ${days}, retention_changed_at = ${at}, revision = revision + 1
        WHERE id = ${organizationId} AND (plan <> ${plan} OR audit_retention_days <> ${days})
        RETURNING id
      ), ${adminEventCte(event)}
      SELECT id FROM changed`),
    ...bumpKeys(
      db,
      organizationId,
      sql`EXISTS (SELECT 1 FROM ${organizations} WHERE id = ${organizationId} AND retention_changed_at = ${at})`,
    ),
  ] as const;
}

/** @returns the ids of the keys that wait to be enforced; null when the organization was on the plan already. */
export function waitingKeys(
  changed: { readonly rows: readonly unknown[] },
  bumped: { readonly rows: readonly { readonly key_id: string }[] },
): string[] | null {
  return changed.rows.length === 0 ? null : bumped.rows.map(({ key_id }) => key_id);
}
