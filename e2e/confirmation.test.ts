import OpenAI, { APIError } from "openai";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { launchBrowser } from "./browser.ts";
import { fetchFrom } from "./call-from.ts";
import { Admin } from "./harness.ts";
import { CAFE, HOME, Holders, READING_MS, THIEF, linkIn } from "./holders.ts";

const admin = new Admin(inject("local"));
const { proxy, confirm } = admin.local;
const holders = new Holders(admin);

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser(["--disable-blink-features=AutomationControlled"]);
});
afterAll(() => browser.close());

test("the first call works; from a café it waits for one answer on one page; then it works (G6)", async () => {
  const { email, key } = await holders.person();
  const path = `/${crypto.randomUUID()}`;
  expect((await holders.call(key, HOME, path)).status).toBe(200);

  const refused = await holders.call(key, CAFE, path);
  expect(refused).toMatchObject({ status: 423, code: "ip_unconfirmed" });
  expect(refused.detail).toContain("A mail is on its way to a•••@example.org");
  expect(await holders.reached(path)).toBe(1);

  const page = await holders.question(browser, email);
  expect(await page.textContent("h1")).toBe("Was this you?");
  const facts = await page.textContent("dl");
  expect(facts).toContain(CAFE);
  expect(facts).toContain(`GET echo:${path}`);
  expect(facts).toContain("Ann’s laptop");
  expect(await page.content()).not.toContain(key.token);
  // Looking has changed nothing.
  expect((await holders.call(key, CAFE, path)).status).toBe(423);

  await page.click("text=Yes, this was me");
  await page.click("text=Continue");
  expect(await page.textContent("h1")).toBe("Confirmed");
  expect((await holders.call(key, CAFE, path)).status).toBe(200);
  expect((await holders.call(key, HOME, path)).status).toBe(200);
  expect(await holders.reached(path)).toBe(3);
  expect(await holders.mails(email, 1)).toHaveLength(1);

  const again = await holders.question(browser, email);
  expect(await again.textContent("h1")).toBe("Already confirmed");
});

test("a thief's calls never reach the vendor; “this wasn't me” ends the key on the spot (G6)", async () => {
  const { email, key } = await holders.person();
  const [own, stolen] = [`/${crypto.randomUUID()}`, `/${crypto.randomUUID()}`];
  expect((await holders.call(key, HOME, own)).status).toBe(200);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    expect((await holders.call(key, THIEF, stolen)).status).toBe(423);
  }
  // The same network, mailed about once.
  expect(await holders.mails(email, 1)).toHaveLength(1);

  const page = await holders.question(browser, email);
  expect(await page.textContent("dl")).toContain(THIEF);
  await page.click("text=No, this wasn’t me");
  await page.click("text=Continue");
  expect(await page.textContent("h1")).toBe("Freeze this key?");
  // The first of the two steps has frozen nothing.
  expect((await holders.call(key, HOME, own)).status).toBe(200);
  await page.waitForTimeout(READING_MS);
  await page.click("text=Freeze the key");
  expect(await page.textContent("h1")).toBe("The key is frozen");

  // When the page says so, it is so: for the thief, and for the key's own place.
  for (const from of [THIEF, HOME]) {
    const { status, code } = await holders.call(key, from, from === HOME ? own : stolen);
    expect([from, status, code]).toEqual([from, 403, "key_frozen"]);
  }
  expect(await holders.reached(stolen)).toBe(0);
  expect(await holders.reached(own)).toBe(2);
});

test("a holder sees where the key works, and takes a network back: asked for by mail, and right after confirming (G1)", async () => {
  const { email, key } = await holders.person();
  const path = `/${crypto.randomUUID()}`;
  await holders.call(key, HOME, path);
  await holders.call(key, CAFE, path);
  const page = await holders.question(browser, email);
  await page.click("text=Yes, this was me");
  await page.click("text=Continue");
  await page.click("text=See where your keys work");
  expect(await page.textContent("h1")).toBe("Where your keys work");
  for (const network of [HOME, CAFE, "Ann’s laptop", "You confirmed it"]) {
    expect(await page.textContent("main")).toContain(network);
  }
  expect((await holders.call(key, CAFE, path)).status).toBe(200);
  await page.click(`[aria-label="Stop trusting ${CAFE}"]`);
  await page.waitForTimeout(READING_MS);
  await page.click("text=No, stop trusting it");
  await page.click("text=Continue");
  expect(await page.textContent("h1")).toBe("No longer trusted");
  expect((await holders.call(key, CAFE, path)).status).toBe(423);
  expect((await holders.call(key, HOME, path)).status).toBe(200);
  expect(await holders.reached(path)).toBe(3);

  await page.goto(`${confirm}/networks`);
  await page.waitForTimeout(READING_MS);
  await page.fill("#email", email);
  await page.click("text=Send me the link");
  expect(await page.textContent("h1")).toBe("Look into your mailbox");
  const [mail] = await holders.mails(email, 1, ({ subject }) => subject === "Where your keys work");
  await page.goto(linkIn(mail, /^http\S+\/n\/\S+$/));
  const text = await page.textContent("main");
  expect(text).toContain(HOME);
  expect(text).toContain("Waiting for your answer");
  expect(await page.locator(`[aria-label="Stop trusting ${CAFE}"]`).count()).toBe(0);

  // Admins are told.
  const noticed = async (): Promise<unknown[]> => {
    const { data } = await admin.call<{ data: { data: { holder?: string; network?: string } }[] }>(
      "GET",
      "/notices?type=holder.network_removed",
    );
    return data.flatMap(({ data: { holder, network } }) => (holder === email ? [network] : []));
  };
  await vi.waitFor(
    async () => {
      expect(await noticed()).toEqual([CAFE]);
    },
    { timeout: 30_000, interval: 200 },
  );
});

test("the number is in the answer, and in no mail", async () => {
  const { email, key } = await holders.person();
  const path = `/${crypto.randomUUID()}`;
  await holders.call(key, HOME, path);
  const number = /number is (\d+)/.exec((await holders.call(key, CAFE, path)).detail)?.[1];
  expect(number).toMatch(/^\d+$/);
  const [mail] = await holders.mails(email, 1);
  expect(mail?.text.replace(/\/c\/\S+/, "")).not.toMatch(new RegExp(`\\b${number ?? ""}\\b`));
});

test("the openai SDK shows its caller what to do", async () => {
  const { key } = await holders.person("openai");
  const client = (from: string): OpenAI =>
    new OpenAI({ baseURL: `${proxy}/openai/v1`, apiKey: key.token, fetch: fetchFrom(from) });
  await client(HOME).models.list();
  const error: unknown = await client(CAFE)
    .models.list()
    .then(
      () => null,
      (caught: unknown) => caught,
    );
  expect(error).toBeInstanceOf(APIError);
  expect((error as APIError).status).toBe(423);
  expect((error as APIError).message).toContain("A mail is on its way to a•••@example.org");
});
