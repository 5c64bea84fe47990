import { and, asc, eq } from "drizzle-orm";
import Stripe from "stripe";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Secret } from "@relaykey/core/secret";
import { startStripe } from "../../../local/test/stripe-fake.ts";
import type { StripeFake } from "../../../local/test/stripe-fake.ts";
import { deleteExpired } from "@relaykey/db/queries/housekeeping";
import { findOrganization } from "@relaykey/db/queries/organizations";
import { adminAuditEvents, organizations, stripeEvents } from "@relaykey/db/schema/organizations";
import { openOwnOrganization } from "../../service/account/sign-up.ts";
import { showBilling, openPortal, startCheckout } from "../../service/billing/checkout.ts";
import { endBilling } from "../../service/billing/sync.ts";
import type { Caller } from "../../service/caller.ts";
import { answerStripe } from "../../stripe-webhook.ts";
import { signIn, unique, value } from "./accounts/people.ts";
import { createWorld } from "./world.ts";
import type { World } from "./world.ts";

const SECRET_KEY = "sk_test_1";
const WEBHOOK_SECRET = `whsec_${"a".repeat(32)}`;
const PRICES = { builder: "price_b", team: "price_t", business: "price_z" };
const official = new Stripe(SECRET_KEY);

let world: World;
let fake: StripeFake;
let deps: World["deps"];
let organizationId: string;
let admin: Caller;
let events = 0;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  fake = await startStripe(SECRET_KEY);
  deps = {
    ...world.deps,
    stripe: {
      secretKey: new Secret(SECRET_KEY),
      webhookSecret: new Secret(WEBHOOK_SECRET),
      prices: PRICES,
      apiUrl: fake.url,
      pageOrigins: [fake.url],
    },
  };
  organizationId = await freeOrganization();
  admin = await world.person(organizationId, "admin");
  world.logged.length = 0;
});

afterEach(() => fake.close());

async function freeOrganization(): Promise<string> {
  const { id } = await world.organization();
  await world.db
    .update(organizations)
    .set({ plan: "free", auditRetentionDays: 7 })
    .where(eq(organizations.id, id));
  return id;
}

/** The organization's customer, after a checkout was begun. */
async function customerOf(caller: Caller = admin): Promise<string> {
  expect(await startCheckout(deps, caller, "team")).toMatchObject({ ok: true });
  const customer = (await findOrganization(world.db, caller.organizationId))?.stripeCustomerId ?? null;
  if (customer === null) throw new Error("There is no customer.");
  return customer;
}

function subscribe(customer: string, price: string) {
  const subscription = { id: `sub_${crypto.randomUUID().slice(0, 8)}`, customer, status: "active", price };
  fake.subscriptions.push(subscription);
  return subscription;
}

interface Delivery {
  readonly type?: string;
  readonly id?: string;
  readonly object?: object;
  readonly secret?: string;
  readonly ageSeconds?: number;
  readonly signature?: (made: string) => string;
  readonly tamper?: (body: string) => string;
}

/** Sends an event as Stripe does, signed by its own library. */
async function deliver(customer: unknown, more: Delivery = {}): Promise<{ status: number; text: string }> {
  events += 1;
  const payload = JSON.stringify({
    id: more.id ?? `evt_${String(events)}`,
    object: "event",
    type: more.type ?? "customer.subscription.updated",
    created: Math.floor(deps.now() / 1_000),
    data: { object: { id: "sub_told", customer, ...more.object } },
  });
  const made = official.webhooks.generateTestHeaderString({
    payload,
    secret: more.secret ?? WEBHOOK_SECRET,
    timestamp: Math.floor(deps.now() / 1_000) - (more.ageSeconds ?? 0),
  });
  const response = await answerStripe(
    new Request("https://relaykey.example/webhooks/stripe", {
      method: "POST",
      headers: { "Stripe-Signature": more.signature?.(made) ?? made },
      body: more.tamper?.(payload) ?? payload,
    }),
    deps,
  );
  return { status: response.status, text: (await response.text()).trim() };
}

async function planOf(id = organizationId) {
  const row = await findOrganization(world.db, id);
  return row && { plan: row.plan, days: row.auditRetentionDays, subscription: row.stripeSubscriptionId };
}

function adminEvents(action: string, id = organizationId) {
  return world.db
    .select()
    .from(adminAuditEvents)
    .where(and(eq(adminAuditEvents.organizationId, id), eq(adminAuditEvents.action, action)))
    .orderBy(asc(adminAuditEvents.id));
}

