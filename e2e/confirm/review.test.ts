import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "@relaykey/local/test/run-workerd";
import { launchBrowser } from "../browser.ts";
import { PagesStack, aReview } from "./pages-stack.ts";
import type { Arranged } from "./pages-stack.ts";
import { LOOKS, check, read, title, visit } from "./visitor.ts";

const LOCATOR = "0123456789abcdef";
const FIRST = "198.51.100.4";
const [LAPTOP = ""] = aReview().keys.map(({ keyId }) => keyId);

let stack: PagesStack;
let browser: Browser;

beforeAll(async () => {
  stack = await PagesStack.start();
  browser = await launchBrowser(["--disable-blink-features=AutomationControlled"]);
});

afterAll(async () => {
  await browser.close();
  await stack.stop();
});

const ANSWERS: Arranged = {
  review: aReview(),
  stopTrusting: { state: "removed_now" },
  freezeKey: { state: "frozen_now", withinSeconds: 0 },
};

describe.each<[string, BrowserContextOptions]>([
  ["with scripts", {}],
  ["without scripts", { javaScriptEnabled: false }],
])("a holder, %s,", (_name, options) => {
  test("sees where the keys work, and since when and why", async () => {
    const { url, token } = await stack.reviewLink(ANSWERS);
    const page = await visit(browser, url, options);
    expect(await title(page)).toBe("Where your keys work");
    const text = await page.textContent("main");
    for (const fact of [
      FIRST,
      "2001:db8:85a3:8d3::/64",
      "Lisbon, Portugal",
      "Deutsche Telekom AG (AS3320)",
      "It was the first that was used",
      "You confirmed it",
      "An admin approved it",
      "10.0.0.0/8",
      "203.0.113.7",
      "Laptop",
      "rk_proxy_…c3d4",
      "It works from everywhere",
      "It is frozen",
    ]) {
      expect(text).toContain(fact);
    }
    // What an admin approved is not the holder's to remove; what is frozen need not be frozen.
    expect(await page.locator("a:has-text('Stop trusting')").count()).toBe(2);
    expect(await page.locator("a:has-text('not safe')").count()).toBe(2);
    expect(await stack.calls(token)).toEqual([]);
  });

  test("stops trusting a network with one choice and one button", async () => {
    const { url, token } = await stack.reviewLink(ANSWERS);
    const page = await visit(browser, url, options);
    await page.click(`[aria-label="Stop trusting ${FIRST}"]`);
    expect(await title(page)).toBe("Stop trusting this network?");
    await read(page);
    await page.click("text=Yes, keep it");
    await page.click("text=Continue");
    expect(await title(page)).toBe("Nothing was changed");
    expect(await stack.calls(token)).toEqual([]);
    await page.click("text=Back to your networks");
    await page.click(`[aria-label="Stop trusting ${FIRST}"]`);
    await read(page);
    await page.click("text=No, stop trusting it");
    await page.click("text=Continue");
    expect(await title(page)).toBe("No longer trusted");
    expect(await page.textContent(".card")).toContain(FIRST);
    expect(await stack.calls(token)).toEqual([["stopTrusting", LOCATOR, FIRST]]);
    await page.click("text=Back to your networks");
    expect(await title(page)).toBe("Where your keys work");
  });

  test("freezes a key that is not safe", async () => {
    const { url, token } = await stack.reviewLink(ANSWERS);
    const page = await visit(browser, url, options);
    await page.click("text=This key is not safe: freeze it >> nth=0");
    expect(await page.textContent(".card")).toContain("Laptop");
    await read(page);
    await page.click("text=Freeze it: it is not safe");
    await page.click("text=Continue");
    expect(await title(page)).toBe("The key is frozen");
    expect(await stack.calls(token)).toEqual([["freezeKey", LOCATOR, LAPTOP]]);
  });

  test("gets there from the page that says “confirmed”, in the same browser", async () => {
    const review = await stack.reviewLink(ANSWERS);
    const { url, token } = await stack.link({
      confirm: { state: "confirmed_now" },
      openReview: review.token,
      then: { confirm: { view: { state: "confirmed" } } },
    });
    const page = await visit(browser, url, options);
    await read(page);
    await page.click("text=Yes, this was me");
    await page.click("text=Continue");
    expect(await title(page)).toBe("Confirmed");
    await page.click("text=See where your keys work");
    expect(await title(page)).toBe("Where your keys work");
    expect(page.url()).toBe(review.url);
    expect(await stack.calls(token)).toEqual([
      ["confirm", LOCATOR, null],
      ["openReview", LOCATOR],
    ]);
  });

  test("asks for a link by address; the answer is the same whether it is known or not", async () => {
    const email = `ann-${crypto.randomUUID()}@example.org`;
    const page = await visit(browser, `${stack.confirm}/help`, options);
    await page.click("text=Ask for a link");
    await read(page);
    await page.fill("#email", ` ${email.toUpperCase()} `);
    await page.click("text=Send me the link");
    expect(await title(page)).toBe("Look into your mailbox");
    await until(async () => (await stack.notices(email)).length > 0);
    expect(await stack.notices(email)).toEqual([
      {
        v: 1,
        kind: "review_request",
        email,
        network: "127.0.0.1",
        at: expect.any(Number) as number,
      },
    ]);
  });
});

