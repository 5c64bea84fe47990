import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { noteSecret } from "../witness.ts";
import { browserOf, database, signIn, signedIn } from "./people.ts";
import { Walker } from "./walker.ts";
import { newId } from "@relaykey/core/ids";
import { users } from "@relaykey/db/schema/people";

const { controlPlane, upstream } = inject("local");
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());
afterEach(() => context.close());

describe.each([
  ["with scripts", true],
  ["without scripts", false],
])("a first integration, %s", (_, javaScriptEnabled) => {
  let ada: Walker;

  beforeEach(async () => {
    context = await browserOf(browser, await signedIn(), { javaScriptEnabled });
    page = await context.newPage();
    ada = new Walker(page, javaScriptEnabled ? "trouble" : "trouble-without-scripts");
    await page.goto(`${controlPlane}/integrations/new?from=openai&then=start`);
  });

  async function fill(secret: string, base: string): Promise<void> {
    noteSecret(secret);
    await page.fill("[name=secret]", secret);
    if (!(await page.isVisible("[name=upstream]"))) await page.click("summary:has-text('Everything else')");
    await page.fill("[name=upstream]", base);
  }

  test("a wrong vendor key is told when it is tested, and can be put right before and after it is stored", async () => {
    await fill(`sk-wrong-${crypto.randomUUID()}`, `${upstream}/openai`);
    await ada.click("text=Only test the key");
    await page.waitForSelector("text=The key does not work");
    if (javaScriptEnabled) expect(await isInWindow(page.locator("text=The key does not work"))).toBe(true);
    await ada.look("wrong-key-tested");
    expect(await page.textContent("main")).toContain("check it with the vendor");

    await fill(`sk-wrong-${crypto.randomUUID()}`, `${upstream}/openai`);
    await ada.click("text=Add and test the key");
    await page.waitForURL(`${controlPlane}/start`);
    await ada.look("wrong-key-stored");
    expect(await page.textContent("[data-flash]")).toContain("The vendor refuses the key");
    const tested = page.locator("main li", { hasText: "Test the key" });
    expect(await tested.textContent()).toContain("(to do)");
    await ada.click("text=Test or replace it");
    await page.waitForURL(/\/integrations\/openai/);
    await ada.click("a:has-text('Rotate')");
    await page.fill("dialog [name=secret]", "demo-upstream-key-openai");
    await ada.click("dialog button:has-text('Rotate')");
    await page.waitForSelector("[data-flash]");
    await ada.click("button:has-text('Test the key')");
    await page.waitForSelector("[data-flash]:has-text('The vendor accepts the key.')");
    await page.goto(`${controlPlane}/start`);
    expect(await tested.textContent()).toContain("(done)");
  });

  test("a vendor that cannot be reached is told apart from one that refuses", async () => {
    // Port 9 is reserved for discarding; nothing listens there.
    await fill("demo-upstream-key-openai", "http://127.0.0.1:9");
    await ada.click("text=Only test the key");
    await page.waitForSelector("text=It could not be told");
    await ada.look("vendor-away");
    expect(await page.textContent("main")).toContain("check the upstream's address");
  });
});

describe("somebody new", () => {
  /** Signed in, and in no organization. */
  async function newcomer(email: string): Promise<Walker> {
    await database.insert(users).values({ id: newId(), email });
    context = await browserOf(browser, { cookie: await signIn(email) });
    page = await context.newPage();
    await page.goto(`${controlPlane}/`);
    return new Walker(page, `newcomer-${email.split("@")[1]?.split(".")[0] === "gmail" ? "public" : "held"}`);
  }

  test("at a public mail provider claims no domain, is told so, and can go on", async () => {
    const ada = await newcomer(`ada-${newId()}@gmail.com`);
    expect(await page.textContent("main")).toContain("Anybody can have an address at gmail.com");
    await ada.look("welcome");
    await ada.type("#name", "Lovelace alone");
    await ada.click("text=Open the organization");
    await page.waitForURL(`${controlPlane}/start`);
    await ada.look("steps");
    const claim = page.locator("main li", { hasText: "Claim your domain" });
    expect(await claim.textContent()).toContain("Optional");
    await ada.click("text=Claim it");
    await page.waitForURL(`${controlPlane}/settings/organization`);
    await ada.look("domains");
    expect(await page.textContent("section[aria-label=Domains]")).toContain(
      "An admin who signs in with an address of your company can claim its domain here",
    );
  });

  test("whose domain another organization holds is told that they need an invitation, not by whom", async () => {
    const domain = `d${newId().slice(-12)}.example`;
    const first = await newcomer(`ada@${domain}`);
    await first.type("#name", "The first ones");
    await first.click("text=Open the organization");
    await page.waitForURL(`${controlPlane}/start`);
    await context.close();
    const second = await newcomer(`bob@${domain}`);
    expect(await page.textContent("h1")).toBe("You need an invitation");
    expect(await page.textContent("main")).toContain(`bob@${domain}`);
    expect(await page.content()).not.toContain("The first ones");
    await second.click("text=Tell its admins");
    await page.waitForSelector("text=The admins get a mail");
    await second.look("asked");
  });
});

/** Whether somebody sees it without scrolling. */
function isInWindow(what: Locator): Promise<boolean> {
  return what.evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return top >= 0 && bottom <= window.innerHeight;
  });
}
