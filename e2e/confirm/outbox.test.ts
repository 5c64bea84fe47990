import { mkdirSync } from "node:fs";
import http from "node:http";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "@relaykey/local/test/run-workerd";
import { launchBrowser } from "../browser.ts";
import { PagesStack } from "./pages-stack.ts";

const ARTIFACTS = fileURLToPath(new URL("../artifacts/mail/", import.meta.url));
const EXPIRES = Date.now() + 900_000;
const TO = "ann@example.org";

const MAILS = {
  sign_in: {
    v: 1,
    kind: "sign_in",
    id: "sign-in",
    to: TO,
    link: "https://control.example.com/sign-in?token=abc",
    code: "493021",
    ip: "203.0.113.7",
    userAgent: "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15",
    expiresAt: EXPIRES,
  },
  invitation: {
    v: 1,
    kind: "invitation",
    id: "invitation",
    to: TO,
    link: "https://control.example.com/join?token=abc",
    organization: "Acme",
    invitedBy: "Bob",
    role: "member",
    expiresAt: EXPIRES,
  },
  alert: {
    v: 1,
    kind: "alert",
    id: "alert",
    to: TO,
    organization: "Acme",
    title: "The key “Laptop” was frozen by its holder",
    text: ["Ann said that a call from 203.0.113.7 was not hers.", "The key is frozen: it works nowhere."],
    action: { label: "Issue a new key", url: "https://control.example.com/keys/1/replace" },
  },
} as const;

let stack: PagesStack;
let browser: Browser;
let confirmation = "";

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  stack = await PagesStack.start();
  browser = await launchBrowser();
  await Promise.all(Object.values(MAILS).map((mail) => stack.enqueue(mail)));
  confirmation = (await stack.link({})).mailId;
  await until(async () => (await list(TO)).length === 3);
});

afterAll(async () => {
  await browser.close();
  await stack.stop();
});

interface Listed {
  readonly id: string;
  readonly html: string;
}

async function list(to: string): Promise<Listed[]> {
  const response = await fetch(`${stack.outbox}/messages?to=${encodeURIComponent(to)}`);
  return ((await response.json()) as { data: Listed[] }).data;
}

async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(`${stack.outbox}${path}`);
  return page;
}

/** Violations of WCAG 2.2 AA, by rule, whatever the page's own policy admits. */
async function violations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe.source });
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], iframes: false }).then(({ violations }) => JSON.stringify(violations.map(({ id }) => id)))`,
    awaitPromise: true,
    returnByValue: true,
  });
  return JSON.parse(String(result.value)) as string[];
}

const LOOKS: readonly (readonly [string, BrowserContextOptions])[] = [
  ["light", { colorScheme: "light", viewport: { width: 1_000, height: 900 } }],
  ["dark", { colorScheme: "dark", viewport: { width: 1_000, height: 900 } }],
  ["phone", { colorScheme: "light", viewport: { width: 375, height: 812 } }],
];

describe.each(LOOKS)("%s:", (look, options) => {
  test("every mail fits and is accessible", async () => {
    for (const id of [...Object.values(MAILS).map((mail) => mail.id), confirmation]) {
      // As a mail program would show it: where the outbox serves it, no script runs, axe's neither.
      const page = await (await browser.newContext(options)).newPage();
      await page.setContent((await list("@")).find((mail) => mail.id === id)?.html ?? "");
      const name = id === confirmation ? "confirmation" : id;
      await page.screenshot({ path: `${ARTIFACTS}${name}-${look}.png`, fullPage: true });
      expect(await violations(page)).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect([name, overflow]).toEqual([name, 0]);
      await page.context().close();
    }
  });

  test("the outbox lists mail, and shows one as HTML and as text", async () => {
    const page = await open("/", options);
    await page.screenshot({ path: `${ARTIFACTS}outbox-${look}.png`, fullPage: true });
    expect(await violations(page)).toEqual([]);
    await page.fill("#to", "ANN@");
    await page.click("text=Search");
    expect(await page.locator("li").count()).toBe(3);
    await page.click("text=Invitation to Acme");
    await page.frameLocator("iframe").locator("text=See the invitation").waitFor();
    await page.screenshot({ path: `${ARTIFACTS}outbox-mail-${look}.png`, fullPage: true });
    expect(await violations(page)).toEqual([]);
    expect(await page.textContent("pre")).toContain("Bob has invited you to join Acme");
  });
});

test("a link in a shown mail opens in a tab of its own, and the link's page works there", async () => {
  const { url } = await stack.link({ view: { state: "confirmed" } });
  const [mail] = await list("@");
  const page = await open(`/messages/${mail?.id ?? ""}`);
  const [tab] = await Promise.all([
    page.context().waitForEvent("page"),
    page.frameLocator("iframe").locator("text=Answer on a page").click(),
  ]);
  await tab.waitForLoadState();
  expect(tab.url()).toBe(url);
  expect(await tab.textContent("h1")).toBe("Already confirmed");
});

test("only this machine reads the outbox, and nobody writes to it over HTTP", async () => {
  const { port } = new URL(stack.outbox);
  const rebound = await new Promise<number>((resolve, reject) => {
    http
      .get(
        { host: "127.0.0.1", port, path: "/messages", headers: { Host: `evil.example:${port}` } },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      )
      .on("error", reject);
  });
  expect(rebound).toBe(421);
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    expect((await fetch(`${stack.outbox}/messages`, { method })).status).toBe(405);
  }
  expect((await fetch(`${stack.outbox}/messages/none`)).status).toBe(404);
  expect((await fetch(`${stack.outbox}/messages/%ff`)).status).toBe(404);
});
