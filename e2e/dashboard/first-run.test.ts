import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { SIGN_IN_LINK, inMails, mailsTo } from "../mailbox.ts";
import { Workplace } from "../shell.ts";
import { noteSecret } from "../witness.ts";
import { LOOKS, cutOff, overflow, screenshot, violations, watchProblems } from "./look.ts";
import { browserOf, signedIn } from "./people.ts";
import { Walker } from "./walker.ts";

const { controlPlane, upstream } = inject("local");
const TWO_MINUTES_MS = 120_000;
/** What the demo upstream accepts. */
const VENDOR_KEY = "demo-upstream-key-openai";
const workplace = new Workplace();
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(async () => {
  workplace.leave();
  await browser.close();
});

/** What a first run may cost a person: a change that makes it longer has to say so here. */
const TOLL = { clicks: 13, typed: 40 };

describe.each([
  ["with scripts", true],
  ["without scripts", false],
])("%s", (_, javaScriptEnabled) => {
  test("from nothing to the first request, noticed, in less than two minutes", async () => {
    const began = Date.now();
    const domain = `d${crypto.randomUUID().slice(0, 8)}.example`;
    const context = await browser.newContext({ javaScriptEnabled, viewport: { width: 1_280, height: 900 } });
    const page = await context.newPage();
    const problems = watchProblems(page);
    const ada = new Walker(page, javaScriptEnabled ? "first-run" : "first-run-without-scripts");

    await page.goto(controlPlane);
    await ada.look("sign-in");
    await ada.type("#email", `ada@${domain}`);
    await ada.click("text=Send the mail");
    await page.waitForURL(`${controlPlane}/sign-in/check`);
    await ada.look("mail-sent");
    await ada.follow(inMails(await mailsTo(`ada@${domain}`), SIGN_IN_LINK));
    await ada.look("link");
    await ada.click("main button:has-text('Sign in')");
    await page.waitForURL(`${controlPlane}/welcome`);
    await ada.look("welcome");
    expect(await page.textContent("main")).toContain(`It will hold the domain ${domain}`);
    await ada.type("#name", "Lovelace & Co");
    await ada.click("text=Open the organization");

    await page.waitForURL(`${controlPlane}/start`);
    await ada.look("steps");
    expect(await step(page, "Claim your domain")).toContain("(done)");
    expect(await step(page, "Store a vendor's key")).toContain("(to do)");
    await ada.click("text=Add an integration");
    await page.waitForSelector("a:has-text('OpenAI')");
    await ada.look("catalogue");
    await ada.click("a:has-text('OpenAI')");
    await page.waitForSelector("[name=secret]");
    await ada.look("integration");
    await ada.paste("[name=secret]", VENDOR_KEY);
    await toDemoUpstream(page);
    await ada.click("text=Add and test the key");
    await page.waitForURL(`${controlPlane}/start`);
    await ada.look("steps-tested");
    expect(await page.textContent("[data-flash]")).toContain("The vendor accepts the key.");
    expect(await step(page, "Test the key")).toContain("(done)");
    expect(await page.content()).not.toContain(VENDOR_KEY);

    await ada.click("text=Make a key");
    await page.waitForSelector("[name=holder_name]");
    await ada.look("key");
    await ada.type("[name=holder_name]", "ci");
    await ada.click("label:has-text('Chat')");
    await ada.click("text=Create key");
    await page.waitForSelector("h1:has-text('Your new key')");
    expect(page.url()).not.toContain("rk_proxy_");
    const copied = await copy(ada, "curl");
    const token = /rk_proxy_\w+/.exec(copied)?.[0] ?? "";
    noteSecret(token);
    await ada.look("key-revealed");

    const { status, printed } = await workplace.run(copied);
    expect([status, printed]).toEqual([0, expect.stringContaining("demo-gpt")]);
    if (javaScriptEnabled) {
      await page.waitForSelector("text=The first request is here", { timeout: 15_000 });
      await ada.look("noticed");
    }
    await ada.click("a:has-text('First steps')");
    await expect
      .poll(
        async () => {
          if (!javaScriptEnabled) await page.reload();
          return step(page, "See its first request");
        },
        { timeout: 15_000 },
      )
      .toContain("(done)");
    await ada.look("all-done");
    const { clicks, typed } = ada.toll;
    expect(clicks).toBeLessThanOrEqual(TOLL.clicks);
    expect(typed).toBeLessThanOrEqual(TOLL.typed);
    expect(Date.now() - began).toBeLessThan(TWO_MINUTES_MS);
    await expectShownOnce(page, token);
    expect(problems).toEqual([]);
    await context.close();
  });
});

