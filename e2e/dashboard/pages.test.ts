import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { fillExample } from "./example.ts";
import type { Example } from "./example.ts";
import { LOOKS, overflow, screenshot, violations, watchProblems, watchShift } from "./look.ts";
import { PAGES } from "./pages.ts";
import { browserOf, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

/** Pages without the frame that says when there is no connection: nothing can be changed there. */
const OUTSIDE = new Set(["trust", "block-reasons"]);
const { controlPlane } = inject("local");
let browser: Browser;
let person: Person;
let example: Example;

beforeAll(async () => {
  browser = await launchBrowser();
  person = await signedIn();
  example = await fillExample(person.organizationId);
});

afterAll(() => browser.close());

describe.each(LOOKS)("%s", (look, options) => {
  test.each(PAGES)("$name is accessible, fits, stands still and makes no error", async ({ name, path }) => {
    const context = await browserOf(browser, person, options);
    const page = await context.newPage();
    const problems = watchProblems(page);
    const shift = await watchShift(page);
    await page.goto(`${controlPlane}${path(example)}`, { waitUntil: "networkidle" });
    // Before the picture, for which the window is made as high as the page.
    const moved = await shift();
    await screenshot(page, `${name}-${look}`);
    expect(moved).toBeLessThan(0.01);
    expect(await page.locator("h1").count()).toBe(1);
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
    if (look === "light" && !OUTSIDE.has(name)) {
      await context.setOffline(true);
      await page.waitForSelector("text=You are offline");
      // What was typed would be lost: nothing is sent.
      for (const button of await page.locator("main button[type=submit]").all()) {
        expect(await button.getAttribute("aria-disabled")).toBe("true");
      }
      await context.setOffline(false);
      await page.waitForSelector("text=You are offline", { state: "detached" });
    }
    await context.close();
  });
});
