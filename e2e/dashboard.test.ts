import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { signInLink, signedIn } from "./dashboard/people.ts";
import { Admin } from "./harness.ts";

const admin = new Admin(inject("local"));
const { controlPlane, proxy } = admin.local;
const ARTIFACTS = fileURLToPath(new URL("./artifacts/", import.meta.url));

let browser: Browser;
let cookies: Awaited<ReturnType<Awaited<ReturnType<Browser["newContext"]>>["cookies"]>> = [];

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await launchBrowser();
});

afterAll(() => browser.close());

async function open(options: BrowserContextOptions, path: string): Promise<Page> {
  const context = await browser.newContext(options);
  await context.addCookies(cookies);
  const page = await context.newPage();
  await page.goto(`${controlPlane}${path}`);
  return page;
}

test("without a session every page leads to the sign-in page", async () => {
  const page = await open({}, "/");
  expect(new URL(page.url()).pathname).toBe("/sign-in");
  expect(await page.textContent("h1")).toBe("Sign in to RelayKey");
});

test("the link shows a button, signs in once, and not again; also without JavaScript", async () => {
  const { organization } = await admin.call<{ organization: { id: string } }>("GET", "/organization");
  const { email } = await signedIn("admin", organization.id);
  const link = await signInLink(email);
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  // Looking at the link, as a mail scanner does, does not use it up.
  for (let look = 0; look < 2; look += 1) await page.goto(link);
  await page.screenshot({ path: `${ARTIFACTS}sign-in.png` });
  await page.click("text=Sign in >> nth=-1");
  await page.waitForURL(`${controlPlane}/`);
  cookies = await context.cookies();
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Lax" }]);
  expect(problems).toEqual([]);

  const again = await (await browser.newContext()).newPage();
  await again.goto(link);
  await again.waitForSelector("text=This link does not work");
});

test("the overview shows the keys and what was done with them", async () => {
  await fetch(`${proxy}/${admin.demo.integration}/v1/models`, {
    headers: { Authorization: `Bearer ${admin.demo.key}` },
  });
  const blocked = await fetch(`${proxy}/${admin.demo.integration}/v1/files`, {
    headers: { Authorization: `Bearer ${admin.demo.key}` },
  });
  await admin.event(blocked.headers.get("relaykey-request-id"));

  const page = await open({}, "/");
  const problems: string[] = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.reload({ waitUntil: "networkidle" });
  expect(await page.textContent("h1")).toBe("Overview");
  const requests = await page.textContent("section[aria-label='Latest requests']");
  expect(requests).toContain("Outside the key's scope");
  expect(requests).toContain("GET openai:/v1/models");
  expect(requests).toContain("Demo key");
  expect(await page.content()).not.toContain(admin.demo.key);
  expect(problems).toEqual([]);
});

test("a form sent from another site changes nothing", async () => {
  const response = await fetch(`${controlPlane}/sign-out`, {
    method: "POST",
    headers: {
      Origin: "https://evil.example",
      Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; "),
    },
    redirect: "manual",
  });
  expect(response.status).toBe(403);
  const page = await open({}, "/");
  expect(await page.textContent("h1")).toBe("Overview");
});

test("signing out ends the session", async () => {
  const page = await open({}, "/");
  await page.click("aside summary");
  await page.click("aside >> text=Sign out");
  await page.waitForURL(`${controlPlane}/sign-in`);
  const later = await open({}, "/");
  expect(new URL(later.url()).pathname).toBe("/sign-in");
});

test("where the type of a refusal leads, the refusal is explained", async () => {
  const refusal = (await (await fetch(`${proxy}/openai/v1/models`)).json()) as {
    type: string;
    title: string;
  };
  const page = await open({}, new URL(refusal.type).pathname);
  expect(await page.textContent(`#${new URL(refusal.type).hash.slice(1)}`)).toContain(refusal.title);
});
