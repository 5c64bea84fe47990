import { findOrganization } from "@relaykey/db/queries/organizations";
import type { Organization } from "@relaykey/db/queries/organizations";
import { bindCustomer, holdCheckout, recordBilling } from "@relaykey/db/queries/stripe";
import { authorize } from "../authorization.ts";
import { adminEvent } from "../caller.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDependencies } from "../dependencies.ts";
import { fail, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { closeCheckout, createCustomer, createPage, listSubscriptions } from "./stripe-api.ts";
import type { PaidPlan, StripeSettings } from "./stripe-api.ts";

/** Who decides on the plan: the operator, or who pays for it. */
export interface Billing {
  readonly isConfigured: boolean;
  readonly isCustomer: boolean;
  readonly isSubscribed: boolean;
}

/** Within it the same order leads to the same page at Stripe, however often the button is pressed. */
const WINDOW_SECONDS = 600;
/** Stripe's least is half an hour from now. */
const PAGE_SECONDS = 1_800 + 60;

export async function showBilling(deps: ServiceDependencies, caller: Caller): Promise<Outcome<Billing>> {
  const allowed = authorize(caller, "plan.read");
  if (!allowed.ok) return allowed;
  const organization = await findOrganization(deps.db, caller.organizationId);
  if (organization === null) return fail("not_found");
  return ok({
    isConfigured: deps.stripe !== null,
    isCustomer: organization.stripeCustomerId !== null,
    isSubscribed: organization.stripeSubscriptionId !== null,
  });
}

/**
 * Opens a page at Stripe on which a person subscribes to a plan. The plan changes when Stripe says that it is paid
 * (`applyStripeEvent`), not because somebody came back from there.
 *
 * Nobody pays twice: the page that was opened before is closed first, then Stripe is asked what there is, and of pages
 * opened at the same time one is held and handed out.
 *
 * @returns where to send the person.
 */
export async function startCheckout(
  deps: ServiceDependencies,
  caller: Caller,
  plan: PaidPlan,
): Promise<Outcome<string>> {
  const allowed = authorize(caller, "plan.change");
  if (!allowed.ok) return allowed;
  const { stripe } = deps;
  if (stripe === null) return notConfigured();
  const organization = await findOrganization(deps.db, caller.organizationId);
  if (organization === null) return fail("not_found");
  if (organization.deleteAfter !== null) return fail("deletion_pending");
  if (organization.stripeSubscriptionId !== null) return subscribed();
  const { stripeCheckoutId: former } = organization;
  const customer = await ensureCustomer(deps, caller, stripe, organization);
  if (!customer.ok) return customer;
  const closed = former === null ? ok(null) : await closeCheckout(deps, stripe, former);
  if (!closed.ok) return closed;
  const subscriptions = await listSubscriptions(deps, stripe, customer.value);
  if (!subscriptions.ok) return subscriptions;
  if (subscriptions.value.length > 0) return subscribed();
  const window = Math.floor(deps.now() / 1_000 / WINDOW_SECONDS);
  const page = await createPage(deps, stripe, {
    path: "/v1/checkout/sessions",
    fields: {
      mode: "subscription",
      customer: customer.value,
      client_reference_id: organization.id,
      "line_items[0][price]": stripe.prices[plan],
      "line_items[0][quantity]": "1",
      "subscription_data[metadata][relaykey_organization]": organization.id,
      success_url: `${deps.controlUrl}/settings/plan?billing=done`,
      cancel_url: `${deps.controlUrl}/settings/plan`,
      expires_at: String((window + 1) * WINDOW_SECONDS + PAGE_SECONDS),
    },
    idempotencyKey: `relaykey-checkout-${organization.id}-${plan}-${former ?? "first"}-${String(window)}`,
  });
  if (!page.ok) return page;
  const { id, url } = page.value;
  const facts = { metadata: { plan, session: id } };
  const subject = { kind: "organization", id: organization.id } as const;
  const event = adminEvent(caller, "billing.checkout_started", subject, facts);
  if (await holdCheckout(deps.db, { organizationId: organization.id, former, id }, event)) return ok(url);
  await closeCheckout(deps, stripe, id);
  return fail("changed_meanwhile", {
    detail: "Another admin opened a page to pay at the same moment. Look whether they pay, or try again.",
  });
}

/** Opens the page at Stripe where the subscription is changed or ended, cards and invoices are. */
export async function openPortal(deps: ServiceDependencies, caller: Caller): Promise<Outcome<string>> {
  const allowed = authorize(caller, "plan.change");
  if (!allowed.ok) return allowed;
  if (deps.stripe === null) return notConfigured();
  const organization = await findOrganization(deps.db, caller.organizationId);
  if (organization === null) return fail("not_found");
  const { stripeCustomerId: customer } = organization;
  if (customer === null) return fail("not_found", { detail: "Nothing was ever paid for here." });
  const page = await createPage(deps, deps.stripe, {
    path: "/v1/billing_portal/sessions",
    fields: { customer, return_url: `${deps.controlUrl}/settings/plan` },
  });
  if (!page.ok) return page;
  const subject = { kind: "organization", id: organization.id } as const;
  await recordBilling(deps.db, adminEvent(caller, "billing.portal_opened", subject));
  return ok(page.value.url);
}

/** The organization's customer at Stripe; two who press the button at once get the same. */
async function ensureCustomer(
  deps: ServiceDependencies,
  caller: Caller,
  stripe: StripeSettings,
  organization: Organization,
): Promise<Outcome<string>> {
  const { id, stripeCustomerId } = organization;
  if (stripeCustomerId !== null) return ok(stripeCustomerId);
  const made = await createCustomer(deps, stripe, organization);
  if (!made.ok) return made;
  const event = adminEvent(
    caller,
    "billing.customer_bound",
    { kind: "organization", id },
    { before: { stripeCustomerId: null }, after: { stripeCustomerId: made.value } },
  );
  const bound = await bindCustomer(deps.db, id, made.value, event);
  return bound === null ? fail("not_found") : ok(bound);
}

function subscribed() {
  return fail("in_use", { detail: "There is a subscription already: change it where it is managed." });
}

function notConfigured() {
  return fail("not_found", { detail: "This installation takes no payments: its operator sets the plan." });
}