test("a checkout is a page at Stripe for this organization, its plan and its customer, and is an admin event", async () => {
  expect(await startCheckout(deps, admin, "team")).toMatchObject({ ok: true });
  const [customer, , session] = fake.calls;
  expect(customer).toMatchObject({
    path: "/v1/customers",
    fields: { "metadata[relaykey_organization]": organizationId },
  });
  const bound = (await findOrganization(world.db, organizationId))?.stripeCustomerId;
  expect(session).toMatchObject({
    path: "/v1/checkout/sessions",
    fields: {
      mode: "subscription",
      customer: bound,
      client_reference_id: organizationId,
      "line_items[0][price]": PRICES.team,
      success_url: "https://relaykey.example/settings/plan?billing=done",
      cancel_url: "https://relaykey.example/settings/plan",
    },
  });
  // Stripe's least is thirty minutes, its most a day.
  const lives = Number(session?.fields["expires_at"]) - deps.now() / 1_000;
  expect(lives).toBeGreaterThan(1_800);
  expect(lives).toBeLessThan(86_400);
  expect(await adminEvents("billing.customer_bound")).toMatchObject([
    { actorKind: "user", via: "dashboard" },
  ]);
  const [started] = await adminEvents("billing.checkout_started");
  expect(started?.metadata).toContain("team");
  expect(started?.metadata).not.toContain(fake.url);
  expect(await planOf()).toMatchObject({ plan: "free" });
});

test("a button pressed twice at once leads to one customer and one page", async () => {
  const pages = await Promise.all([startCheckout(deps, admin, "team"), startCheckout(deps, admin, "team")]);
  const [first, second] = pages.map((page) => (page.ok ? page.value : null));
  expect(first).toBe(second);
  expect(await adminEvents("billing.customer_bound")).toHaveLength(1);
});

/** Holds the next call of this path until it is let go. */
function holdNext(path: string): { readonly reached: Promise<void>; readonly letGo: () => void } {
  let letGo = (): void => undefined;
  let reach = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  fake.late = (call) => {
    if (call.path !== path) return Promise.resolve();
    fake.late = () => Promise.resolve();
    reach();
    return held;
  };
  return { reached, letGo };
}

function pagesThatCanBePaid() {
  return fake.sessions.filter(({ status }) => status === "open");
}

test("of pages to subscribe on only the last one can be paid, whoever opened it and for whichever plan", async () => {
  const other = await world.person(organizationId, "admin");
  expect(await startCheckout(deps, admin, "team")).toMatchObject({ ok: true });
  expect(await startCheckout(deps, other, "business")).toMatchObject({ ok: true });
  expect(await startCheckout(deps, admin, "builder")).toMatchObject({ ok: true });
  expect(pagesThatCanBePaid()).toMatchObject([{ price: PRICES.builder }]);
});

test("two admins who open pages for two plans at once get one page between them", async () => {
  await customerOf();
  const other = await world.person(organizationId, "admin");
  const { reached, letGo } = holdNext("/v1/checkout/sessions");
  const slow = startCheckout(deps, admin, "team");
  await reached;
  expect(await startCheckout(deps, other, "business")).toMatchObject({ ok: true });
  letGo();
  expect(await slow).toMatchObject({ failure: { code: "changed_meanwhile" } });
  expect(pagesThatCanBePaid()).toMatchObject([{ price: PRICES.business }]);
});

test("what was paid a moment ago is not paid again, though Stripe has not told of it yet", async () => {
  await customerOf();
  const paid = fake.pay(pagesThatCanBePaid()[0]?.id ?? "");
  expect(await startCheckout(deps, admin, "business")).toMatchObject({ failure: { code: "in_use" } });
  if (paid !== null) paid.status = "incomplete";
  expect(await startCheckout(deps, admin, "business")).toMatchObject({ failure: { code: "in_use" } });
  expect(fake.sessions).toHaveLength(1);
});

