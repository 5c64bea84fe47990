import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { fillExample } from "./example.ts";
import type { Example } from "./example.ts";
import { PAGES } from "./pages.ts";
import { watchProblems } from "./look.ts";
import { browserOf, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane } = inject("local");
let browser: Browser;
let admin: Person;
let viewer: Person;
let example: Example;

beforeAll(async () => {
  browser = await launchBrowser();
  admin = await signedIn();
  viewer = await signedIn("viewer", admin.organizationId);
  example = await fillExample(admin.organizationId);
});

afterAll(() => browser.close());

/** Pages outside the frame, which has the bar. */
const FRAMELESS = new Set(["trust", "block-reasons", "organizations"]);

function shown(wait: Promise<unknown>): Promise<boolean> {
  return wait.then(
    () => true,
    () => false,
  );
}

/** Forms that concern the viewer alone, by where they are sent. */
const OWN_FORMS: Readonly<Record<string, string>> = {
  "/sign-out": "ends their own session",
  "/settings/sessions": "ends their own sessions",
  "/settings/passkeys": "enrols and removes their own passkeys",
  "/settings/organization": "leaves the organization",
  "/organizations": "goes to another of their organizations",
  "/notices": "notes what they have seen",
  "/device": "signs their own command line in",
};

interface Seen {
  readonly status: number;
  readonly html: string;
}

async function see(path: string): Promise<Seen> {
  const answer = await fetch(`${controlPlane}${path}`, { headers: { Cookie: viewer.cookie } });
  return { status: answer.status, html: await answer.text() };
}

/** Values of an attribute in opening tags of one kind. */
function tags(html: string, name: string): readonly string[] {
  return html.match(new RegExp(`<${name}\\b[^>]*>`, "g")) ?? [];
}

function attribute(tag: string, name: string): string | null {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll("&amp;", "&") ?? null;
}

describe("a viewer", () => {
  test.each(PAGES)("sees $name, or is told why not, and is offered no change", async ({ path }) => {
    const { status, html } = await see(path(example));
    const heading = /<h1[^>]*>([^<]*)/.exec(html)?.[1];
    expect([200, 403, 404]).toContain(status);
    if (status === 403) expect(heading).toBe("Your role may not do this");
    // A form that is shown as it is, and cannot be used, is no offer.
    const sentTo = (html.match(/<form\b[^>]*>(?:<fieldset\b[^>]*>)?/g) ?? [])
      .filter((form) => attribute(form, "method") === "post" && !/<fieldset\b[^>]*\sdisabled/.test(form))
      .map((form) => new URL(attribute(form, "action") ?? path(example), controlPlane).pathname);
    expect(sentTo.filter((where) => !(where in OWN_FORMS))).toEqual([]);
  });

  test("is led to no page that refuses them", async () => {
    const links = new Map<string, string>();
    for (const { path } of PAGES) {
      const from = path(example);
      for (const link of tags((await see(from)).html, "a")) {
        const href = attribute(link, "href");
        if (href?.startsWith("/") === true) links.set(href, from);
      }
    }
    const dead: string[] = [];
    for (const [href, from] of links) {
      // A file to keep is no page.
      if (href.startsWith("/audit/export")) continue;
      const { status } = await see(href);
      if (status >= 400) dead.push(`${from} leads to ${href}, which answers ${String(status)}`);
    }
    expect(links.size).toBeGreaterThan(50);
    expect(dead).toEqual([]);
  });
});

describe("while a page is on its way", () => {
  test("a bar says so, and the page that is there says that it is not the last word; for every page", async () => {
    const context = await browserOf(browser, admin);
    const page = await context.newPage();
    const problems = watchProblems(page);
    await page.goto(`${controlPlane}/settings`, { waitUntil: "networkidle" });
    let letThrough: () => void = () => undefined;
    await page.route(/\.data(\?|$)/, async (route) => {
      await new Promise<void>((resolve) => (letThrough = resolve));
      await route.continue();
    });
    const bar = page.locator("[data-progress]");
    for (const { name, path } of PAGES.filter((each) => !FRAMELESS.has(each.name))) {
      await page.evaluate((to) => {
        const { __remixRouter: router } = window as unknown as {
          __remixRouter: { navigate: (to: string) => Promise<void> };
        };
        void router.navigate(to);
      }, path(example));
      expect(await shown(page.waitForSelector("main[aria-busy=true]", { timeout: 10_000 })), name).toBe(true);
      expect(await bar.evaluate((element) => getComputedStyle(element).opacity), name).toBe("1");
      letThrough();
      await page.waitForSelector("main[aria-busy=false]");
    }
    expect(problems).toEqual([]);
    await context.close();
  }, 120_000);
});

describe("without a connection", () => {
  let context: BrowserContext;
  let page: Page;
  const banner = "text=You are offline. What you see may be out of date";

  beforeEach(async () => {
    context = await browserOf(browser, admin);
    page = await context.newPage();
  });
  afterEach(() => context.close());

  test("every page says so, and stops saying so", async () => {
    for (const { name, path } of PAGES) {
      await page.goto(`${controlPlane}${path(example)}`);
      expect(await page.locator(banner).count(), name).toBe(0);
      await context.setOffline(true);
      expect(await shown(page.waitForSelector(banner, { timeout: 10_000 })), name).toBe(true);
      await context.setOffline(false);
      await page.waitForSelector(banner, { state: "detached" });
    }
  });

  test("a form is not sent, keeps what was typed, and is sent once there is a connection", async () => {
    await page.goto(`${controlPlane}/holders/new`, { waitUntil: "networkidle" });
    await page.fill("[name=name]", "typed offline");
    await page.selectOption("[name=kind]", "service");
    await context.setOffline(true);
    const send = page.locator("main button[type=submit][aria-disabled=true]");
    await send.click({ force: true });
    await page.waitForSelector(banner);
    expect(await page.inputValue("[name=name]")).toBe("typed offline");
    expect(new URL(page.url()).pathname).toBe("/holders/new");
    await context.setOffline(false);
    await page.click("main button[type=submit]:not([aria-disabled=true])");
    await page.waitForSelector("h1:has-text('typed offline')");
  });

  test("links wait, so that the page at hand is not lost, and lead on once there is a connection", async () => {
    await page.goto(`${controlPlane}/keys`, { waitUntil: "networkidle" });
    await context.setOffline(true);
    await page.waitForSelector(banner);
    const link = page.locator("nav >> text=Integrations >> visible=true");
    await link.click();
    expect(new URL(page.url()).pathname).toBe("/keys");
    expect(await page.textContent("h1")).toBe("Keys");
    await context.setOffline(false);
    await page.waitForSelector(banner, { state: "detached" });
    await link.click();
    await page.waitForSelector("h1:has-text('Integrations')");
  });
});
