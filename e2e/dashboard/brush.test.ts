import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { fillExample } from "./example.ts";
import type { Example } from "./example.ts";
import { watchProblems } from "./look.ts";
import { browserOf, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane, proxy } = inject("local");
const HALF_HOUR_MS = 1_800_000;
let browser: Browser;
let person: Person;
let example: Example;

beforeAll(async () => {
  browser = await launchBrowser();
  person = await signedIn();
  example = await fillExample(person.organizationId);
});

afterAll(() => browser.close());

async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browserOf(browser, person, options)).newPage();
  await page.goto(`${controlPlane}${path}`, { waitUntil: "networkidle" });
  return page;
}

const CHART = "figure svg[role=group]";
const BRUSHED = `${CHART} [data-brushed]`;

/** Where the middle of a bar is, counted from the newest one, which is 0. */
async function middleOf(page: Page, barsAgo: number): Promise<{ x: number; y: number }> {
  const box = await page.locator(CHART).boundingBox();
  const bars = await page.locator(`${CHART} a`).count();
  if (box === null) throw new Error("There is no chart.");
  return { x: box.x + (box.width * (bars - barsAgo - 0.5)) / bars, y: box.y + box.height / 2 };
}

/** The time that the address asks for, once it asks for one. */
async function chosen(page: Page): Promise<{ from: number; to: number; search: URLSearchParams }> {
  await page.waitForURL(/[?&]from=/);
  const { searchParams } = new URL(page.url());
  const moment = (name: string) => Date.parse(`${searchParams.get(name) ?? ""}Z`);
  return { from: moment("from"), to: moment("to"), search: searchParams };
}

async function ofBar(page: Page, barsAgo: number): Promise<{ from: number; to: number }> {
  const href =
    (await page
      .locator(`${CHART} a`)
      .nth(-1 - barsAgo)
      .getAttribute("href")) ?? "";
  const search = new URLSearchParams(href.split("?")[1]);
  const moment = (name: string) => Date.parse(`${search.get(name) ?? ""}Z`);
  return { from: moment("from"), to: moment("to") };
}

test("dragging over bars looks into their time, whichever way, and keeps the other filters; a reset leads back", async () => {
  const page = await open("/audit?decision=blocked&range=24h");
  const problems = watchProblems(page);
  const [first, last] = [await ofBar(page, 20), await ofBar(page, 8)];
  const [begin, end] = [await middleOf(page, 8), await middleOf(page, 20)];
  await page.mouse.move(begin.x, begin.y);
  await page.mouse.down();
  await page.mouse.move((begin.x + end.x) / 2, begin.y, { steps: 4 });
  await page.mouse.move(end.x, end.y, { steps: 4 });
  await page.waitForSelector(BRUSHED, { state: "attached" });
  expect(await page.textContent("figure [aria-live]")).toMatch(/^.+ – .+ · [\d,]+ requests$/);
  await page.mouse.up();
  const { from, to, search } = await chosen(page);
  expect({ from, to }).toEqual({ from: first.from, to: last.to });
  expect(to - from).toBe(13 * HALF_HOUR_MS - 1);
  expect(search.get("decision")).toBe("blocked");
  await page.waitForSelector("text=Reset the time");
  expect(await page.locator(BRUSHED).count()).toBe(0);
  for (const at of await page
    .locator("main table[role=table] time")
    .evaluateAll((all) => all.map((one) => one.getAttribute("datetime") ?? ""))) {
    expect(Date.parse(at)).toBeGreaterThanOrEqual(from);
    expect(Date.parse(at)).toBeLessThanOrEqual(to);
  }
  await page.click("text=Reset the time");
  await page.waitForURL((url) => !url.searchParams.has("from"));
  const { searchParams } = new URL(page.url());
  expect([...searchParams]).toEqual([
    ["decision", "blocked"],
    ["range", "24h"],
  ]);
  expect(problems).toEqual([]);
  await page.context().close();
});

test("a click that moves no further is a click on one bar", async () => {
  const page = await open("/audit");
  const bar = await ofBar(page, 5);
  const { x, y } = await middleOf(page, 5);
  await page.mouse.click(x, y);
  const { from, to } = await chosen(page);
  expect({ from, to }).toEqual(bar);
  await page.context().close();
});

