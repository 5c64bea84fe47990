import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { noteSecret } from "../witness.ts";
import { LOOKS, overflow, screenshot, violations, watchProblems } from "./look.ts";
import { browserOf, signedIn } from "./people.ts";

const { controlPlane, proxy, upstream } = inject("local");
const TWO_MINUTES_MS = 120_000;
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

describe.each([
  ["with scripts", true],
  ["without scripts", false],
])("%s", (_, javaScriptEnabled) => {
  test("from an empty organization to the first request, noticed, in less than two minutes", async () => {
    const began = Date.now();
    const person = await signedIn();
    const context = await browserOf(browser, person, { javaScriptEnabled });
    const page = await context.newPage();
    const problems = watchProblems(page);
    // What the demo upstream accepts.
    const vendorKey = "demo-upstream-key-openai";

    await page.goto(`${controlPlane}/start`);
    expect(await page.locator("li", { hasText: "Store a vendor's key" }).textContent()).toContain("(to do)");
    await page.click("text=Add an integration");
    await page.click("a:has-text('OpenAI')");
    await page.fill("[name=secret]", vendorKey);
    await page.click("summary:has-text('Everything else')");
    await page.fill("[name=upstream]", `${upstream}/openai`);
    await page.click("text=Add and test the key");
    await page.waitForURL(`${controlPlane}/start`);
    expect(await page.textContent("[data-flash]")).toContain("The vendor accepts the key.");
    expect(await page.locator("li", { hasText: "Test the key" }).textContent()).toContain("(done)");
    expect(await page.content()).not.toContain(vendorKey);

    await page.click("text=Make a key");
    await page.fill("[name=holder_name]", "ci");
    await page.fill("[name='limits.rate']", "100/minute");
    await page.click("text=Create key");
    await page.waitForSelector("h1:has-text('Your new key')");
    expect(page.url()).not.toContain("rk_proxy_");
    const token = (await page.textContent("pre:near(h2:has-text('shown this once'))"))?.trim() ?? "";
    expect(token).toMatch(/^rk_proxy_[0-9A-Za-z]+$/);
    noteSecret(token);
    const snippet = (await page.textContent("[aria-label='Snippets: curl']")) ?? "";
    expect(snippet).toContain(`${proxy}/openai/v1/models`);
    expect(snippet).toContain(token);
    expect(await page.textContent("section[aria-label='What it can do']")).toContain(
      "At most 100 requests a minute.",
    );

    const answer = await fetch(`${proxy}/openai/v1/models`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(200);
    if (javaScriptEnabled) {
      await page.waitForSelector("text=The first request is here", { timeout: 15_000 });
    } else {
      await expect
        .poll(
          async () => {
            await page.goto(`${controlPlane}/start`);
            return page.locator("li", { hasText: "See its first request" }).textContent();
          },
          { timeout: 15_000 },
        )
        .toContain("(done)");
    }
    expect(Date.now() - began).toBeLessThan(TWO_MINUTES_MS);

    // The token was shown once: nothing that can be asked for afterwards has it.
    const keyId = await page.evaluate(
      async (path) => /\/keys\/([0-9a-f-]{36})/.exec(await (await fetch(path)).text())?.[1],
      "/keys",
    );
    for (const path of [
      "/start",
      "/keys",
      `/keys/${keyId ?? ""}`,
      `/keys/${keyId ?? ""}/edit`,
      "/keys/new",
    ]) {
      await page.goto(`${controlPlane}${path}`);
      expect(await page.content()).not.toContain(token);
      const data = await context.request.get(`${controlPlane}${path}.data`);
      expect(data.status()).toBe(200);
      expect(await data.text()).not.toContain(token);
    }
    expect(JSON.stringify(await context.storageState())).not.toContain(token);
    expect(problems).toEqual([]);
    await context.close();
  });
});

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
  // What is in a picture can be read by whoever gets it: a key that works is not put there.
  await page.evaluate(() => {
    for (const code of document.querySelectorAll("code")) {
      code.textContent = code.textContent.replaceAll(/rk_proxy_\w+/g, "rk_proxy_…");
    }
  });
  await screenshot(page, `key-revealed-${look}`);
  await context.close();
});
