import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";

const ARTIFACTS = fileURLToPath(new URL("../artifacts/confirm/", import.meta.url));

/** Opens an address as somebody who was never here: nothing is left over from other visits. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** As long as a person needs to read. */
export const READING_MS = 1_600;

export async function read(page: Page): Promise<void> {
  await page.waitForTimeout(READING_MS);
}

export async function title(page: Page): Promise<string | null> {
  return page.textContent("h1");
}

export const LOOKS: readonly (readonly [string, BrowserContextOptions])[] = [
  ["light", { colorScheme: "light", viewport: { width: 1_100, height: 900 } }],
  ["dark", { colorScheme: "dark", viewport: { width: 1_100, height: 900 } }],
  ["phone", { colorScheme: "light", viewport: { width: 375, height: 812 } }],
];

/** Violations of WCAG 2.2 AA, by rule. */
async function violations(page: Page): Promise<string[]> {
  // Past the page's own policy, which admits no script but its own.
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe.source });
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }).then(({ violations }) => JSON.stringify(violations.map(({ id, nodes }) => id + " " + nodes.map(({ target }) => target).join(" "))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  return JSON.parse(String(result.value)) as string[];
}

/** Keeps a picture of the page, and looks for what keeps people from it. */
export async function check(page: Page, name: string): Promise<void> {
  mkdirSync(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: `${ARTIFACTS}${name}.png`, fullPage: true });
  expect(await violations(page)).toEqual([]);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBeLessThanOrEqual(0);
}
