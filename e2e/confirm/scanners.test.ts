import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { PagesStack, aReview, aView } from "./pages-stack.ts";

let stack: PagesStack;
/** Says of itself that a program drives it, as they do by default. */
let openly: Browser;
/** Hides that. */
let covertly: Browser;

beforeAll(async () => {
  stack = await PagesStack.start();
  openly = await launchBrowser();
  covertly = await launchBrowser(["--disable-blink-features=AutomationControlled"]);
});

afterAll(async () => {
  await Promise.all([openly.close(), covertly.close()]);
  await stack.stop();
});

const WORKS = {
  confirm: { state: "confirmed_now" },
  reject: { state: "frozen_now" },
  resend: { state: "sent" },
  review: aReview(),
  stopTrusting: { state: "removed_now" },
  freezeKey: { state: "frozen_now", withinSeconds: 0 },
} as const;

/** Longer than anybody's dwell. */
const PATIENCE_MS = 1_800;
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

test.each<[string, RequestInit]>([
  ["GET", {}],
  ["HEAD", { method: "HEAD" }],
  ["a prefetch", { headers: { "Sec-Purpose": "prefetch", Purpose: "prefetch" } }],
  ["a prerender", { headers: { "Sec-Purpose": "prefetch;prerender" } }],
  ["a link preview", { headers: { "User-Agent": "Slackbot-LinkExpanding 1.0" } }],
  ["OPTIONS", { method: "OPTIONS" }],
  ["PUT", { method: "PUT", body: "answer=yes" }],
  ["DELETE", { method: "DELETE" }],
])("%s of a link changes nothing", async (_name, init) => {
  const { url, token } = await stack.link(WORKS);
  for (let look = 0; look < 5; look += 1) await (await fetch(url, init)).text();
  expect(await stack.calls(token)).toEqual([]);
});

describe("a crawler without a browser", () => {
  test.each(["no", "yes", "unsure", "freeze"])(
    "that posts the form with answer=%s changes nothing",
    async (answer) => {
      const { url, token } = await stack.link(WORKS);
      const page = await fetch(url);
      const cookie = page.headers.get("set-cookie")?.split(";")[0] ?? "";
      const form = new URLSearchParams({ answer });
      for (const [, name = "", value = ""] of (await page.text()).matchAll(
        /name="([^"]+)" value="([^"]*)"/g,
      )) {
        if (name !== "answer") form.set(name, value);
      }
      form.set("website", "");
      await pause(PATIENCE_MS);
      for (const headers of [
        {},
        { Origin: "null" },
        { Origin: "https://mail-scanner.example" },
        { Referer: url },
      ]) {
        const response = await fetch(url, {
          method: "POST",
          body: form,
          headers: { Cookie: cookie, ...headers },
        });
        expect(response.status).toBe(403);
      }
      expect(await stack.calls(token)).toEqual([]);
    },
  );
});

/** What scanners do with a page; each is tried on the page it leads to as well. */
const HABITS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  "submits every form from a script": async (page) => {
    await page.evaluate(() => {
      for (const form of document.forms) form.submit();
    });
  },
  "submits every form from a script, with each choice": async (page) => {
    const count = await page.locator("input[type=radio]").count();
    for (let index = 0; index < Math.max(count, 1); index += 1) {
      await page.evaluate((choice) => {
        const radio = document.querySelectorAll<HTMLInputElement>("input[type=radio]")[choice];
        if (radio !== undefined) radio.checked = true;
        document.forms[0]?.submit();
      }, index);
      await page.waitForLoadState();
      await pause(PATIENCE_MS);
    }
  },
  "asks every form to submit itself": async (page) => {
    await page.evaluate(() => {
      for (const radio of document.querySelectorAll<HTMLInputElement>("input[type=radio][value=yes]"))
        radio.checked = true;
      for (const form of document.forms) form.requestSubmit();
    });
  },
  "clicks every radio and button from a script, yes last": async (page) => {
    await page.evaluate(() => {
      document.querySelector<HTMLElement>("input[value=no]")?.click();
      document.querySelector<HTMLElement>("input[value=unsure]")?.click();
      document.querySelector<HTMLElement>("input[value=yes]")?.click();
      for (const button of [...document.querySelectorAll("button")].reverse()) button.click();
    });
  },
  "fills in every field and submits": async (page) => {
    await page.evaluate(() => {
      for (const input of document.querySelectorAll<HTMLInputElement>("input[type=text]")) input.value = "1";
      for (const radio of document.querySelectorAll<HTMLInputElement>("input[type=radio][value=yes]"))
        radio.checked = true;
    });
    await press(page, "button:last-of-type");
  },
  "presses the first button": async (page) => {
    await press(page, "button >> nth=0");
  },
  "presses every button in order": async (page) => {
    const count = await page.locator("button").count();
    for (let index = 0; index < count; index += 1) await press(page, `button >> nth=${String(index)}`);
  },
  "presses everything that can be pressed, in order": async (page) => {
    const things = await page.locator("label.choice, input:visible, button, a").all();
    for (const thing of things)
      await thing.click({ timeout: 1_000, noWaitAfter: true }).catch(() => undefined);
  },
  "takes the first choice, then the first button": async (page) => {
    await press(page, "label.choice >> nth=0");
    await press(page, "button >> nth=0");
  },
  "takes the last choice, then the last button": async (page) => {
    await press(page, "label.choice >> nth=-1");
    await press(page, "button >> nth=-1");
  },
  "presses Enter in everything": async (page) => {
    for (let step = 0; step < 8; step += 1) {
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
    }
  },
};

