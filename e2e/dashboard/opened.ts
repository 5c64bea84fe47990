import type { Page } from "playwright-core";
import type { Example } from "./example.ts";

/** What opens over a page, by the name of its screenshots. */
export interface OpenedUnderTest {
  readonly name: string;
  readonly path: (example: Example) => string;
  readonly open: (page: Page) => Promise<void>;
}

/** Until the page's scripts run, nothing listens to a key. */
async function pressUntilOpen(page: Page, key: string): Promise<void> {
  while ((await page.locator("dialog:modal").count()) === 0) {
    await page.keyboard.press(key);
    await page.waitForTimeout(100);
  }
}

/** Menus, the palette, what a form says no with, what is told once: seen only after something was done. */
export const OPENED: readonly OpenedUnderTest[] = [
  {
    name: "opened-palette",
    path: () => "/keys",
    open: async (page) => {
      await pressUntilOpen(page, "Control+k");
      await page.keyboard.type("re");
      await page.locator("[role=option]").first().waitFor();
    },
  },
  {
    name: "opened-palette-nothing",
    path: () => "/keys",
    open: async (page) => {
      await pressUntilOpen(page, "Control+k");
      await page.keyboard.type("no such thing");
      await page.waitForSelector("text=Nothing has that name");
    },
  },
  {
    name: "opened-shortcuts",
    path: () => "/keys",
    open: async (page) => {
      await pressUntilOpen(page, "?");
    },
  },
  {
    name: "opened-menu",
    path: () => "/keys",
    open: async (page) => {
      await page.locator("header summary, aside summary").locator("visible=true").first().click();
    },
  },
  {
    name: "opened-selection",
    path: () => "/keys",
    open: async (page) => {
      for (const row of [0, 2]) await page.locator("tbody input[type=checkbox]").nth(row).check();
    },
  },
  {
    name: "opened-chart-table",
    path: () => "/",
    open: (page) => page.click("summary:has-text('Show as a table')"),
  },
  {
    name: "opened-form-refused",
    path: () => "/holders/new",
    open: async (page) => {
      await page.fill("[name=name]", "a name");
      await page.fill("[name='limits.rate']", "often");
      await page.click("button:has-text('Create holder')");
      await page.waitForSelector("[role=alert]");
    },
  },
  {
    name: "opened-told-once",
    path: () => "/settings/organization",
    open: async (page) => {
      await page.click("button:has-text('Rename')");
      await page.waitForSelector("[data-flash]");
    },
  },
  {
    name: "opened-focus",
    path: () => "/keys",
    open: async (page) => {
      for (let tab = 0; tab < 4; tab += 1) await page.keyboard.press("Tab");
    },
  },
];