test.each([
  ["what an admin approved", "?stop=192.0.2.0/24"],
  ["what is not on the list", "?stop=203.0.113.99"],
  ["what was frozen before", `?freeze=${aReview().keys[2]?.keyId ?? ""}`],
  ["nothing", "?stop="],
])("%s cannot be picked", async (_name, query) => {
  const { url, token } = await stack.reviewLink(ANSWERS);
  const page = await visit(browser, `${url}${query}`);
  expect(await title(page)).toBe("Where your keys work");
  expect(await page.locator("form").count()).toBe(0);
  expect(await stack.calls(token)).toEqual([]);
});

test("a form for one network is none for another, nor for another link", async () => {
  const { url, token } = await stack.reviewLink(ANSWERS);
  const another = await stack.reviewLink(ANSWERS);
  const query = new URLSearchParams({ stop: "2001:db8:85a3:8d3::/64" });
  for (const target of [`${url}?${query.toString()}`, `${another.url}?stop=${FIRST}`]) {
    const page = await visit(browser, `${url}?stop=${FIRST}`);
    await read(page);
    await page.evaluate((action) => {
      document.forms[0]?.setAttribute("action", action);
    }, target);
    await page.click("text=No, stop trusting it");
    await page.click("text=Continue");
    expect(await page.textContent("[role=alert]")).toContain("Nothing was changed");
  }
  expect(await stack.calls(token)).toEqual([]);
  expect(await stack.calls(another.token)).toEqual([]);
});

test("a link that has ended, and one that was never made, show nothing", async () => {
  const { url } = await stack.reviewLink({ review: { state: "ended" } });
  const page = await visit(browser, url);
  expect(await title(page)).toBe("This link has ended");
  await page.click("text=Ask for a new link");
  expect(await title(page)).toBe("Where do your keys work?");
  await page.goto(url.replace(/.$/, (last) => (last === "A" ? "B" : "A")));
  expect(await title(page)).toBe("This link is not valid");
});

test("the page keeps its link to itself, and is kept by nobody", async () => {
  const { url } = await stack.reviewLink(ANSWERS);
  const response = await fetch(url);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("referrer-policy")).toBe("same-origin");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  const text = await response.text();
  expect([...text.matchAll(/(?:href|src|action)="(http[^"]*)"/g)].map(([, to]) => to)).toEqual([]);
});

/** Where a visit ends. */
const ENDS: Readonly<
  Record<string, { answers?: Arranged; query?: string; act?: (page: Page) => Promise<void> }>
> = {
  "list-empty": {
    answers: { review: { ...aReview(), trusted: [], pending: [], preapproved: [], keys: [] } },
  },
  ...Object.fromEntries(
    ["removed_now", "covered", "not_trusted", "approved"].map((state) => [
      state,
      {
        answers: { stopTrusting: { state } },
        query: `?stop=${FIRST}`,
        act: async (page: Page) => {
          await page.click("text=No, stop trusting it");
          await page.click("text=Continue");
        },
      },
    ]),
  ),
  frozen_soon: {
    answers: { freezeKey: { state: "frozen_now", withinSeconds: 90 } },
    query: `?freeze=${LAPTOP}`,
    act: async (page) => {
      await page.click("text=Freeze it: it is not safe");
      await page.click("text=Continue");
    },
  },
  kept: {
    query: `?stop=${FIRST}`,
    act: async (page) => {
      await page.click("text=I’m not sure");
      await page.click("text=Continue");
    },
  },
  ended: { answers: { review: { state: "ended" } } },
};

test.concurrent.each(Object.entries(ENDS))(
  "accessible and whole: %s",
  async (name, { answers, query, act }) => {
    const { url } = await stack.reviewLink({ ...ANSWERS, ...answers });
    const page = await visit(browser, `${url}${query ?? ""}`);
    if (act !== undefined) {
      await read(page);
      await act(page);
      await page.waitForLoadState();
    }
    await check(page, `review-${name}`);
    await page.context().close();
  },
);

describe.each(LOOKS)("accessible and whole, %s:", (look, options) => {
  test.each([
    ["list", ""],
    ["stop", `?stop=${FIRST}`],
    ["freeze-key", `?freeze=${LAPTOP}`],
  ])("%s", async (name, query) => {
    const { url } = await stack.reviewLink(ANSWERS);
    const page = await visit(browser, `${url}${query}`, options);
    await check(page, `review-${name}-${look}`);
    await page.context().close();
  });

  test("asking", async () => {
    const page = await visit(browser, `${stack.confirm}/networks`, options);
    await check(page, `ask-${look}`);
    await read(page);
    await page.fill("#email", "ann@example");
    await page.click("text=Send me the link");
    await page.waitForLoadState();
    await check(page, `ask-problem-${look}`);
    await read(page);
    await page.fill("#email", "ann@example.org");
    await page.click("text=Send me the link");
    expect(await title(page)).toBe("Look into your mailbox");
    await check(page, `asked-${look}`);
  });
});