test("a page that is paid while another is opened is the only one that is", async () => {
  await customerOf();
  const [first] = pagesThatCanBePaid();
  // Paid after it was seen open, before it is closed.
  fake.late = (call) => {
    if (call.path === `/v1/checkout/sessions/${String(first?.id)}` && call.method === "GET")
      fake.pay(first?.id ?? "");
    return Promise.resolve();
  };
  expect(await startCheckout(deps, admin, "business")).toMatchObject({ ok: false });
  expect(await startCheckout(deps, admin, "business")).toMatchObject({ failure: { code: "in_use" } });
  expect(pagesThatCanBePaid()).toHaveLength(0);
  expect(fake.subscriptions).toHaveLength(1);
});

test("who ended a subscription can subscribe again", async () => {
  const customer = await customerOf();
  const subscription = fake.pay(pagesThatCanBePaid()[0]?.id ?? "");
  await deliver(customer);
  if (subscription !== null) subscription.status = "canceled";
  await deliver(customer, { type: "customer.subscription.deleted" });
  expect(await startCheckout(deps, admin, "team")).toMatchObject({ ok: true });
  expect(pagesThatCanBePaid()).toHaveLength(1);
});

test("two subscriptions that were made at Stripe by hand give the larger plan, and the operator is told", async () => {
  const customer = await customerOf();
  subscribe(customer, PRICES.business);
  subscribe(customer, PRICES.builder);
  await deliver(customer);
  expect(await planOf()).toMatchObject({ plan: "business" });
  expect(world.logged.join()).toContain("stripe_paid_twice");
});

test("an organization begins on Free where plans are paid for, on Business where the operator gives them", async () => {
  for (const [surroundings, plan, days] of [
    [deps, "free", 7],
    [world.deps, "business", 365],
  ] as const) {
    const { person } = await signIn(world, unique());
    const opened = value(await openOwnOrganization(surroundings, person, { name: "New" }));
    expect(await planOf(opened.organizationId)).toMatchObject({ plan, days });
  }
});

test("events of Stripe are forgotten when Stripe cannot send them again", async () => {
  const customer = await customerOf();
  await deliver(customer, { id: "evt_kept" });
  const day = 86_400_000;
  const isKnown = async () =>
    (await world.db.select().from(stripeEvents).where(eq(stripeEvents.id, "evt_kept"))).length > 0;
  await deleteExpired(world.db, new Date(deps.now() + 30 * day));
  expect(await isKnown()).toBe(true);
  await deleteExpired(world.db, new Date(deps.now() + 32 * day));
  expect(await isKnown()).toBe(false);
});

test("only admins pay, only where it is configured, and not twice", async () => {
  const viewer = await world.person(organizationId, "viewer");
  expect(await startCheckout(deps, viewer, "team")).toMatchObject({ failure: { code: "role_insufficient" } });
  expect(await openPortal(deps, viewer)).toMatchObject({ failure: { code: "role_insufficient" } });
  const weak = { ...admin, isStrong: false };
  expect(await startCheckout(deps, weak, "team")).toMatchObject({ failure: { code: "passkey_needed" } });
  expect(await startCheckout(world.deps, admin, "team")).toMatchObject({ failure: { code: "not_found" } });
  expect(await openPortal(deps, admin)).toMatchObject({ failure: { code: "not_found" } });
  expect(fake.calls).toHaveLength(0);
  subscribe(await customerOf(), PRICES.team);
  expect((await deliver((await findOrganization(world.db, organizationId))?.stripeCustomerId)).status).toBe(
    200,
  );
  expect(await startCheckout(deps, admin, "business")).toMatchObject({ failure: { code: "in_use" } });
  expect(await openPortal(deps, admin)).toMatchObject({ ok: true });
  expect(await adminEvents("billing.portal_opened")).toHaveLength(1);
  expect(await showBilling(deps, viewer)).toMatchObject({ value: { isSubscribed: true } });
});

test.each([
  ["a refusal", { status: 402, body: `{"error":{"message":"hunter2"}}` }],
  ["no JSON", { status: 200, body: "hunter2" }],
  ["an answer of another form", { status: 200, body: `{"id":"hunter2"}` }],
])("%s of Stripe changes nothing, and its words are kept out of log and answer", async (_, failing) => {
  fake.failing = failing;
  const answer = await startCheckout(deps, admin, "team");
  expect(answer).toMatchObject({ failure: { code: "billing_away" } });
  expect(JSON.stringify([answer, world.logged])).not.toMatch(/hunter2|sk_test/);
  expect(await adminEvents("billing.checkout_started")).toHaveLength(0);
});

