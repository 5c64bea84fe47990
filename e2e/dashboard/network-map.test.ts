import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { fetchAt } from "../edge.ts";
import { mailsTo } from "../mailbox.ts";
import { noteSecret } from "../witness.ts";
import { openaiOrganization } from "./example.ts";
import { judgeAsItStands, watchProblems } from "./look.ts";
import { browserOf } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane } = inject("local");
const edge = inject("edge");

const BERLIN = {
  ip: "192.0.2.10",
  country: "DE",
  region: "Berlin",
  city: "Berlin",
  asn: 3320,
  asOrganization: "Deutsche Telekom AG",
};
const TOKYO = { ip: "198.51.100.7", country: "JP", region: "Tokyo", city: "Tokyo", asn: 2516 };
const SAO_PAULO = { ip: "203.0.113.44", country: "BR", region: "São Paulo", city: "São Paulo" };
const TOR = { ip: "198.51.100.99", country: "T1" };
const NOWHERE = { ip: "203.0.113.200", country: "XX" };

let browser: Browser;
let person: Person;
let holderId: string;
const email = `ann-${crypto.randomUUID()}@example.org`;

beforeAll(async () => {
  browser = await launchBrowser();
  const made = await openaiOrganization();
  ({ person } = made);
  const { holder } = await made.admin.call<{ holder: { id: string } }>("POST", "/holders", {
    name: "Ann",
    kind: "person",
    email,
  });
  holderId = holder.id;
  const { token } = await made.admin.call<{ token: string }>("POST", "/keys", {
    holder: holder.id,
    integration: "openai",
    allow: ["GET /v1/**"],
  });
  noteSecret(token);
  const status = async (from: typeof BERLIN | typeof TOR): Promise<number> => {
    const answer = await fetchAt(edge, from, "/openai/v1/models", token);
    await answer.arrayBuffer();
    return answer.status;
  };
  expect(await status(BERLIN)).toBe(200);
  for (const from of [TOKYO, SAO_PAULO, TOR, NOWHERE]) expect(await status(from)).toBe(423);
});

afterAll(() => browser.close());

async function open(scripts: boolean): Promise<Page> {
  const context = await browserOf(browser, person, { javaScriptEnabled: scripts });
  const page = await context.newPage();
  await page.goto(`${controlPlane}/holders/${holderId}`, { waitUntil: scripts ? "networkidle" : "load" });
  return page;
}

/** The dots of the map, from west to east, by what they say. */
function dots(page: Page): Promise<string[]> {
  return page.locator("figure circle").evaluateAll((circles) =>
    circles
      .map((circle) => ({ x: Number(circle.getAttribute("cx")), says: circle.textContent }))
      .sort((left, right) => left.x - right.x)
      .map(({ says }) => says),
  );
}

/** The same in words, for whoever does not see the map. */
function words(page: Page): Promise<string[]> {
  return page.locator("figure figcaption li").allTextContents();
}

const WAITING = ["Brazil: 1 waiting", "Germany: 1 trusted", "Japan: 1 waiting"];

test.each([
  ["with scripts", true],
  ["without scripts", false],
])("a holder's networks are on a map, and beside it in words: %s", async (_, scripts) => {
  const page = await open(scripts);
  expect(await dots(page)).toEqual(WAITING);
  // The network that is nowhere is counted, the one of no country has no dot.
  expect(new Set(await words(page))).toEqual(
    new Set([
      "Germany 1 trusted",
      "Japan 1 waiting",
      "Brazil 1 waiting",
      "the Tor network 1 waiting",
      "1 without a place",
    ]),
  );
  const trusted = await page.textContent("section[aria-label='Trusted networks']");
  expect(trusted).toContain("Berlin, Germany");
  expect(trusted).toContain("Deutsche Telekom AG (AS3320)");
  const waiting = await page.textContent("section[aria-label='Waiting for its word']");
  expect(waiting).toContain("São Paulo, Brazil");
  expect(waiting).toContain("not known");
  // The land is there, and lies under the dots: each is on the part of the map that is its country's.
  const box = await page.locator("figure .world-map").boundingBox();
  expect(box?.width).toBeGreaterThan(300);
  await page.context().close();
});

test("it is accessible and fits in each look; approving by keyboard moves the dot's words from waiting to trusted", async () => {
  const page = await open(true);
  const problems = watchProblems(page);
  await judgeAsItStands(page, "holder-map");
  await page.focus("#main");
  const focused = (): Promise<string | null> =>
    page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? null);
  for (let presses = 0; presses < 60 && (await focused()) !== `Approve ${TOKYO.ip}`; presses += 1) {
    await page.keyboard.press("Tab");
  }
  expect(await focused()).toBe(`Approve ${TOKYO.ip}`);
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-flash]:has-text('is trusted')");
  expect(await dots(page)).toContain("Japan: 1 trusted");
  expect(await words(page)).toContain("Japan 1 trusted");
  expect(problems).toEqual([]);
  await page.context().close();
});

test("the mail that asks the holder says where it was", async () => {
  const texts = (await mailsTo(email)).map(({ text }) => text).join("\n");
  expect(texts).toContain("Tokyo");
});