test("a finger that goes sideways chooses; one that goes up and down scrolls", async () => {
  const page = await open("/audit", { hasTouch: true, viewport: { width: 390, height: 844 } });
  const touch = await page.context().newCDPSession(page);
  const send = (type: "touchStart" | "touchMove" | "touchEnd", points: readonly { x: number; y: number }[]) =>
    touch.send("Input.dispatchTouchEvent", { type, touchPoints: [...points] });
  await page.locator(CHART).scrollIntoViewIfNeeded();
  const [begin, end] = [await middleOf(page, 30), await middleOf(page, 10)];
  await send("touchStart", [begin]);
  for (const step of [1, 2, 3, 4]) {
    await send("touchMove", [{ x: begin.x, y: begin.y - 40 * step }]);
  }
  await send("touchEnd", []);
  expect(new URL(page.url()).searchParams.has("from")).toBe(false);
  expect(await page.locator(BRUSHED).count()).toBe(0);

  await page.locator(CHART).scrollIntoViewIfNeeded();
  const wanted = { from: (await ofBar(page, 30)).from, to: (await ofBar(page, 10)).to };
  const y = (await middleOf(page, 30)).y;
  await send("touchStart", [{ x: begin.x, y }]);
  for (const part of [0.25, 0.5, 0.75, 1]) {
    await send("touchMove", [{ x: begin.x + (end.x - begin.x) * part, y }]);
  }
  await send("touchEnd", []);
  const { from, to } = await chosen(page);
  expect({ from, to }).toEqual(wanted);
  await page.context().close();
});

test("with the keyboard, arrows go from bar to bar, Shift chooses several, Escape lets go, Enter looks into them", async () => {
  const page = await open("/audit");
  // One stop of the Tab key: the newest bar.
  expect(await page.locator(`${CHART} a[tabindex='0']`).count()).toBe(1);
  await page.locator(`${CHART} a[tabindex='0']`).focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Shift+ArrowLeft");
  await page.waitForSelector(BRUSHED, { state: "attached" });
  await page.keyboard.press("Escape");
  await page.waitForSelector(BRUSHED, { state: "detached" });
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("href") ?? "");
  expect(new URLSearchParams((await focused()).split("?")[1]).get("from")).toBe(
    new Date((await ofBar(page, 2)).from).toISOString().slice(0, -1),
  );
  const wanted = { from: (await ofBar(page, 5)).from, to: (await ofBar(page, 2)).to };
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Enter");
  const { from, to } = await chosen(page);
  expect({ from, to }).toEqual(wanted);
  await page.context().close();
});

test("without scripts each bar leads to its time, and the reset leads back", async () => {
  const page = await open("/audit?decision=blocked", { javaScriptEnabled: false });
  const bar = await ofBar(page, 12);
  const { x, y } = await middleOf(page, 12);
  await page.mouse.click(x, y);
  const { from, to } = await chosen(page);
  expect({ from, to }).toEqual(bar);
  await page.click("text=Reset the time");
  await page.waitForURL((url) => !url.searchParams.has("from"));
  expect(new URL(page.url()).searchParams.get("decision")).toBe("blocked");
  await page.context().close();
});

test("Live stays on over a brush that reaches until now, and shows a new request there", async () => {
  // Pieces of a day: the last one is not over before the test is.
  const page = await open("/audit?range=30d");
  await page.click("text=Live");
  const [begin, end] = [await middleOf(page, 3), await middleOf(page, 0)];
  await page.mouse.move(begin.x, begin.y);
  await page.mouse.down();
  await page.mouse.move(end.x, end.y, { steps: 5 });
  await page.mouse.up();
  await chosen(page);
  expect(await page.locator("button:has-text('Live')").getAttribute("aria-pressed")).toBe("true");
  const path = `/v1/live-${crypto.randomUUID().slice(0, 8)}`;
  await fetch(`${proxy}/openai${path}`, {
    headers: { Authorization: `Bearer ${example.keys[1]?.token ?? ""}` },
  });
  await page.waitForSelector(`main tbody >> text=${path.slice(4)}`, { timeout: 20_000 });
  await page.context().close();
});
