import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { noteSecret } from "../witness.ts";
import { openaiOrganization } from "./example.ts";
import type { Admin } from "../harness.ts";
import { browserOf, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane, proxy, upstream } = inject("local");
let browser: Browser;
let person: Person;
let admin: Admin;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
  ({ person, admin } = await openaiOrganization());
});

afterAll(() => browser.close());

/** What the proxy answers under a key right now. */
async function status(token: string, path = "/v1/models"): Promise<number> {
  const answer = await fetch(`${proxy}/openai${path}`, { headers: { Authorization: `Bearer ${token}` } });
  await answer.arrayBuffer();
  return answer.status;
}

async function madeKey(more: object = {}): Promise<{ id: string; token: string; holder: string }> {
  const holder = `holder ${crypto.randomUUID().slice(0, 8)}`;
  const made = await admin.call<{ holder: { id: string } }>("POST", "/holders", {
    name: holder,
    kind: "service",
  });
  const created = await admin.call<{ key: { id: string }; token: string }>("POST", "/keys", {
    holder,
    integration: "openai",
    allow: ["GET /v1/**", "POST /v1/chat/completions"],
    ...more,
  });
  noteSecret(created.token);
  return { id: created.key.id, token: created.token, holder: made.holder.id };
}

describe.each([
  ["with scripts", true],
  ["without scripts", false],
])("%s", (_, javaScriptEnabled) => {
  beforeEach(async () => {
    context = await browserOf(browser, person, { javaScriptEnabled });
    page = await context.newPage();
  });
  afterEach(() => context.close());

  const flash = async (): Promise<string> => (await page.textContent("[data-flash]")) ?? "";

  test("a key is frozen, unfrozen and revoked, each in force when the page says so", async () => {
    const key = await madeKey();
    expect(await status(key.token)).toBe(200);
    await page.goto(`${controlPlane}/keys/${key.id}`);
    await page.click("a:has-text('Freeze')");
    await page.click("dialog button:has-text('Freeze the key')");
    await page.waitForSelector("[data-flash]:has-text('is frozen')");
    expect(await status(key.token)).toBeGreaterThanOrEqual(400);
    await page.click("a:has-text('Unfreeze')");
    await page.click("dialog button:has-text('Let it work again')");
    await page.waitForSelector("[data-flash]:has-text('working again')");
    expect(await status(key.token)).toBe(200);
    await page.click("a:has-text('Revoke')");
    await page.click("dialog button:has-text('Revoke the key')");
    await page.waitForSelector("[data-flash]:has-text('is revoked')");
    expect(await status(key.token)).toBe(401);
    expect(await page.textContent("section[aria-label=Receipts]")).toMatch(/\d+ ms/);
    expect(await page.locator("a:has-text('Reroll')").count()).toBe(0);
  });

  test("a key is rerolled: the new one is shown once, the former one ends", async () => {
    const key = await madeKey();
    await page.goto(`${controlPlane}/keys/${key.id}?confirm=reroll`);
    await page.selectOption("[name=overlap]", "0");
    await page.click("dialog button:has-text('Make the new key')");
    await page.waitForSelector("h1:has-text('Your new key')");
    const token = (await page.textContent("pre"))?.trim() ?? "";
    noteSecret(token);
    expect(await status(token)).toBe(200);
    expect(await status(key.token)).toBe(401);
    await page.click("a:has-text('Open the key')");
    await page.waitForSelector("h2:has-text('At a glance')");
    expect(await page.content()).not.toContain(token);
  });

  test("the scope is edited; what is wrong is said beside its field, and nothing is lost", async () => {
    const key = await madeKey();
    await page.goto(`${controlPlane}/keys/${key.id}/edit`);
    await page.fill("[name=allow]", "GET /v1/models\nGET v1/files");
    await page.fill("[name=test]", "GET /v1/files/x");
    await page.click("button:has-text('Save')");
    await page.waitForSelector("#allow-error");
    expect(await page.textContent("#allow-error")).toContain("Line 2");
    expect(await page.inputValue("[name=allow]")).toContain("GET v1/files");
    await page.fill("[name=allow]", 'GET /v1/models {"allow":["page"]}');
    await page.click("button:has-text('Check')");
    await page.waitForSelector("text=Would be refused");
    await page.click("button:has-text('Save')");
    await page.waitForSelector("[data-flash]:has-text('in force everywhere')");
    expect(await status(key.token)).toBe(200);
    expect(await status(key.token, "/v1/models?limit=1")).toBe(403);
    const { key: stored } = await admin.call<{ key: { allow: unknown; expires_at: unknown } }>(
      "GET",
      `/keys/${key.id}`,
    );
    expect(stored.allow).toEqual([{ rule: "GET /v1/models", query: { allow: ["page"] } }]);
  });

  test("a key is tightened to what it was used for", async () => {
    const key = await madeKey();
    expect(await status(key.token)).toBe(200);
    await admin.events({ id: key.id, token: key.token }, 1);
    await page.goto(`${controlPlane}/keys/${key.id}/tighten`);
    const change = await page.textContent("section[aria-label='What would change']");
    expect(change).toContain("added: GET /v1/models");
    expect(change).toContain("removed: GET /v1/**");
    expect(await page.textContent("section[aria-label='Replayed over the log']")).toContain(
      "Nothing would have been refused",
    );
    await page.click("text=Apply the narrower scope");
    await page.waitForSelector("[data-flash]:has-text('in force everywhere')");
    expect(await status(key.token)).toBe(200);
    expect(await status(key.token, "/v1/files")).toBe(403);
  });

  test("keys are found, selected and revoked together", async () => {
    const keys = [await madeKey({ name: "together one" }), await madeKey({ name: "together two" })];
    await page.goto(`${controlPlane}/keys`);
    await page.fill("[name=q]", "together");
    await page.selectOption("[name=state]", "active");
    await page.click("button:has-text('Apply')");
    await page.waitForURL(/q=together/);
    for (const { id } of keys) await page.check(`input[value='${id}']`);
    await page.click("text=Revoke selected");
    await page.waitForSelector("h1:has-text('Revoke 2 keys?')");
    for (const { token } of keys) expect(await status(token)).toBe(200);
    await page.click("button:has-text('Revoke 2 keys')");
    await page.waitForSelector("h1:has-text('2 keys revoked')");
    expect(await page.textContent("main")).toContain("In force everywhere");
    for (const { token } of keys) expect(await status(token)).toBe(401);
  });

  test("an integration is added by hand, edited, rotated, rolled back, disabled and enabled", async () => {
    const slug = `api-${crypto.randomUUID().slice(0, 8)}`;
    const secret = (): string => {
      const text = `sk-canary-${crypto.randomUUID()}`;
      noteSecret(text);
      return text;
    };
    await page.goto(`${controlPlane}/integrations/new?from=other`);
    await page.fill("[name=secret]", secret());
    await page.fill("[name=slug]", slug);
    await page.fill("[name=name]", "Our API");
    await page.fill("[name=upstream]", "https://10.0.0.1");
    await page.click("text=Add and test the key");
    await page.waitForSelector("#upstream-error");
    // The vendor key does not come back to the form it was typed into (scripts keep what is in the field).
    if (!javaScriptEnabled) expect(await page.inputValue("[name=secret]")).toBe("");
    expect(await page.inputValue("[name=slug]")).toBe(slug);
    await page.fill("[name=secret]", secret());
    await page.fill("[name=upstream]", `${upstream}/openai`);
    await page.click("text=Add and test the key");
    await page.waitForURL(`${controlPlane}/integrations/${slug}`);

    await page.click("a:has-text('Edit')");
    await page.check("[name=log_query]");
    await page.click("button:has-text('Save')");
    await page.waitForSelector("[data-flash]:has-text('in force everywhere')");
    expect(await page.textContent("section[aria-label=Settings]")).toContain("recorded in the audit log");

    // The stored vendor key is sealed for its upstream: another one takes the key again.
    await page.click("a:has-text('Edit')");
    await page.fill("[name=upstream]", `${upstream}/openai/moved`);
    await page.click("button:has-text('Save')");
    await page.waitForSelector("#secret-error:has-text('Give the vendor key again')");
    await page.fill("[name=upstream]", `${upstream}/openai`);
    await page.uncheck("[name=scrub_responses]");
    await page.fill("[name=secret]", secret());
    await page.click("button:has-text('Save')");
    await page.waitForSelector("[data-flash]:has-text('in force everywhere')");
    expect(await page.textContent("section[aria-label=Settings]")).toContain("not looked for");
    expect(await page.textContent("section[aria-label='Vendor key']")).not.toContain("kept until");

    await page.click("a:has-text('Rotate')");
    await page.fill("dialog [name=secret]", secret());
    await page.click("dialog button:has-text('Rotate')");
    await page.waitForSelector("[data-flash]:has-text('The new vendor key is in use')");
    const card = "section[aria-label='Vendor key']";
    expect(await page.textContent(card)).toContain("version 2, kept until");
    await page.click("a:has-text('Roll back')");
    await page.click("dialog button:has-text('Roll back')");
    await page.waitForSelector("[data-flash]:has-text('former vendor key is in use again')");
    expect(await page.textContent(card)).toContain("version 3, kept until");

    await page.click("a:has-text('Disable')");
    await page.click("dialog button:has-text('Disable')");
    await page.waitForSelector("[data-flash]:has-text('is disabled')");
    await page.click("a:has-text('Enable')");
    await page.click("dialog button:has-text('Enable')");
    await page.waitForSelector("[data-flash]:has-text('is enabled')");
    await page.click("a:has-text('Delete')");
    await page.click("dialog button:has-text('Delete')");
    await page.waitForURL(`${controlPlane}/integrations`);
    expect(await flash()).toContain("is deleted");
  });

  test("the vendor key is tested, and the verdict is said", async () => {
    await page.goto(`${controlPlane}/integrations/openai`);
    await page.click("button:has-text('Test the key')");
    await page.waitForSelector("[data-flash]:has-text('The vendor accepts the key.')");
    expect(await page.textContent("main")).toContain("key accepted");
  });

  test("a holder is made, its networks approved and removed, frozen and unfrozen", async () => {
    const name = `Jo ${crypto.randomUUID().slice(0, 8)}`;
    await page.goto(`${controlPlane}/holders/new`);
    await page.fill("[name=name]", name);
    await page.click("text=Create holder");
    await page.waitForSelector("text=A person needs an e-mail address");
    expect(await page.inputValue("[name=name]")).toBe(name);
    await page.fill("[name=email]", "jo@example.com");
    await page.click("text=Create holder");
    await page.waitForSelector("[data-flash]:has-text('Now give it a key')");
    const holder = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const created = await admin.call<{ key: { id: string }; token: string }>("POST", "/keys", {
      holder,
      integration: "openai",
      allow: ["GET /v1/models"],
    });
    noteSecret(created.token);
    expect(await status(created.token)).toBe(200);
    await page.reload();
    const trusted = "section[aria-label='Trusted networks']";
    expect(await page.textContent(trusted)).toContain("127.0.0.1");
    expect(await page.textContent(trusted)).toContain("its first use");

    await page.fill("#network", "everywhere");
    await page.click("button:has-text('Approve')");
    await page.waitForSelector("#network-error");
    await page.fill("#network", "203.0.113.0/24");
    await page.click("button:has-text('Approve')");
    await page.waitForSelector("[data-flash]:has-text('is trusted')");
    expect(await page.textContent(trusted)).toContain("203.0.113.0/24");
    await page.click("[aria-label='Remove 127.0.0.1']");
    await page.waitForSelector("[data-flash]:has-text('not trusted any more')");
    expect(await status(created.token)).toBe(423);
    await page.goto(`${controlPlane}/holders/${holder}`);
    await page.click("[aria-label='Approve 127.0.0.1']");
    await page.waitForSelector("[data-flash]:has-text('is trusted')");
    expect(await status(created.token)).toBe(200);

    await page.click("a:has-text('Freeze')");
    await page.click("dialog button:has-text('Freeze')");
    await page.waitForSelector("[data-flash]:has-text('frozen')");
    expect(await status(created.token)).toBeGreaterThanOrEqual(400);
    await page.click("a:has-text('Unfreeze')");
    await page.click("dialog button:has-text('Unfreeze')");
    await page.waitForSelector("[data-flash]:has-text('active again')");
    expect(await status(created.token)).toBe(200);

    await page.click("a:has-text('Edit')");
    await page.selectOption("[name=number_matching]", "yes");
    await page.fill("[name='limits.rate']", "5/minute");
    await page.click("button:has-text('Save')");
    await page.waitForSelector("[data-flash]:has-text('in force')");
    expect(await page.textContent("main")).toContain("the number of the refused call is typed");
  });
});

