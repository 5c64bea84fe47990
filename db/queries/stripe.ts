import { eq, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { organizations, stripeEvents } from "../schema/organizations.ts";
import { adminEventCte, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { findOrganization } from "./organizations.ts";
import type { Organization } from "./organizations.ts";
import { planStatements, waitingKeys } from "./plans.ts";
import type { PlanChange } from "./plans.ts";

/** The organization that a customer at Stripe stands for. Across organizations: Stripe names only the customer. */
export async function findCustomer(db: Database, customerId: string): Promise<Organization | null> {
  const [row] = await db.select().from(organizations).where(eq(organizations.stripeCustomerId, customerId));
  return row ?? null;
}

/** Whether an event was dealt with. */
export async function isEventKnown(db: Database, eventId: string): Promise<boolean> {
  const rows = await db
    .select({ id: stripeEvents.id })
    .from(stripeEvents)
    .where(eq(stripeEvents.id, eventId));
  return rows.length > 0;
}

/**
 * Binds a customer to an organization that has none.
 *
 * @returns the customer that it has: another when one was bound meanwhile; null when there is no such organization.
 */
export async function bindCustomer(
  db: Database,
  organizationId: string,
  customerId: string,
  event: AdminEvent,
): Promise<string | null> {
  await db.execute(sql`
    WITH changed AS (
      UPDATE ${organizations} SET stripe_customer_id = ${customerId}, revision = revision + 1
      WHERE id = ${organizationId}::uuid AND stripe_customer_id IS NULL
      RETURNING id
    ), ${adminEventCte(event)}
    SELECT id FROM changed`);
  return (await findOrganization(db, organizationId))?.stripeCustomerId ?? null;
}

/**
 * Holds the page at Stripe that was opened to subscribe, in place of the former one.
 *
 * @returns whether it is held: no other one, and no subscription, came meanwhile.
 */
export async function holdCheckout(
  db: Database,
  checkout: { readonly organizationId: string; readonly former: string | null; readonly id: string },
  event: AdminEvent,
): Promise<boolean> {
  const { organizationId, former, id } = checkout;
  await db.execute(sql`
    WITH changed AS (
      UPDATE ${organizations} SET stripe_checkout_id = ${id}
      WHERE id = ${organizationId}::uuid AND stripe_subscription_id IS NULL
        AND stripe_checkout_id IS NOT DISTINCT FROM ${former}::text
      RETURNING id
    ), ${adminEventCte(event)}
    SELECT id FROM changed`);
  // Who pressed the button twice got the same page twice.
  const found = await findOrganization(db, organizationId);
  return found?.stripeCheckoutId === id && found.stripeSubscriptionId === null;
}

/** Notes what was done at Stripe, where there is nothing to change here. */
export async function recordBilling(db: Database, event: AdminEvent): Promise<void> {
  await insertAdminEvent(db, event);
}

/** What an event of Stripe led to. */
export interface PlanSync {
  /** What is paid for now; null: nothing. */
  readonly subscriptionId: string | null;
  readonly eventId: string;
  readonly type: string;
  readonly change: PlanChange;
}

/**
 * Brings an organization to what is paid for, and notes the event, in one transaction.
 *
 * @param read the organization as it was when Stripe was asked.
 * @returns the ids of the keys that now wait to be enforced.
 * @throws what `isStale` knows when it was brought to another state of Stripe since.
 */
export async function syncPlan(
  db: Database,
  read: Pick<Organization, "id" | "stripeSyncedAt">,
  { subscriptionId, eventId, type, change }: PlanSync,
): Promise<string[]> {
  const before = read.stripeSyncedAt?.toISOString() ?? null;
  const [, , , , changed, , bumped] = await db.batch([
    db.execute(sql`SELECT id FROM ${organizations} WHERE id = ${read.id} FOR UPDATE`),
    db.execute(sql`
      SELECT 1 / (CASE WHEN stripe_synced_at IS NOT DISTINCT FROM ${before}::timestamptz THEN 1 ELSE 0 END)
      FROM ${organizations} WHERE id = ${read.id}`),
    // Whole milliseconds, as the application reads them, and never the same moment twice.
    db.execute(sql`
      UPDATE ${organizations} SET stripe_subscription_id = ${subscriptionId}::text, stripe_synced_at = greatest(
        date_trunc('milliseconds', clock_timestamp()), stripe_synced_at + interval '1 millisecond')
      WHERE id = ${read.id}`),
    db.insert(stripeEvents).values({ id: eventId, type }).onConflictDoNothing(),
    ...planStatements(db, read.id, change),
  ]);
  return waitingKeys(changed, bumped) ?? [];
}
