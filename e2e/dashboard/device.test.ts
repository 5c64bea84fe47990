import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { noteSecret } from "../witness.ts";
import { violations, watchProblems } from "./look.ts";
import { browserOf, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane } = inject("local");
let browser: Browser;
let person: Person;

beforeAll(async () => {
  browser = await launchBrowser();
  person = await signedIn();
});

afterAll(() => browser.close());

interface Started {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri_complete: string;
}

async function ask(path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${controlPlane}/api/v1/device/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, unknown>;
}

async function start(): Promise<Started> {
  const started = (await ask("code", { client: "rk on <b>build-7</b>" })) as unknown as Started;
  noteSecret(started.device_code);
  return started;
}

/** Follows the link, looks, and presses a button. */
async function decide(page: Page, started: Started, button: string): Promise<void> {
  await page.goto(started.verification_uri_complete);
  await page.click("text=Continue");
  await page.waitForSelector("text=Let this command line in?");
  expect(await page.textContent("main")).toContain("rk on <b>build-7</b>");
  expect(await violations(page)).toEqual([]);
  await page.click(`button:has-text("${button}")`);
}

test.each([[true], [false]])(
  "an admin lets a command line in, and sees who asks before (JavaScript: %s)",
  async (javaScriptEnabled) => {
    const context = await browserOf(browser, person, { javaScriptEnabled: true });
    const page = await context.newPage();
    const problems = watchProblems(page);
    const started = await start();
    if (javaScriptEnabled) await decide(page, started, "Let it in");
    else {
      const bare = await (await browserOf(browser, person, { javaScriptEnabled: false })).newPage();
      await bare.goto(started.verification_uri_complete);
      await bare.click("text=Continue");
      await bare.click("text=Let it in");
      expect(await bare.textContent("h1")).toBe("The command line is let in");
    }
    if (javaScriptEnabled) await page.waitForSelector("text=The command line is let in");
    expect(problems).toEqual([]);
    const answer = await ask("token", { device_code: started.device_code });
    const token = String(answer["access_token"]);
    noteSecret(token);
    const self = await fetch(`${controlPlane}/api/v1/whoami`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(await self.json()).toMatchObject({ organization: { id: person.organizationId } });
    await context.close();
  },
);

test("denied, and a code that nobody waits under", async () => {
  const context = await browserOf(browser, person);
  const page = await context.newPage();
  const started = await start();
  await decide(page, started, "Deny");
  await page.waitForSelector("h1:has-text('Denied')");
  expect(await ask("token", { device_code: started.device_code })).toMatchObject({ code: "access_denied" });
  await page.goto(started.verification_uri_complete);
  await page.click("text=Continue");
  await page.waitForSelector("text=This code is not waiting");
  await context.close();
});

test("nothing is decided by following the link, from another site, or by somebody who may only look", async () => {
  const started = await start();
  const viewer = await signedIn("viewer", person.organizationId);
  const send = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${controlPlane}/device`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams({
        code: started.user_code,
        intent: "approve",
        role: "admin",
        lifetime: "30d",
      }),
      redirect: "manual",
    });
  expect((await send({ Cookie: person.cookie, Origin: "https://evil.example" })).status).toBe(403);
  expect((await send({ Cookie: viewer.cookie, Origin: controlPlane })).status).toBe(403);
  expect((await send({ Origin: controlPlane })).status).toBe(302);
  await fetch(started.verification_uri_complete, { headers: { Cookie: person.cookie } });
  expect(await ask("token", { device_code: started.device_code })).toMatchObject({
    code: "authorization_pending",
  });
});
