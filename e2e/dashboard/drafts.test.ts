import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import type { Admin } from "../harness.ts";
import { noteSecret } from "../witness.ts";
import { openaiOrganization } from "./example.ts";
import { browserOf, database, signIn, signInLink, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane } = inject("local");
const KEY_FORM = "/keys/new?integration=openai";
const INTEGRATION_FORM = "/integrations/new?from=stripe";
const VENDOR_KEY = `sk-draft-${crypto.randomUUID()}`;

let browser: Browser;
let person: Person;
let admin: Admin;
let context: BrowserContext;

beforeAll(async () => {
  browser = await launchBrowser();
  ({ person, admin } = await openaiOrganization());
  noteSecret(VENDOR_KEY);
});

afterAll(() => browser.close());
afterEach(() => context.close());

async function open(path: string, options: { readonly javaScriptEnabled: boolean }): Promise<Page> {
  context = await browserOf(browser, { cookie: await signIn(person.email) }, options);
  const page = await context.newPage();
  await page.goto(`${controlPlane}${path}`);
  return page;
}

/** As the person does who signs out everywhere, in another browser. */
async function endSessions(): Promise<void> {
  const answer = await fetch(`${controlPlane}/settings/sessions`, {
    method: "POST",
    headers: { Origin: controlPlane, Cookie: await signIn(person.email) },
    body: new URLSearchParams({ intent: "all" }),
    redirect: "manual",
  });
  expect(answer.status).toBe(302);
}

/** Fills the wizard, and sends it when the session is over. */
async function sendTooLate(page: Page): Promise<void> {
  await page.selectOption("[name=holder]", "new");
  await page.fill("[name=holder_name]", "nightly import");
  await page.fill("[name='limits.rate']", "7/minute");
  await page.selectOption("[name=expires_in]", "30d");
  await page.fill("[name=name]", "typed before");
  await endSessions();
  // With scripts the preview of the key may ask first: it leads to the sign-in as well, and the button is gone.
  await page.click("text=Create key", { timeout: 5_000 }).catch(() => undefined);
  await page.waitForURL(`${controlPlane}/sign-in?**`);
  await page.waitForSelector("main:has-text('What you had typed is kept')");
}

/** Asks for the mail where the person was led to, and follows its link in another tab. */
async function signInInAnotherTab(page: Page, email = person.email): Promise<Page> {
  await page.fill("#email", email);
  await page.click("text=Send the mail");
  await page.waitForURL(`${controlPlane}/sign-in/check`);
  const tab = await context.newPage();
  await tab.goto(await signInLink(email));
  await tab.click("button:has-text('Sign in')");
  await tab.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  return tab;
}

async function keyNames(): Promise<string[]> {
  const { data } = await admin.call<{ data: { name: string }[] }>("GET", "/keys?limit=200");
  return data.map(({ name }) => name);
}

