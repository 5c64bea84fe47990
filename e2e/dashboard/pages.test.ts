import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { fillCrowd } from "./crowd.ts";
import { fillExample } from "./example.ts";
import type { Example } from "./example.ts";
import {
  LOOKS,
  cutOff,
  overflow,
  overflowNarrow,
  screenshot,
  violations,
  watchProblems,
  watchShift,
} from "./look.ts";
import { manifest, routeAt } from "./manifest.ts";
import { OPENED } from "./opened.ts";
import { ENTRY_PAGES, NO_PAGES, PAGES } from "./pages.ts";
import { browserOf, signedIn } from "./people.ts";
import type { Person } from "./people.ts";
import { STRAINED_PAGES, fillStrange } from "./strange.ts";
import type { Strange } from "./strange.ts";
import { arrive } from "./visitors.ts";

const { controlPlane } = inject("local");
let browser: Browser;
let person: Person;
let example: Example;
let strained: Person;
let strange: Strange;
/** The page of what was revoked together. */
let revokedPath: string;

beforeAll(async () => {
  browser = await launchBrowser();
  person = await signedIn();
  example = await fillExample(person.organizationId);
  await fillCrowd(person.organizationId, example);
  strained = await signedIn();
  strange = await fillStrange(strained.organizationId);
  revokedPath = await revokeSpareKey();
});

afterAll(() => browser.close());

async function revokeSpareKey(): Promise<string> {
  const context = await browserOf(browser, strained);
  const page = await context.newPage();
  await page.goto(`${controlPlane}/keys/revoke?key=${strange.spareKeyId}`);
  await page.click("main button:has-text('Revoke')");
  await page.waitForURL(/\/keys\/revoked\//);
  const { pathname } = new URL(page.url());
  await context.close();
  return pathname;
}

describe.each(LOOKS)("%s", (look, options) => {
  test.concurrent.each(PAGES)(
    "$name is accessible, fits, stands still and makes no error",
    async ({ name, path }) => {
      const context = await browserOf(browser, person, options);
      await judge(await context.newPage(), `${controlPlane}${path(example)}`, `${name}-${look}`);
      await context.close();
    },
  );

  test.concurrent.each(STRAINED_PAGES)(
    "$name is accessible, fits, stands still and makes no error",
    async ({ name, path }) => {
      const context = await browserOf(browser, strained, options);
      await judge(await context.newPage(), `${controlPlane}${path(strange)}`, `${name}-${look}`);
      await context.close();
    },
  );

  test.concurrent.each(OPENED)("$name is accessible and fits", async ({ name, path, open }) => {
    const context = await browserOf(browser, person, options);
    const page = await context.newPage();
    await page.goto(`${controlPlane}${path(example)}`, { waitUntil: "networkidle" });
    await open(page);
    await screenshot(page, `${name}-${look}`);
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await context.close();
  });

  test.concurrent("keys-revoked is accessible, fits, stands still and makes no error", async () => {
    const context = await browserOf(browser, strained, options);
    await judge(await context.newPage(), `${controlPlane}${revokedPath}`, `keys-revoked-${look}`);
    await context.close();
  });

  test.concurrent.each(ENTRY_PAGES)(
    "$name is accessible, fits, stands still and makes no error",
    async (entry) => {
      const { context, url } = await arrive(browser, entry.visitor, entry.path, options);
      const page = await context.newPage();
      await judge(page, url, `${entry.name}-${look}`);
      // Nobody was led away from what was to be looked at.
      expect(routeAt(page.url())).toBe(routeAt(url));
      await context.close();
    },
  );

  async function judge(page: Page, url: string, name: string): Promise<void> {
    const problems = watchProblems(page);
    const shift = await watchShift(page);
    await page.goto(url, { waitUntil: "networkidle" });
    // Before the picture, for which the window is made as high as the page.
    const moved = await shift();
    await screenshot(page, name);
    expect(moved).toBeLessThan(0.01);
    expect(await page.locator("h1").count()).toBe(1);
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await cutOff(page)).toEqual([]);
    if (look === "phone") expect(await overflowNarrow(page)).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
  }
});

test("every route is walked, but for those that are no pages", () => {
  const walked = new Set([
    ...PAGES.map(({ path }) => routeAt(path(example))),
    ...ENTRY_PAGES.map(({ path, visitor }) => routeAt(visitor === "invited" ? `${path}token` : path)),
    routeAt(revokedPath),
    ...NO_PAGES,
  ]);
  const routes = Object.keys(manifest.routes).filter(
    (id) => id.startsWith("routes/") && id !== "routes/shell",
  );
  expect(routes.length).toBeGreaterThan(40);
  expect(routes.filter((id) => !walked.has(id))).toEqual([]);
});
