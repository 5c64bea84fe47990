import type { Page } from "playwright-core";
import { screenshot } from "./look.ts";

/** Somebody who only clicks and types, as far as a test is concerned; it counts what they have to do. */
export class Walker {
  readonly page: Page;
  readonly #name: string;
  #pictures = 0;
  #clicks = 0;
  #typed = 0;

  constructor(page: Page, name: string) {
    this.page = page;
    this.#name = name;
  }

  /** Follows a link from outside, such as one in a mail: a click too. */
  async follow(url: string): Promise<void> {
    this.#clicks += 1;
    await this.page.goto(url);
  }

  async click(selector: string): Promise<void> {
    this.#clicks += 1;
    await this.page.click(selector);
  }

  /** Types into a field, or replaces what stands there. */
  async type(selector: string, text: string): Promise<void> {
    this.#typed += text.length;
    await this.page.fill(selector, text);
  }

  /** Puts a text into a field that was copied elsewhere: one click to get there. */
  async paste(selector: string, text: string): Promise<void> {
    this.#clicks += 1;
    await this.page.fill(selector, text);
  }

  /** A picture of where they are, numbered in order. */
  async look(at: string): Promise<void> {
    this.#pictures += 1;
    await withoutTokens(this.page);
    await screenshot(this.page, `${this.#name}-${String(this.#pictures).padStart(2, "0")}-${at}`);
  }

  /** What they had to do so far. */
  get toll(): { readonly clicks: number; readonly typed: number } {
    return { clicks: this.#clicks, typed: this.#typed };
  }
}

/** What is in a picture can be read by whoever gets it: a key that works is not put there. */
async function withoutTokens(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const code of document.querySelectorAll("code")) {
      code.textContent = code.textContent.replaceAll(/rk_proxy_\w+/g, "rk_proxy_…");
    }
  });
}
