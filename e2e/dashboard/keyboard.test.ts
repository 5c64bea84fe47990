import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import type { Admin } from "../harness.ts";
import { noteSecret } from "../witness.ts";
import { openaiOrganization } from "./example.ts";
import { violations } from "./look.ts";
import { browserOf, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane } = inject("local");
let browser: Browser;
let person: Person;
let admin: Admin;

beforeAll(async () => {
  browser = await launchBrowser();
  ({ person, admin } = await openaiOrganization());
  await admin.call("POST", "/holders", { name: "nightly job", kind: "service" });
});

afterAll(() => browser.close());

async function openHome(who: Person = person): Promise<Page> {
  const page = await (await browserOf(browser, who)).newPage();
  await page.goto(`${controlPlane}/`, { waitUntil: "networkidle" });
  return page;
}

/** Presses Tab until the focus is where it should be, as somebody without a mouse does. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let step = 0; step < 80; step += 1) {
    if (await page.evaluate((css) => document.activeElement?.matches(css) ?? false, selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`The focus never comes to ${selector}.`);
}

/** Opens the palette, types, and goes to what is found first under that name. */
async function find(page: Page, text: string, label: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.keyboard.type(text);
  await page.waitForSelector(`[role=option][aria-selected=true]:has-text('${label}')`);
  await page.keyboard.press("Enter");
}

test("a key is made, found, and revoked without a mouse", async () => {
  const page = await openHome();
  await find(page, "new key", "New key");
  await page.waitForURL(`${controlPlane}/keys/new`);
  await page.waitForSelector("[name=name]");
  await tabTo(page, "[name=name]");
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Enter");
  await page.waitForSelector("h1:has-text('Your new key')");
  noteSecret((await page.textContent("pre"))?.trim() ?? "");

  await find(page, "by keyboard", "by keyboard");
  await page.waitForSelector("h2:has-text('At a glance')");
  await tabTo(page, "a[href$='confirm=revoke']");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  // The dialog keeps the focus, and Escape leaves the question unanswered.
  expect(await page.evaluate(() => document.activeElement?.closest("dialog") !== null)).toBe(true);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog:has(#confirm-title)", { state: "detached" });
  await tabTo(page, "a[href$='confirm=revoke']");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await tabTo(page, "dialog button[type=submit]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-flash]:has-text('is revoked')");
  await page.context().close();
});

test("the palette finds pages, settings, holders, integrations and actions; the focus returns to where it was", async () => {
  const page = await openHome();
  for (const [text, label, path] of [
    ["audit", "Audit log", "/audit"],
    ["custody", "Custody", "/settings/custody"],
    ["add an int", "Add an integration", "/integrations/new"],
    ["nightly", "nightly job", "/holders/"],
    ["openai", "openai", "/integrations/"],
  ] as const) {
    await find(page, text, label);
    await page.waitForURL((url) => url.pathname.startsWith(path));
  }
  // The address changes before the page does, and what had the focus goes with the page.
  await page.waitForSelector("h1:has-text('openai')");
  await tabTo(page, "main a");
  const before = await page.evaluate(() => document.activeElement?.outerHTML);
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  expect(await page.evaluate(() => document.activeElement?.outerHTML)).toBe(before);
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open]:has-text('Keyboard shortcuts')");
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  expect(await page.evaluate(() => document.activeElement?.outerHTML)).toBe(before);
  await page.context().close();
});

test("viewers are offered no action", async () => {
  const page = await openHome(await signedIn("viewer", person.organizationId));
  await page.keyboard.press("Control+k");
  await page.keyboard.type("new key");
  await page.waitForSelector("dialog[open] >> text=Nothing has that name.");
  await page.context().close();
});
