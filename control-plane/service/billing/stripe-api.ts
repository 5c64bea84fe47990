import * as z from "zod";
import { PLAN_NAMES } from "@relaykey/core/plans";
import type { Plan } from "@relaykey/core/plans";
import type { Secret } from "@relaykey/core/secret";
import type { ServiceDependencies } from "../dependencies.ts";
import { fail, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";

/** Plans that are paid for. */
export type PaidPlan = Exclude<Plan, "free">;
export const PAID_PLANS = PLAN_NAMES.filter((plan) => plan !== "free");

/** An account at Stripe. */
export interface StripeSettings {
  readonly secretKey: Secret;
  /** Of the endpoint that Stripe sends events to. */
  readonly webhookSecret: Secret;
  readonly prices: Readonly<Record<PaidPlan, string>>;
  /** Where Stripe's API is. */
  readonly apiUrl: string;
  /** Origins of the pages that people are sent to, and of no others. */
  readonly pageOrigins: readonly string[];
}

/** A subscription that has not ended. */
export interface Subscription {
  readonly id: string;
  /** Whether it pays for something now; else its first payment is under way, or Stripe has given up on the card. */
  readonly isPaid: boolean;
  readonly prices: readonly string[];
}

const API_VERSION = "2026-10-28.endive";
const TIMEOUT_MS = 10_000;
/** Of one customer; it has one, or two while somebody pays twice. */
const MAX_SUBSCRIPTIONS = 100;
/** What is past due still holds: Stripe tries the card again, and ends the subscription when it gives up. */
const HOLDING: ReadonlySet<string> = new Set(["active", "trialing", "past_due"]);
const ENDED: ReadonlySet<string> = new Set(["canceled", "incomplete_expired"]);

const customerAnswer = z.object({ id: z.string().regex(/^cus_\w+$/) });
const pageAnswer = z.object({ id: z.string(), url: z.string() });
const sessionAnswer = z.object({ id: z.string(), status: z.enum(["open", "complete", "expired"]) });
const subscriptionsAnswer = z.object({
  has_more: z.literal(false),
  data: z.array(
    z.object({
      id: z.string(),
      customer: z.string(),
      status: z.string(),
      items: z.object({ data: z.array(z.object({ price: z.object({ id: z.string() }) })) }),
    }),
  ),
});

interface Call {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly idempotencyKey?: string;
}

/** Makes the customer that stands for an organization. */
export async function createCustomer(
  deps: ServiceDependencies,
  stripe: StripeSettings,
  organization: { readonly id: string; readonly name: string; readonly revision: number },
): Promise<Outcome<string>> {
  const { id, name, revision } = organization;
  const made = await callStripe(deps, stripe, customerAnswer, {
    method: "POST",
    path: "/v1/customers",
    fields: { name, "metadata[relaykey_organization]": id },
    // The name is the same as long as the revision is, and Stripe wants the same fields with the same key.
    idempotencyKey: `relaykey-customer-${id}-${String(revision)}`,
  });
  return made.ok ? ok(made.value.id) : made;
}

/** Makes a page at Stripe for a person to go to. */
export async function createPage(
  deps: ServiceDependencies,
  stripe: StripeSettings,
  call: Omit<Call, "method">,
): Promise<Outcome<{ readonly id: string; readonly url: string }>> {
  const made = await callStripe(deps, stripe, pageAnswer, { ...call, method: "POST" });
  if (!made.ok) return made;
  const { url } = made.value;
  if (URL.canParse(url) && stripe.pageOrigins.includes(new URL(url).origin)) return made;
  deps.log("error", "stripe_failed", { path: call.path, error: "page_elsewhere" });
  return fail("billing_away");
}

/**
 * Closes a page to subscribe on, so that it can no longer be paid. One that was paid, or is over, stays as it is.
 *
 * @returns a failure when it may still be open.
 */
export async function closeCheckout(
  deps: ServiceDependencies,
  stripe: StripeSettings,
  sessionId: string,
): Promise<Outcome<null>> {
  const path = `/v1/checkout/sessions/${encodeURIComponent(sessionId)}`;
  const seen = await callStripe(deps, stripe, sessionAnswer, { method: "GET", path });
  if (!seen.ok) return seen;
  if (seen.value.status !== "open") return ok(null);
  const closed = await callStripe(deps, stripe, sessionAnswer, { method: "POST", path: `${path}/expire` });
  return closed.ok ? ok(null) : closed;
}

/** What a customer has subscribed to and not ended. */
export async function listSubscriptions(
  deps: ServiceDependencies,
  stripe: StripeSettings,
  customerId: string,
): Promise<Outcome<readonly Subscription[]>> {
  const query = new URLSearchParams({ customer: customerId, limit: String(MAX_SUBSCRIPTIONS) });
  const path = `/v1/subscriptions?${query.toString()}`;
  const listed = await callStripe(deps, stripe, subscriptionsAnswer, { method: "GET", path });
  if (!listed.ok) return listed;
  return ok(
    listed.value.data
      .filter(({ customer, status }) => customer === customerId && !ENDED.has(status))
      .map(({ id, status, items }) => ({
        id,
        isPaid: HOLDING.has(status),
        prices: items.data.map(({ price }) => price.id),
      })),
  );
}

/** Ends a subscription now. */
export async function cancelSubscription(
  deps: ServiceDependencies,
  stripe: StripeSettings,
  subscriptionId: string,
): Promise<Outcome<unknown>> {
  const path = `/v1/subscriptions/${encodeURIComponent(subscriptionId)}`;
  return callStripe(deps, stripe, z.object({ id: z.string() }), { method: "DELETE", path });
}

/** What Stripe answers is read by our own schema; why it refused goes to the log by its codes, never its words. */
async function callStripe<S extends z.ZodType>(
  deps: ServiceDependencies,
  { apiUrl, secretKey }: StripeSettings,
  schema: S,
  { method, path, fields, idempotencyKey }: Call,
): Promise<Outcome<z.output<S>>> {
  const failed = (error: string, more: Record<string, unknown> = {}) => {
    deps.log("error", "stripe_failed", { method, path: path.split("?")[0], error, ...more });
    return fail("billing_away");
  };
  try {
    const response = await fetch(`${apiUrl}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${secretKey.reveal()}`,
        "Stripe-Version": API_VERSION,
        ...(idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey }),
        ...(fields === undefined ? {} : { "Content-Type": "application/x-www-form-urlencoded" }),
      },
      ...(fields === undefined ? {} : { body: new URLSearchParams(fields).toString() }),
      // The secret key goes nowhere else.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return failed("status", { status: response.status, request: response.headers.get("request-id") });
    }
    const answer = schema.safeParse(await response.json());
    return answer.success ? ok(answer.data) : failed("unexpected_answer");
  } catch {
    return failed("unreachable");
  }
}
