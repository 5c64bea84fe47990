import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import Stripe from "stripe";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { EVALUATION } from "@relaykey/local/settings";
import { startStack } from "@relaykey/local/stack";
import type { Stack } from "@relaykey/local/stack";
import { startStripe } from "@relaykey/local/test/stripe-fake";
import type { StripeFake } from "@relaykey/local/test/stripe-fake";
import { launchBrowser } from "./browser.ts";
import { Admin } from "./harness.ts";
import { LOOKS, overflow, screenshot, violations, watchProblems } from "./dashboard/look.ts";

const SECRET_KEY = "sk_test_e2e";
const WEBHOOK_SECRET = `whsec_${"e".repeat(32)}`;
const PRICES = { builder: "price_builder", team: "price_team", business: "price_business" };
const official = new Stripe(SECRET_KEY);

const state = mkdtempSync(join(tmpdir(), "relaykey-billing-"));
let stripe: StripeFake;
let stack: Stack;
let admin: Admin;
let browser: Browser;
/** Signed in as the first admin. */
let context: BrowserContext;
let events = 0;

beforeAll(async () => {
  stripe = await startStripe(SECRET_KEY);
  stack = await startStack({
    state,
    port: "free",
    settings: {
      ...EVALUATION,
      stripe: {
        STRIPE_SECRET_KEY: SECRET_KEY,
        STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
        STRIPE_PRICE_BUILDER: PRICES.builder,
        STRIPE_PRICE_TEAM: PRICES.team,
        STRIPE_PRICE_BUSINESS: PRICES.business,
        STRIPE_API_URL: stripe.url,
      },
    },
  });
  admin = new Admin(stack.local);
  browser = await launchBrowser();
  context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(stack.signInLink);
  await page.click("button[type=submit]");
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  await page.close();
});

afterAll(async () => {
  await browser.close();
  await stack.stop();
  await stripe.close();
  rmSync(state, { recursive: true, force: true });
});

beforeEach(() => {
  stripe.pageOrigin = null;
});

async function planPage(options: { readonly javaScript?: boolean } = {}): Promise<Page> {
  const own =
    options.javaScript === false
      ? await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() })
      : context;
  const page = await own.newPage();
  await page.goto(`${stack.local.controlPlane}/settings/plan`);
  return page;
}

/** Sends an event as Stripe does, signed by its own library. */
async function deliver(
  type: string,
  how: { readonly secret?: string; readonly ageSeconds?: number } = {},
): Promise<number> {
  events += 1;
  const payload = JSON.stringify({
    id: `evt_${String(events)}`,
    object: "event",
    type,
    data: { object: { customer: stripe.sessions.at(-1)?.customer } },
  });
  const answer = await fetch(`${stack.local.controlPlane}/webhooks/stripe`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "Stripe-Signature": official.webhooks.generateTestHeaderString({
        payload,
        secret: how.secret ?? WEBHOOK_SECRET,
        timestamp: Math.floor(Date.now() / 1_000) - (how.ageSeconds ?? 0),
      }),
    },
    body: payload,
  });
  await answer.body?.cancel();
  return answer.status;
}

async function plan(): Promise<{ plan: string; audit_retention_days: number }> {
  const { plan: shown } = await admin.call<{ plan: { plan: string; audit_retention_days: number } }>(
    "GET",
    "/plan",
  );
  return { plan: shown.plan, audit_retention_days: shown.audit_retention_days };
}

test("an admin pays at Stripe, with and without JavaScript; the plan is what Stripe's verified word makes it", async () => {
  // Without JavaScript the browser itself follows the redirect that answers the form, under the page's policy.
  const plain = await planPage({ javaScript: false });
  await plain.click("text=Team, $149 a month");
  await plain.waitForURL(`${stripe.url}/c/pay/*`);
  const first = stripe.sessions.at(-1);

  const page = await planPage();
  const problems = watchProblems(page);
  await page.click("text=Team, $149 a month");
  await page.waitForURL(`${stripe.url}/c/pay/*`);
  expect(first?.status).toBe("expired");
  await plain.reload();
  expect(await plain.title()).toBe("Over");
  await page.click("text=Subscribe");
  await page.waitForURL(`${stack.local.controlPlane}/settings/plan?billing=done`);
  await page.waitForSelector("text=Waiting for Stripe");
  await screenshot(page, "plan-waiting");
  // Nobody has told yet: still no second subscription.
  await page.click("text=Business, $499 a month");
  await page.waitForSelector("text=There is a subscription already");
  expect(stripe.subscriptions).toHaveLength(1);

  expect(await deliver("checkout.session.completed", { secret: `whsec_${"f".repeat(32)}` })).toBe(400);
  expect(await deliver("checkout.session.completed", { ageSeconds: 600 })).toBe(400);
  expect(await plan()).toEqual({ plan: "business", audit_retention_days: 365 });
  expect(await deliver("checkout.session.completed")).toBe(200);
  expect(await plan()).toEqual({ plan: "team", audit_retention_days: 90 });

  await page.goto(`${stack.local.controlPlane}/settings/plan`);
  await page.waitForSelector("text=Team: audit events are kept for 90 days");
  expect(await page.isVisible("text=Business, $499 a month")).toBe(false);
  await page.click("text=Change or end the subscription");
  await page.waitForURL(`${stripe.url}/p/session/*`);
  // The refusal above is the one that the browser repeats in its console.
  expect(problems.filter((problem) => !problem.includes("409 (Conflict)"))).toEqual([]);
});

test("events out of order bring the plan to what holds at Stripe, and the end of it to Free", async () => {
  const [subscription] = stripe.subscriptions;
  if (subscription === undefined) throw new Error("Nothing was paid.");
  subscription.price = PRICES.builder;
  expect(await deliver("customer.subscription.updated")).toBe(200);
  expect(await deliver("customer.subscription.created")).toBe(200);
  expect(await plan()).toEqual({ plan: "builder", audit_retention_days: 30 });
  subscription.status = "canceled";
  expect(await deliver("customer.subscription.deleted")).toBe(200);
  expect(await deliver("customer.subscription.updated")).toBe(200);
  expect(await plan()).toEqual({ plan: "free", audit_retention_days: 7 });
});

test("the plan page may lead to Stripe's pages and nowhere else", async () => {
  const formAction = async (path: string) => {
    const page = await context.newPage();
    const answer = await page.goto(`${stack.local.controlPlane}${path}`);
    const policy = answer?.headers()["content-security-policy"];
    await page.close();
    return /form-action ([^;]*)/.exec(policy ?? "")?.[1];
  };
  expect(await formAction("/settings/plan")).toBe(`'self' ${stripe.url}`);
  expect(await formAction("/settings/members")).toBe("'self'");
  stripe.pageOrigin = "https://checkout.stripe.com.example";
  const page = await planPage();
  await page.click("text=Builder, $29 a month");
  await page.waitForSelector("text=Stripe did not answer as it should");
  expect(page.url()).toBe(`${stack.local.controlPlane}/settings/plan`);
});

test("the plan page is readable and accessible in every look", async () => {
  for (const [name, options] of LOOKS) {
    const looking = await browser.newContext({ ...options, storageState: await context.storageState() });
    const page = await looking.newPage();
    await page.goto(`${stack.local.controlPlane}/settings/plan`);
    expect(await violations(page), name).toEqual([]);
    expect(await overflow(page), name).toBeLessThanOrEqual(0);
    await screenshot(page, `plan-with-stripe-${name}`);
    await looking.close();
  }
});