describe.each([
  ["without scripts", { javaScriptEnabled: false }],
  ["with scripts", { javaScriptEnabled: true }],
])("a form whose session ends meanwhile, %s", (_, options) => {
  test("is there again after the sign-in, is sent by its sender only, and is forgotten then", async () => {
    const before = await keyNames();
    const page = await open(KEY_FORM, options);
    await sendTooLate(page);
    const tab = await signInInAnotherTab(page);
    expect(tab.url()).toBe(`${controlPlane}${KEY_FORM}`);
    await tab.waitForSelector("text=Here is what you had typed");
    expect(await tab.inputValue("[name=holder]")).toBe("new");
    expect(await tab.inputValue("[name=holder_name]")).toBe("nightly import");
    expect(await tab.inputValue("[name='limits.rate']")).toBe("7/minute");
    expect(await tab.inputValue("[name=expires_in]")).toBe("30d");
    expect(await tab.inputValue("[name=name]")).toBe("typed before");
    // Coming back sends nothing, however often; the form waits for its sender.
    await tab.reload();
    expect(await tab.inputValue("[name=name]")).toBe("typed before");
    expect(await keyNames()).toEqual(before);
    await tab.fill("[name=name]", `sent ${crypto.randomUUID()}`);
    await tab.fill("[name=holder_name]", `import ${crypto.randomUUID().slice(0, 8)}`);
    await tab.click("text=Create key");
    await tab.waitForSelector("h1:has-text('Your new key')");
    noteSecret((await tab.textContent("pre"))?.trim() ?? "");
    await tab.goto(`${controlPlane}${KEY_FORM}`);
    expect(await tab.inputValue("[name=name]")).toBe("");
    expect(await tab.locator("text=Here is what you had typed").count()).toBe(0);
  });

  test("G4: comes back without its vendor key, which is kept nowhere", async () => {
    const page = await open(INTEGRATION_FORM, options);
    await page.fill("[name=slug]", "stripe-typed");
    await page.fill("[name=secret]", VENDOR_KEY);
    await endSessions();
    await page.click("text=Add and test the key");
    await page.waitForURL(`${controlPlane}/sign-in?**`);
    const stored = JSON.stringify(
      await database.query.formDrafts.findMany({ where: (row, { eq }) => eq(row.userId, person.userId) }),
    );
    expect(stored).toContain("sealed");
    expect(stored).not.toContain("stripe-typed");
    const tab = await signInInAnotherTab(page);
    expect(tab.url()).toBe(`${controlPlane}${INTEGRATION_FORM}`);
    expect(await tab.inputValue("[name=slug]")).toBe("stripe-typed");
    expect(await tab.inputValue("[name=secret]")).toBe("");
    expect(await tab.textContent("#secret-hint")).toContain("Enter the key again");
    expect(await tab.content()).not.toContain(VENDOR_KEY);
    for (const { value } of await context.cookies())
      expect(atob(value.replaceAll("%3D", "="))).not.toContain("sk-draft");
  });
});

describe("what one person typed", () => {
  let page: Page;

  beforeEach(async () => {
    page = await open(KEY_FORM, { javaScriptEnabled: false });
    await sendTooLate(page);
  });

  test("is not shown to another one who signs in in the same browser, nor after a sign-out", async () => {
    const other = await signedIn("admin", person.organizationId);
    const tab = await signInInAnotherTab(page, other.email);
    expect(tab.url()).toBe(`${controlPlane}${KEY_FORM}`);
    expect(await tab.inputValue("[name=name]")).toBe("");
    expect(await tab.content()).not.toContain("nightly import");
    const out = await context.request.post(`${controlPlane}/sign-out`, {
      headers: { Origin: controlPlane },
      maxRedirects: 0,
    });
    expect(out.status()).toBe(302);
    expect((await context.cookies()).map(({ name }) => name)).not.toContain("draft");
    await page.goto(`${controlPlane}/sign-in?return_to=${encodeURIComponent(KEY_FORM)}`);
    const back = await signInInAnotherTab(page);
    expect(back.url()).toBe(`${controlPlane}${KEY_FORM}`);
    expect(await back.inputValue("[name=name]")).toBe("");
  });

  test("is not shown in another browser of the same person", async () => {
    const elsewhere = await browserOf(browser, { cookie: await signIn(person.email) });
    const there = await elsewhere.newPage();
    await there.goto(`${controlPlane}${KEY_FORM}`);
    expect(await there.inputValue("[name=name]")).toBe("");
    await elsewhere.close();
  });
});

test("nobody can put words into another person's form: not without the mark of its owner, and not from another site", async () => {
  context = await browser.newContext();
  const send = (owner: string, origin = controlPlane) =>
    context.request.post(`${controlPlane}${KEY_FORM}`, {
      form: { owner, name: "planted", intent: "create" },
      headers: { Origin: origin },
      maxRedirects: 0,
    });
  const mark = `${person.userId}.${person.organizationId}.`;
  for (const owner of ["", mark, `${mark}${"A".repeat(43)}`]) {
    const answer = await send(owner);
    expect(answer.status()).toBe(302);
    expect(answer.headers()["set-cookie"] ?? "").not.toContain("draft=");
  }
  expect((await send("", "https://evil.example")).status()).toBe(403);
});