test("nobody is sent to a page that is not Stripe's", async () => {
  fake.pageOrigin = "https://checkout.stripe.com.example";
  expect(await startCheckout(deps, admin, "team")).toMatchObject({ failure: { code: "billing_away" } });
});

test("what is paid becomes the plan, in one transaction with its admin event, for keys too; its end is free", async () => {
  const { id, client } = await world.organization();
  await client("POST", "/integrations", { slug: "openai", secret: "sk-vendor" });
  await client("POST", "/holders", { name: "ci", kind: "service" });
  const made = await client("POST", "/keys", {
    holder: "ci",
    integration: "openai",
    allow: ["GET /v1/models"],
  });
  const keyId = (made.body["key"] as { id: string }).id;
  const customer = await customerOf(await world.person(id, "admin"));
  const subscription = subscribe(customer, PRICES.builder);
  expect(await deliver(customer, { type: "checkout.session.completed" })).toEqual({
    status: 200,
    text: "applied",
  });
  expect(await planOf(id)).toEqual({ plan: "builder", days: 30, subscription: subscription.id });
  expect(world.keyControl.latest(keyId)?.auditRetentionDays).toBe(30);
  subscription.price = PRICES.team;
  await deliver(customer);
  subscription.status = "canceled";
  await deliver(customer, { type: "customer.subscription.deleted" });
  expect(await planOf(id)).toEqual({ plan: "free", days: 7, subscription: null });
  expect(world.keyControl.latest(keyId)?.auditRetentionDays).toBe(7);
  expect(await adminEvents("plan.changed", id)).toMatchObject([
    { actorKind: "system", via: "system", before: { plan: "business" }, after: { plan: "builder" } },
    { before: { plan: "builder" }, after: { plan: "team" } },
    { before: { plan: "team" }, after: { plan: "free" } },
  ]);
});

test("events out of order bring the plan to what holds at Stripe now, and a repeated one does nothing", async () => {
  const customer = await customerOf();
  const subscription = subscribe(customer, PRICES.business);
  // The downgrade happened; the event of it comes first, that of the purchase after it, each telling its own story.
  subscription.price = PRICES.builder;
  const told = (price: string) => ({ items: { data: [{ price: { id: price } }] } });
  await deliver(customer, { object: told(PRICES.builder) });
  await deliver(customer, { type: "customer.subscription.created", object: told(PRICES.business) });
  expect(await planOf()).toMatchObject({ plan: "builder" });
  subscription.status = "canceled";
  await deliver(customer, { type: "customer.subscription.deleted", id: "evt_end" });
  await deliver(customer, { type: "customer.subscription.updated", object: told(PRICES.builder) });
  expect(await planOf()).toMatchObject({ plan: "free" });
  const asked = fake.calls.length;
  expect(await deliver(customer, { id: "evt_end" })).toEqual({ status: 200, text: "repeated" });
  expect(fake.calls).toHaveLength(asked);
  expect(await world.db.select().from(stripeEvents).where(eq(stripeEvents.id, "evt_end"))).toHaveLength(1);
});

test("of two events at once, the one that read an older state of Stripe does not win", async () => {
  const customer = await customerOf();
  const subscription = subscribe(customer, PRICES.business);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let arrived = (): void => undefined;
  const reading = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  fake.late = () => {
    fake.late = () => Promise.resolve();
    arrived();
    return held;
  };
  const slow = deliver(customer);
  await reading;
  subscription.price = PRICES.builder;
  await deliver(customer);
  release();
  expect((await slow).status).toBe(200);
  expect(await planOf()).toMatchObject({ plan: "builder" });
});

test("one event delivered many times at once is applied once", async () => {
  const customer = await customerOf();
  subscribe(customer, PRICES.team);
  const answers = await Promise.all(Array.from({ length: 4 }, () => deliver(customer, { id: "evt_many" })));
  for (const { status } of answers) expect([200, 503]).toContain(status);
  expect(await adminEvents("plan.changed")).toHaveLength(1);
  expect(await planOf()).toMatchObject({ plan: "team" });
});

