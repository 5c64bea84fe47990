import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";

const ARTIFACTS = fileURLToPath(new URL("../artifacts/", import.meta.url));

/** How each page is looked at. */
export const LOOKS: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ["light", { colorScheme: "light", viewport: { width: 1_280, height: 900 } }],
  ["dark", { colorScheme: "dark", viewport: { width: 1_280, height: 900 } }],
  ["phone", { colorScheme: "light", viewport: { width: 390, height: 844 } }],
];

/** What went wrong on a page, in words; it listens from before the page is opened. What asks another host for something is wrong. */
export function watchProblems(page: Page): string[] {
  const problems: string[] = [];
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (/^https?:$/.test(protocol) && hostname !== "127.0.0.1" && hostname !== "localhost") {
      problems.push(`asked ${hostname} for something`);
    }
  });
  page.on("console", (message) => {
    // A page that says no says so with its status; the browser repeats that in its console.
    if (message.type() === "error" && !/^Failed to load resource: .* 40[34] /.test(message.text())) {
      problems.push(message.text());
    }
  });
  page.on("pageerror", (error) => problems.push(error.message));
  return problems;
}

/** Measures how much of the page moves while it loads (Cumulative Layout Shift). Call before the page is opened. */
export async function watchShift(page: Page): Promise<() => Promise<number>> {
  await page.addInitScript(() => {
    const holder = globalThis as unknown as { shift: number };
    holder.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) holder.shift += (entry as unknown as { value: number }).value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  return () => page.evaluate(() => (globalThis as unknown as { shift: number }).shift);
}

/** Violations of WCAG 2.2 AA, each with the first element that has it. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: typeof axe }).axe.run;
    const { violations: found } = await run({
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    });
    return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200) ?? ""}`);
  });
}

/** Judges a page as it stands, in each look: what came of a form that was sent cannot be opened again. */
export async function judgeAsItStands(page: Page, name: string): Promise<void> {
  for (const [look, { colorScheme = null, viewport }] of LOOKS) {
    await page.emulateMedia({ colorScheme });
    if (viewport != null) await page.setViewportSize(viewport);
    await screenshot(page, `${name}-${look}`);
    expect(await violations(page), look).toEqual([]);
    expect(await overflow(page), look).toBeLessThanOrEqual(0);
    expect(await cutOff(page), look).toEqual([]);
  }
}

/** The narrowest window that a page has to fit (WCAG 2.2, 1.4.10). */
const NARROW = { width: 320, height: 640 };

/** Pixels by which a page is wider than the narrowest window. */
export async function overflowNarrow(page: Page): Promise<number> {
  await page.setViewportSize(NARROW);
  return overflow(page);
}

/** Pixels by which a page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** The whole page; of one that has a dialog open the window, as the dialog covers no more. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(ARTIFACTS, { recursive: true });
  const fullPage = (await page.locator("dialog:modal").count()) === 0;
  // As it looks when everything has come to rest: a colour half way between two themes is nobody's.
  await page.screenshot({ path: `${ARTIFACTS}${name}.png`, fullPage, animations: "disabled" });
}

/**
 * What nobody can get at: tables that are wider than what they lie in, and controls that begin or end beside the window, where
 * nothing scrolls. By their names.
 */
export function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const scrolls = (element: Element): boolean => getComputedStyle(element).overflowX === "auto";
    const isWithinScroller = (element: Element): boolean => {
      for (let around = element.parentElement; around !== null; around = around.parentElement) {
        if (scrolls(around)) return true;
      }
      return false;
    };
    const tables = [...document.querySelectorAll("table")]
      .filter(({ offsetWidth, parentElement: around }) => {
        return around !== null && !scrolls(around) && offsetWidth > around.clientWidth + 1;
      })
      .map((table) => table.caption?.textContent ?? "a table");
    const controls = [...document.querySelectorAll("main :is(a, button, input, select, textarea, summary)")]
      .filter((control) => {
        const { left, right, width } = control.getBoundingClientRect();
        // One pixel wide is what only a screen reader is to find.
        if (width <= 1 || !control.checkVisibility({ visibilityProperty: true })) return false;
        return (right > window.innerWidth + 1 || left < -1) && !isWithinScroller(control);
      })
      .map((control) => control.getAttribute("aria-label") ?? control.textContent.trim());
    return [...tables, ...controls];
  });
}
