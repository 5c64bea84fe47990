import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import type { Admin } from "../harness.ts";
import { noteSecret } from "../witness.ts";
import { openaiOrganization } from "./example.ts";
import { browserOf } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane } = inject("local");
let browser: Browser;
let person: Person;
let admin: Admin;
let context: BrowserContext;
let page: Page;
/** Of the key that a test is about. */
let name: string;

beforeAll(async () => {
  browser = await launchBrowser();
  ({ person, admin } = await openaiOrganization());
  await admin.call("POST", "/holders", { name: "ci", kind: "service" });
});

afterAll(() => browser.close());
afterEach(() => context.close());

async function keys(): Promise<{ id: string; state: string }[]> {
  const { data } = await admin.call<{ data: { id: string; name: string; state: string }[] }>(
    "GET",
    "/keys?limit=200",
  );
  return data.filter((key) => key.name === name);
}

async function openForm(tab: Page = page): Promise<void> {
  await tab.goto(`${controlPlane}/keys/new?integration=openai`);
  await tab.fill("[name=name]", name);
}

async function revealed(tab: Page = page): Promise<string> {
  await tab.waitForSelector("h1:has-text('Your new key')");
  const token = (await tab.textContent("pre"))?.trim() ?? "";
  noteSecret(token);
  return token;
}

/** The page that a form sent twice leads to: it says so, leads to the key, and shows nothing secret. */
async function expectMadeAlready(token: string, tab: Page = page): Promise<void> {
  await tab.waitForSelector("h1:has-text('This key is made already')");
  expect(await tab.content()).not.toContain(token);
  expect(await keys()).toHaveLength(1);
  const [key] = await keys();
  expect(await tab.getAttribute("a:has-text('Open the key')", "href")).toBe(`/keys/${key?.id ?? ""}`);
}

describe("without scripts, where browsers send forms again", () => {
  beforeEach(async () => {
    context = await browserOf(browser, person, { javaScriptEnabled: false });
    page = await context.newPage();
    name = `once ${crypto.randomUUID().slice(0, 8)}`;
  });

  test("a reload that sends the form again makes no second key, and shows the first one's secret to nobody", async () => {
    await openForm();
    await page.click("text=Create key");
    const token = await revealed();
    // Playwright's reload confirms what a browser asks a person first.
    await page.reload();
    await expectMadeAlready(token);
    await page.reload();
    await expectMadeAlready(token);
    await page.click("a:has-text('Replace the key')");
    await page.selectOption("[name=overlap]", "0");
    await page.click("dialog button:has-text('Make the new key')");
    const replacement = await revealed();
    expect(replacement).not.toBe(token);
    await page.reload();
    await page.waitForSelector("h1:has-text('This key is made already')");
    expect(await page.content()).not.toContain(replacement);
    expect((await keys()).map(({ state }) => state).sort()).toEqual(["active", "revoked"]);
  });

  test("the back button, which asks and then sends the form again, makes no second key", async () => {
    await openForm();
    await page.click("text=Create key");
    const token = await revealed();
    await page.click("a:has-text('Open the key')");
    // The browser does not keep the page with the key. It shows one of its own, which offers to send the form again.
    await expect(page.goBack()).rejects.toThrow("ERR_CACHE_MISS");
    // That page takes a moment to be there; sending the form more than once is what this is about.
    const reload = (): Promise<string> =>
      page.reload().then(
        () => "sent",
        () => "not yet",
      );
    await expect.poll(reload, { timeout: 20_000 }).toBe("sent");
    await expectMadeAlready(token);
  });

  test("the same form in two tabs makes one key; two forms are two wishes", async () => {
    await openForm();
    const other = await context.newPage();
    // As a duplicated tab shows it: the very same form.
    await other.route("**/keys/new?*", async (route) => {
      if (route.request().method() !== "GET") return route.continue();
      return route.fulfill({ body: await page.content(), contentType: "text/html" });
    });
    await openForm(other);
    await Promise.all([page.click("text=Create key"), other.click("text=Create key")]);
    const titles = await Promise.all([page.textContent("h1"), other.textContent("h1")]);
    expect(titles.sort()).toEqual(["This key is made already", "Your new key"]);
    expect(await keys()).toHaveLength(1);
    const third = await context.newPage();
    await openForm(third);
    await third.click("text=Create key");
    await revealed(third);
    expect(await keys()).toHaveLength(2);
  });

  test("a double click makes one key", async () => {
    await openForm();
    await page.dblclick("text=Create key");
    await page.waitForSelector("h1:has-text('Your new key'), h1:has-text('This key is made already')");
    expect(await keys()).toHaveLength(1);
  });

  test.each([
    ["/holders/new", { name: "once", kind: "service" }, /\/holders\/[0-9a-f-]{36}$/],
    ["/settings/members", { intent: "invite", email: "once@example.com", role: "viewer" }, /members$/],
    [
      "/integrations/new?from=openai",
      { slug: "once", secret: "sk-canary-once-once", upstream: "https://api.openai.com" },
      /\/integrations\/once$/,
    ],
    ["/settings/tokens", { name: "once", role: "viewer", days: "1" }, null],
    ["/settings/webhooks", { url: "https://hooks.example.com/once" }, null],
  ])("what %s makes is made once", async (path, fields, leadsTo) => {
    await page.goto(`${controlPlane}${path}`);
    const form = page.locator("main form:has([name=nonce])");
    const sent = Object.fromEntries(
      await form.evaluate((element) =>
        [...new FormData(element as HTMLFormElement)].map(([key, value]) => [
          key,
          typeof value === "string" ? value : "",
        ]),
      ),
    ) as Record<string, string>;
    const send = () =>
      context.request.post(`${controlPlane}${path}`, {
        form: { ...sent, ...(fields as Record<string, string>) },
        headers: { Origin: controlPlane },
        maxRedirects: 0,
      });
    const [first, second] = [await send(), await send()];
    expect([first.status(), second.status()]).toEqual(leadsTo === null ? [first.status(), 200] : [302, 302]);
    expect(first.status()).toBeLessThan(400);
    if (leadsTo !== null) {
      expect(second.headers()["location"]).toMatch(leadsTo);
      return;
    }
    const [shown, again] = [await first.text(), await second.text()];
    const secrets = shown.match(/(?:rk_mgmt_|whsec_)[0-9A-Za-z+/=]{20,}/g) ?? [];
    expect(secrets.length).toBeGreaterThan(0);
    for (const secret of secrets) noteSecret(secret);
    expect(again).toContain("is made already");
    expect(secrets.filter((secret) => again.includes(secret))).toEqual([]);
  });
});

describe("with scripts", () => {
  beforeEach(async () => {
    context = await browserOf(browser, person);
    page = await context.newPage();
    name = `once ${crypto.randomUUID().slice(0, 8)}`;
  });

  test("neither a double click nor Enter pressed twice makes a second key; a reload shows an empty form", async () => {
    await openForm();
    await page.dblclick("text=Create key");
    const token = await revealed();
    expect(await keys()).toHaveLength(1);
    await page.reload();
    await page.waitForSelector("text=Create key");
    expect(await page.content()).not.toContain(token);
    name = `${name} two`;
    await page.fill("[name=name]", name);
    await page.press("[name=name]", "Enter");
    await page.press("[name=name]", "Enter").catch(() => undefined);
    await page.waitForSelector("h1:has-text('Your new key'), h1:has-text('This key is made already')");
    expect(await keys()).toHaveLength(1);
  });
});