test.each([
  ["another secret", { secret: `whsec_${"b".repeat(32)}` }],
  ["a time more than five minutes ago", { ageSeconds: 301 }],
  ["a time more than five minutes ahead", { ageSeconds: -302 }],
  ["a body that was changed", { tamper: (body: string) => body.replace("updated", "deleted") }],
  ["white space added to the body", { tamper: (body: string) => `${body} ` }],
  ["no signature", { signature: () => "" }],
  ["a signature of scheme v0 only", { signature: (made: string) => made.replace("v1=", "v0=") }],
  ["a second time", { signature: (made: string) => `t=1,${made}` }],
  ["half a signature", { signature: (made: string) => made.slice(0, -32) }],
])("%s is refused and changes nothing", async (_, delivery) => {
  const customer = await customerOf();
  subscribe(customer, PRICES.team);
  expect(await deliver(customer, delivery)).toMatchObject({ status: 400 });
  expect(await planOf()).toMatchObject({ plan: "free" });
});

test("one of several signatures is enough, while a secret is replaced", async () => {
  const customer = await customerOf();
  subscribe(customer, PRICES.team);
  const signature = (made: string) => made.replace("v1=", `v1=${"0".repeat(64)},v1=`);
  expect(await deliver(customer, { signature, ageSeconds: 290 })).toMatchObject({ status: 200 });
  expect(await planOf()).toMatchObject({ plan: "team" });
});

test("an event concerns its customer's organization only, whatever else it names", async () => {
  const other = await freeOrganization();
  const theirs = await customerOf(await world.person(other, "admin"));
  const ours = await customerOf();
  subscribe(theirs, PRICES.business);
  // A link of another organization's order with our name on it.
  await deliver(theirs, {
    type: "checkout.session.completed",
    object: { client_reference_id: organizationId, metadata: { relaykey_organization: organizationId } },
  });
  expect(await planOf()).toMatchObject({ plan: "free" });
  expect(await planOf(other)).toMatchObject({ plan: "business" });
  await deliver(ours);
  expect(await planOf()).toMatchObject({ plan: "free", subscription: null });
});

test("unknown customers, other events and odd bodies are not errors of Stripe's; an unknown price is the operator's", async () => {
  const customer = await customerOf();
  const subscription = subscribe(customer, "price_unknown");
  expect(await deliver("cus_unknown")).toEqual({ status: 200, text: "ignored" });
  expect(await deliver({ id: customer })).toEqual({ status: 200, text: "ignored" });
  expect(await deliver(customer, { type: "invoice.paid" })).toEqual({ status: 200, text: "ignored" });
  expect(await deliver(customer, { id: "no event" })).toMatchObject({ status: 400 });
  expect(await deliver(customer)).toMatchObject({ status: 503 });
  expect(await planOf()).toMatchObject({ plan: "free" });
  fake.failing = { status: 500, body: "{}" };
  expect(await deliver(customer, { id: "evt_later" })).toMatchObject({ status: 503 });
  fake.failing = null;
  subscription.price = PRICES.team;
  expect(await deliver(customer, { id: "evt_later" })).toEqual({ status: 200, text: "applied" });
});

test("a purchase that comes to nothing leaves the plan that the operator gave; past due still holds", async () => {
  const { id } = await world.organization();
  const customer = await customerOf(await world.person(id, "admin"));
  const subscription = subscribe(customer, PRICES.team);
  subscription.status = "incomplete";
  await deliver(customer, { type: "customer.subscription.created" });
  expect(await planOf(id)).toMatchObject({ plan: "business", subscription: null });
  subscription.status = "past_due";
  await deliver(customer);
  expect(await planOf(id)).toMatchObject({ plan: "team" });
  subscription.status = "unpaid";
  await deliver(customer);
  expect(await planOf(id)).toMatchObject({ plan: "free" });
});

test("what was paid for ends before an organization is deleted", async () => {
  const customer = await customerOf();
  const subscription = subscribe(customer, PRICES.team);
  fake.failing = { status: 500, body: "{}" };
  expect(await endBilling(deps, customer)).toBe(false);
  fake.failing = null;
  expect(await endBilling(deps, customer)).toBe(true);
  expect(subscription.status).toBe("canceled");
  expect(await endBilling(deps, null)).toBe(true);
});

test("the endpoint is not there unless configured, takes POST only, and no more than 256 KiB", async () => {
  const request = (init: RequestInit) => new Request("https://relaykey.example/webhooks/stripe", init);
  expect((await answerStripe(request({ method: "POST", body: "{}" }), world.deps)).status).toBe(404);
  expect((await answerStripe(request({}), deps)).status).toBe(405);
  const large = "x".repeat(256 * 1_024 + 1);
  expect((await answerStripe(request({ method: "POST", body: large }), deps)).status).toBe(413);
});