/** With the real events of mouse and keyboard. */
async function press(page: Page, selector: string): Promise<void> {
  await page.click(selector, { timeout: 1_000, noWaitAfter: true }).catch(() => undefined);
  await page.waitForLoadState().catch(() => undefined);
}

describe.each<[string, () => Browser, BrowserContextOptions]>([
  ["a headless browser", () => openly, {}],
  ["a headless browser that hides what it is", () => covertly, {}],
  ["a headless browser without scripts", () => covertly, { javaScriptEnabled: false }],
])("%s", (_name, browser, options) => {
  const scripted = options.javaScriptEnabled !== false;
  const habits = Object.entries(HABITS).filter(([name]) => scripted || !/script|submit/.test(name));
  test.concurrent.each(habits)("that %s confirms nothing and freezes nothing", async (_habit, act) => {
    const { url, token } = await stack.link(WORKS);
    const context = await browser().newContext(options);
    const page = await context.newPage();
    await page.goto(url);
    for (let depth = 0; depth < 3; depth += 1) {
      await pause(PATIENCE_MS);
      await act(page).catch(() => undefined);
      await page.waitForLoadState();
    }
    await context.close();
    expect(await stack.calls(token)).toEqual([]);
  });
});

/** Pages that freeze a key or take a network back, each with a link of its own. */
async function laterPages(): Promise<{ readonly url: string; readonly token: string }[]> {
  const late = await stack.link({
    ...WORKS,
    view: {
      state: "expired",
      freezable: { keyName: "Laptop", keyDisplay: "rk_proxy_…a1b2", organizationName: "Acme" },
    },
  });
  const list = await stack.reviewLink(WORKS);
  const decision = await stack.reviewLink(WORKS);
  return [
    { ...late, url: `${late.url}?freeze` },
    list,
    { ...decision, url: `${decision.url}?stop=198.51.100.4` },
  ];
}

/** The nearest to a person: what is pressed is pressed with a mouse or a key. */
const HANDS = Object.entries(HABITS).filter(([name]) =>
  /^(takes|presses every button|presses Enter)/.test(name),
);

describe.each<[string, BrowserContextOptions]>([
  ["that hides what it is", {}],
  ["without scripts", { javaScriptEnabled: false }],
])("on the pages that freeze and take back, a headless browser %s", (_name, options) => {
  test.concurrent.each(HANDS)(
    "that %s freezes nothing and takes nothing back",
    async (_habit, act) => {
      for (const { url, token } of await laterPages()) {
        const context = await covertly.newContext(options);
        const page = await context.newPage();
        await page.goto(url);
        for (let depth = 0; depth < 2; depth += 1) {
          await pause(PATIENCE_MS);
          await act(page).catch(() => undefined);
          await page.waitForLoadState();
        }
        await context.close();
        expect(await stack.calls(token), url).toEqual([]);
      }
    },
    180_000,
  );
});

/** What is not defended against, so that nobody believes it is: docs/threat-model.md says so too. */
test("a program that does all that a person does counts as one; only the number tells them apart", async () => {
  const act = async (numberMatching: boolean): Promise<unknown[]> => {
    const { url, token } = await stack.link(WORKS, aView({ numberMatching }));
    const page = await covertly.newPage();
    await page.goto(url);
    await pause(PATIENCE_MS);
    await page.click("text=Yes, this was me");
    await page.click("text=Continue");
    await page.close();
    return stack.calls(token);
  };
  expect(await act(false)).toEqual([["confirm", "0123456789abcdef", null]]);
  expect(await act(true)).toEqual([]);
});
