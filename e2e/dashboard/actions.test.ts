import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { noteSecret } from "../witness.ts";
import { fillExample } from "./example.ts";
import type { Example } from "./example.ts";
import { watchProblems } from "./look.ts";
import { browserOf, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane, proxy } = inject("local");
let browser: Browser;
let person: Person;
let example: Example;

beforeAll(async () => {
  browser = await launchBrowser();
  person = await signedIn();
  example = await fillExample(person.organizationId);
});

afterAll(() => browser.close());

async function open(
  path: string,
  options: { who?: Person; scripts?: boolean; phone?: boolean } = {},
): Promise<Page> {
  const context = await browserOf(browser, options.who ?? person, {
    javaScriptEnabled: options.scripts ?? true,
    viewport: options.phone === true ? { width: 390, height: 844 } : { width: 1_280, height: 900 },
  });
  const page = await context.newPage();
  await page.goto(`${controlPlane}${path}`, {
    waitUntil: options.scripts === false ? "load" : "networkidle",
  });
  return page;
}

describe("without scripts", () => {
  test("the menu of a phone opens, and leads on", async () => {
    const page = await open("/", { scripts: false, phone: true });
    await page.click("header summary");
    await page.click("header nav >> text=Audit log");
    await page.waitForURL(`${controlPlane}/audit`);
    expect(await page.textContent("h1")).toBe("Audit log");
  });

  test("the audit log is filtered, narrowed by a bar, and explained", async () => {
    const page = await open("/audit", { scripts: false });
    await page.click("summary:has-text('Filters')");
    await page.selectOption("#decision", "blocked");
    await page.fill("#status", "4xx");
    await page.click("main button:has-text('Apply')");
    expect(new URL(page.url()).searchParams.get("decision")).toBe("blocked");
    const rows = page.locator("main table[role=table] tbody tr");
    expect(await rows.count()).toBeGreaterThan(3);
    expect(await page.locator('main tbody >> text="allowed"').count()).toBe(0);
    await page.click("summary:has-text('Show as a table')");
    await page.click("figure tbody a >> nth=0");
    expect(new URL(page.url()).searchParams.get("from")).not.toBeNull();
    await page.click("main table[role=table] tbody a >> nth=0");
    expect(await page.textContent("section[aria-label='Why it was decided so']")).toContain(
      "What would allow it",
    );
  });

  test("keys are sorted by a heading, the other way round by the same one, and by a phone's list of orders", async () => {
    const page = await open("/keys?state=active", { scripts: false });
    const names = async (): Promise<string[]> =>
      (await page.locator("main table[role=table] tbody tr a[href^='/keys/']").allTextContents()).map(
        (name) => name.trim().toLowerCase(),
      );
    await page.click("main thead a:has-text('Key')");
    const query = new URL(page.url()).searchParams;
    expect([query.get("sort"), query.get("state")]).toEqual(["name", "active"]);
    expect(await page.getAttribute("main th:has-text('Key')", "aria-sort")).toBe("ascending");
    const rising = await names();
    expect(rising.length).toBeGreaterThan(2);
    await page.click("main thead a:has-text('Key')");
    expect(await page.getAttribute("main th:has-text('Key')", "aria-sort")).toBe("descending");
    expect((await names()).toReversed()).toEqual(rising);
    const phone = await open("/keys", { scripts: false, phone: true });
    await phone.selectOption("[name=sort]", "expires");
    await phone.click("main button:has-text('Apply')");
    expect(new URL(phone.url()).searchParams.get("sort")).toBe("expires");
    expect(await phone.inputValue("[name=sort]")).toBe("expires");
  });

  test("what the audit log shows can be had as a file; a filter that makes no sense exports nothing", async () => {
    const page = await open("/audit?decision=blocked", { scripts: false });
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Export CSV")]);
    expect(download.suggestedFilename()).toBe("audit-events.csv");
    const [header = "", ...rows] = readFileSync(await download.path(), "utf8")
      .trim()
      .split("\r\n");
    const decision = header.split(",").indexOf("decision");
    expect(rows.length).toBeGreaterThan(1);
    expect(new Set(rows.map((row) => row.split(",")[decision]))).toEqual(new Set(["blocked"]));
    const [lines] = await Promise.all([page.waitForEvent("download"), page.click("text=Export NDJSON")]);
    expect(lines.suggestedFilename()).toBe("audit-events.ndjson");
    const events = readFileSync(await lines.path(), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { decision: string });
    expect(events.length).toBeGreaterThanOrEqual(rows.length);
    expect(new Set(events.map(({ decision: decided }) => decided))).toEqual(new Set(["blocked"]));
    const wrong = await page.request.get(`${controlPlane}/audit/export?format=csv&ip=nonsense`);
    expect([wrong.status(), await wrong.text()]).toEqual([400, "ip: Give one IPv4 or IPv6 address."]);
  });

  test("a token is made, shown once, and revoked after being asked", async () => {
    const page = await open("/settings/tokens", { scripts: false });
    await page.fill("#name", "ci");
    await page.fill("#ips", "10.1.2.3/8");
    await page.click("text=Make the token");
    expect(await page.textContent("#ips-error")).toContain("10.1.2.3/8");
    await page.fill("#name", "ci");
    await page.fill("#ips", "");
    await page.click("text=Make the token");
    const token = (await page.textContent("section[aria-label^='ci'] pre"))?.trim() ?? "";
    expect(token).toMatch(/^rk_mgmt_[0-9A-Za-z]{40,}$/);
    noteSecret(token);
    await page.goto(`${controlPlane}/settings/tokens`);
    expect(await page.content()).not.toContain(token);
    await page.click("tr:has-text('ci') >> text=Revoke");
    await page.click("dialog >> text=Revoke the token");
    expect(await page.textContent("[data-flash]")).toContain("ci is revoked");
    const refused = await fetch(`${controlPlane}/api/v1/keys`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(refused.status).toBe(401);
  });

  test("how addresses are confirmed is set; what is wrong is said beside its field", async () => {
    const page = await open("/settings/confirmation", { scripts: false });
    await page.fill("#preapproved", "10.1.2.3/8\n192.0.2.0/24");
    await page.click("text=Save");
    expect(await page.textContent("#preapproved-error")).toContain("10.1.2.3/8");
    await page.fill("#preapproved", "192.0.2.0/24");
    await page.check("#numberMatching");
    await page.click("text=Save");
    expect(await page.textContent("[data-flash]")).toContain("Saved");
    expect(await page.inputValue("#preapproved")).toBe("192.0.2.0/24");
    expect(await page.isChecked("#numberMatching")).toBe(true);
    await page.goto(`${controlPlane}/admin-events`);
    await page.click("text=Organization changed >> nth=0");
    expect(await page.textContent("section[aria-label='What changed']")).toContain("192.0.2.0/24");
  });

  test("the emergency stop asks for the name, refuses every key, and is ended", async () => {
    const [key] = example.keys;
    const call = () =>
      fetch(`${proxy}/stripe/v1/charges/x`, { headers: { Authorization: `Bearer ${key?.token ?? ""}` } });
    expect((await call()).status).not.toBe(403);
    const page = await open("/settings/danger?confirm=freeze", { scripts: false });
    await page.fill("#name", "something else");
    await page.click("dialog >> button");
    expect(await page.textContent("#name-error")).toContain("Example & Sons");
    await page.fill("#name", "Example & Sons");
    await page.click("dialog >> button");
    expect(await page.textContent("[data-flash]")).toContain("refused everywhere");
    expect((await call()).status).toBe(403);
    await page.click("text=End the stop …");
    await page.click("dialog >> button");
    expect(await page.textContent("[data-flash]")).toContain("in force again");
    expect((await call()).status).not.toBe(403);
  });
});

describe("by keyboard", () => {
  test("the first stop skips to the content", async () => {
    const page = await open("/");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
  });

  test("Ctrl-K finds a key by its name and goes there", async () => {
    const page = await open("/");
    const problems = watchProblems(page);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("support-agent/op");
    await page.waitForSelector("[role=option]:has-text('support-agent/openai')");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/keys\//);
    expect(problems).toEqual([]);
  });

  test("Escape leaves a question unanswered", async () => {
    const page = await open("/settings/danger?confirm=freeze");
    await page.keyboard.press("Escape");
    await page.waitForURL(`${controlPlane}/settings/danger`);
    expect(await page.locator("dialog[open]").count()).toBe(0);
  });
});

test("a new request shows in the audit log by itself while Live is on", async () => {
  const page = await open("/audit?range=1h");
  await page.click("text=Live");
  const [, key] = example.keys;
  const path = `/v1/live-${crypto.randomUUID().slice(0, 8)}`;
  await fetch(`${proxy}/openai${path}`, { headers: { Authorization: `Bearer ${key?.token ?? ""}` } });
  await page.waitForSelector(`main tbody >> text=${path.slice(4)}`, { timeout: 20_000 });
});

describe("whoever may not", () => {
  test("sees what a viewer sees, cannot change, and is told so when trying", async () => {
    const viewer = await signedIn("viewer", person.organizationId);
    const page = await open("/settings/danger?confirm=freeze", { who: viewer, scripts: false });
    expect(await page.locator("main dialog").count()).toBe(0);
    expect(await page.textContent("main")).toContain("Admins can do this");
    const response = await page.request.post(`${controlPlane}/settings/danger`, {
      form: { intent: "freeze", name: "Example & Sons" },
      headers: { Origin: controlPlane },
    });
    expect(response.status()).toBe(403);
    expect(await response.text()).toContain("Your role may not do this");
  });

  test("G8: of another organization sees neither its requests nor its admin events", async () => {
    const stranger = await signedIn();
    for (const path of [`/audit/${example.requestId}`, `/keys/${example.keys[0]?.id ?? ""}`]) {
      const response = await fetch(`${controlPlane}${path}`, { headers: { Cookie: stranger.cookie } });
      expect(response.status).toBe(404);
      expect(await response.text()).toContain("There is no such thing in your organization");
    }
    const page = await open(`/audit?key=${example.keys[0]?.id ?? ""}`, { who: stranger, scripts: false });
    expect(await page.textContent("main")).toContain("No request matches");
    const empty = await open("/", { who: stranger, scripts: false });
    expect(await empty.textContent("main")).toContain("Put a vendor's key behind the proxy");
  });
});
