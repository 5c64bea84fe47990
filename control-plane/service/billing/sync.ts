import { PLANS, PLAN_NAMES } from "@relaykey/core/plans";
import type { Plan } from "@relaykey/core/plans";
import { isStale } from "@relaykey/db/queries/revisions";
import { findCustomer, isEventKnown, syncPlan } from "@relaykey/db/queries/stripe";
import type { Organization } from "@relaykey/db/queries/organizations";
import { adminEvent, systemCaller } from "../caller.ts";
import type { ServiceDependencies } from "../dependencies.ts";
import { enforceKeys } from "../enforcement.ts";
import { fail, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { PAID_PLANS, cancelSubscription, listSubscriptions } from "./stripe-api.ts";
import type { StripeSettings, Subscription } from "./stripe-api.ts";

/** A verified event: only whose it is counts, not what it says. */
export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  readonly customerId: string | null;
}

/** Events after which a customer may pay for something else than before. */
const RELEVANT = /^(?:checkout\.session\.(?:completed|async_payment_succeeded)|customer\.subscription\.\w+)$/;
/** Two events at the same time: the one that read first reads again. */
const TRIES = 4;

/**
 * Brings the plan of an organization to what its customer pays for at Stripe now. Events come late, twice and in any order,
 * so an event is only a reason to look; what was read before another event was applied is read again.
 *
 * @returns what became of the event, for the log.
 */
export async function applyStripeEvent(
  deps: ServiceDependencies,
  stripe: StripeSettings,
  event: StripeEvent,
): Promise<Outcome<"applied" | "ignored" | "repeated">> {
  const { customerId } = event;
  if (customerId === null || !RELEVANT.test(event.type)) return ok("ignored");
  if (await isEventKnown(deps.db, event.id)) return ok("repeated");
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const organization = await findCustomer(deps.db, customerId);
    // The account may be used for more than this installation.
    if (organization === null) return ok("ignored");
    const subscriptions = await listSubscriptions(deps, stripe, customerId);
    if (!subscriptions.ok) return subscriptions;
    const paying = subscriptions.value.filter(({ isPaid }) => isPaid);
    // Checkout refuses a second one: somebody made it at Stripe by hand.
    if (paying.length > 1)
      deps.log("error", "stripe_paid_twice", { organizationId: organization.id, count: paying.length });
    const paid = choose(stripe, paying);
    if (paid === null) {
      const { id: organizationId } = organization;
      deps.log("error", "stripe_price_unknown", { organizationId, event: event.id });
      return fail("billing_away", { detail: "A subscription has a price that belongs to no plan." });
    }
    const keyIds = await store(deps, organization, paid, event);
    if (keyIds === "stale") continue;
    await enforceKeys(deps, organization.id, keyIds);
    return ok("applied");
  }
  return fail("changed_meanwhile");
}

/** Ends what an organization pays for, before it is deleted. @returns whether nothing is paid any more. */
export async function endBilling(deps: ServiceDependencies, customerId: string | null): Promise<boolean> {
  if (customerId === null) return true;
  if (deps.stripe === null) {
    deps.log("error", "stripe_customer_left", { customerId });
    return true;
  }
  const subscriptions = await listSubscriptions(deps, deps.stripe, customerId);
  if (!subscriptions.ok) return false;
  for (const { id } of subscriptions.value) {
    if (!(await cancelSubscription(deps, deps.stripe, id)).ok) return false;
  }
  return true;
}

interface Paid {
  readonly plan: Plan;
  readonly subscriptionId: string | null;
}

/** The largest plan that is paid for. @returns null when something is paid that is no plan of ours. */
function choose(stripe: StripeSettings, subscriptions: readonly Subscription[]): Paid | null {
  let best: Paid = { plan: "free", subscriptionId: null };
  for (const { id, prices } of subscriptions) {
    const plan = PAID_PLANS.findLast((name) => prices.includes(stripe.prices[name]));
    if (plan === undefined) return null;
    if (PLAN_NAMES.indexOf(plan) > PLAN_NAMES.indexOf(best.plan)) best = { plan, subscriptionId: id };
  }
  return best;
}

/** @returns the keys that wait to be enforced; "stale" when another event was applied since the organization was read. */
async function store(
  deps: ServiceDependencies,
  organization: Organization,
  { plan, subscriptionId }: Paid,
  { id: eventId, type }: StripeEvent,
): Promise<readonly string[] | "stale"> {
  const { id, stripeSubscriptionId: former } = organization;
  // Who never paid has the plan that the operator gave: a purchase that comes to nothing takes nothing away.
  const next = subscriptionId === null && former === null ? organization.plan : plan;
  const event = adminEvent(
    systemCaller(id),
    "plan.changed",
    { kind: "organization", id },
    {
      before: { plan: organization.plan, auditRetentionDays: organization.auditRetentionDays },
      after: { plan: next, auditRetentionDays: PLANS[next].auditRetentionDays },
      metadata: { stripeEvent: eventId, subscription: subscriptionId ?? former },
    },
  );
  const change = { plan: next, now: new Date(deps.now()), event };
  try {
    return await syncPlan(deps.db, organization, { subscriptionId, eventId, type, change });
  } catch (error) {
    if (isStale(error)) return "stale";
    throw error;
  }
}