/** A step of the list, with what a screen reader hears of it. */
async function step(page: Page, title: string): Promise<string> {
  return (await page.locator("main li", { hasText: title }).textContent()) ?? "";
}

/** What a first run of somebody with a real vendor key does not need: this vendor is on this machine. */
async function toDemoUpstream(page: Page): Promise<void> {
  await page.click("summary:has-text('Everything else')");
  await page.fill("[name=upstream]", `${upstream}/openai`);
}

/** Copies a snippet as a person does: by its button, or by selecting it. */
async function copy(walker: Walker, language: string): Promise<string> {
  const { page } = walker;
  const region = page.locator(`[aria-label='Snippets: ${language}']`);
  if (!(await region.isVisible())) await walker.click(`label:has-text('${language}')`);
  const shown = (await region.textContent()) ?? "";
  const button = page.locator(`[aria-label='Copy Snippets: ${language}']`);
  if (!(await button.isVisible())) return shown;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: controlPlane });
  await walker.click(`[aria-label='Copy Snippets: ${language}']`);
  await page.waitForSelector("[aria-label='Copied']");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(shown);
  return copied;
}

/** Nothing that can be asked for after the reveal has the token. */
async function expectShownOnce(page: Page, token: string): Promise<void> {
  expect(token).toMatch(/^rk_proxy_[0-9A-Za-z]+$/);
  const { request } = page.context();
  const keyId = /\/keys\/([0-9a-f-]{36})/.exec(await (await request.get(`${controlPlane}/keys`)).text())?.[1];
  for (const path of ["/start", "/keys", `/keys/${keyId ?? ""}`, `/keys/${keyId ?? ""}/edit`, "/keys/new"]) {
    for (const form of ["", ".data"]) {
      const answer = await request.get(`${controlPlane}${path}${form}`);
      expect(answer.status(), path).toBe(200);
      expect(await answer.text(), path).not.toContain(token);
    }
  }
  expect(JSON.stringify(await page.context().storageState())).not.toContain(token);
}

test.each(LOOKS)("the revealed key is accessible and fits: %s", async (look, options) => {
  const person = await signedIn();
  const context = await browserOf(browser, person, options);
  const page = await context.newPage();
  await page.goto(`${controlPlane}/integrations/new?from=stripe`);
  await page.fill("[name=secret]", `sk-canary-${crypto.randomUUID()}`);
  await page.click("summary:has-text('Everything else')");
  await page.fill("[name=upstream]", `${upstream}/stripe`);
  await page.click("text=Add and test the key");
  await page.waitForURL(`${controlPlane}/integrations/stripe`);
  await page.goto(`${controlPlane}/keys/new`);
  await page.fill("[name=holder_name]", "ci");
  await page.click("text=Create key");
  await page.waitForSelector("h1:has-text('Your new key')");
  noteSecret((await page.textContent("pre"))?.trim() ?? "");
  await page.click("label:has-text('Node')");
  expect(await page.textContent("[aria-label='Snippets: Node']")).toContain('host: "stripe.');
  expect(await violations(page)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  expect(await cutOff(page)).toEqual([]);
  // What is in a picture can be read by whoever gets it: a key that works is not put there.
  await page.evaluate(() => {
    for (const code of document.querySelectorAll("code")) {
      code.textContent = code.textContent.replaceAll(/rk_proxy_\w+/g, "rk_proxy_…");
    }
  });
  await screenshot(page, `key-revealed-${look}`);
  await context.close();
});