describe("viewers", () => {
  test("see everything and are offered nothing; the server refuses them anyway", async () => {
    const key = await madeKey();
    const viewer = await signedIn("viewer", person.organizationId);
    context = await browserOf(browser, viewer);
    page = await context.newPage();
    const looks: [string, string][] = [
      ["/keys", "New key"],
      [`/keys/${key.id}`, "Revoke"],
      ["/integrations/openai", "Rotate"],
      ["/integrations", "Add integration"],
      [`/holders/${key.holder}`, "Freeze"],
      ["/holders", "New holder"],
    ];
    for (const [path, offer] of looks) {
      await page.goto(`${controlPlane}${path}`);
      expect(await page.locator("h1").count()).toBe(1);
      expect(
        await page.locator(`main a:has-text("${offer}"), main button:has-text("${offer}")`).count(),
        path,
      ).toBe(0);
    }
    await page.goto(`${controlPlane}/keys/${key.id}`);
    expect(await page.textContent("main")).toContain("ask an admin");
    for (const path of [
      "/keys/new",
      "/holders/new",
      "/integrations/new",
      `/keys/${key.id}/edit`,
      `/keys/revoke?key=${key.id}`,
    ]) {
      expect((await page.goto(`${controlPlane}${path}`))?.status(), path).toBe(403);
      expect(await page.textContent("h1")).toBe("Your role may not do this");
    }
    for (const [path, intent] of [
      [`/keys/${key.id}`, "revoke"],
      [`/keys/revoke?key=${key.id}`, "revoke"],
      ["/integrations/openai", "disable"],
      [`/holders/${key.holder}`, "freeze"],
    ] as const) {
      const answer = await context.request.post(`${controlPlane}${path}`, {
        form: { intent },
        headers: { Origin: controlPlane },
      });
      expect(answer.status(), `${path}: ${(await answer.text()).slice(0, 400)}`).toBe(403);
    }
    expect(await status(key.token)).toBe(200);
    await context.close();
  });
});

test("of another organization nothing is there", async () => {
  const key = await madeKey();
  const stranger = await signedIn();
  context = await browserOf(browser, stranger);
  page = await context.newPage();
  for (const path of [
    `/keys/${key.id}`,
    `/keys/${key.id}/edit`,
    `/keys/${key.id}/tighten`,
    `/holders/${key.holder}`,
    "/integrations/openai",
  ]) {
    expect((await page.goto(`${controlPlane}${path}`))?.status(), path).toBe(404);
  }
  await page.goto(`${controlPlane}/keys/revoke?key=${key.id}`);
  expect(await page.textContent("main")).toContain("No key is selected");
  await context.request.post(`${controlPlane}/keys/revoke?key=${key.id}`, {
    form: { intent: "revoke" },
    headers: { Origin: controlPlane },
  });
  expect(await status(key.token)).toBe(200);
  await context.close();
});
