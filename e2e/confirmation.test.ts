import OpenAI, { APIError } from "openai";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { fetchFrom } from "./call-from.ts";
import { Admin } from "./harness.ts";
import type { IssuedKey } from "./harness.ts";

const admin = new Admin(inject("local"));
const { proxy, outbox, upstream } = admin.local;

/** Where a person works, where she then is, and where a thief is. */
const HOME = "127.0.0.1";
const CAFE = "127.0.0.2";
const THIEF = "127.0.0.3";
/** As long as a person needs to read. */
const READING_MS = 1_600;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser(["--disable-blink-features=AutomationControlled"]);
});
afterAll(() => browser.close());

interface Person {
  readonly email: string;
  readonly key: IssuedKey;
}

async function person(integration = "echo"): Promise<Person> {
  const email = `ann-${crypto.randomUUID()}@example.org`;
  const { holder } = await admin.call<{ holder: { id: string } }>("POST", "/holders", {
    name: email,
    kind: "person",
    email,
  });
  const key = await admin.createKey(integration, ["* /**"], {
    holder: holder.id,
    name: "Ann’s laptop",
    ip: { mode: "confirm" },
  });
  return { email, key };
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

async function call(key: IssuedKey, from: string, path: string): Promise<Refusal> {
  const response = await fetchFrom(from)(`${proxy}/echo${path}`, {
    headers: { Authorization: `Bearer ${key.token}` },
  });
  const { code = "", detail = "" } = (await response.json()) as Partial<Refusal>;
  return { status: response.status, code, detail };
}

/** How often the vendor has seen a path. */
async function reached(path: string): Promise<number> {
  const counts = (await (await fetch(`${upstream}/__counts`)).json()) as Record<string, number>;
  return counts[`GET /echo${path}`] ?? 0;
}

interface Mail {
  readonly subject: string;
  readonly text: string;
}

async function mailsTo(email: string, count: number): Promise<Mail[]> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const response = await fetch(`${outbox}/messages?to=${encodeURIComponent(email)}`);
    const { data } = (await response.json()) as { data: Mail[] };
    if (data.length >= count) return data;
    if (Date.now() > deadline) throw new Error(`${String(data.length)} of ${String(count)} mails came.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Opens the link in the newest mail, as the person does. */
async function openLink(email: string, count = 1): Promise<Page> {
  const [mail] = await mailsTo(email, count);
  const url = /^http\S+\/c\/\S+$/m.exec(mail?.text ?? "")?.[0];
  if (url === undefined) throw new Error("The mail has no link.");
  const page = await (await browser.newContext()).newPage();
  await page.goto(url);
  await page.waitForTimeout(READING_MS);
  return page;
}

test("the first call works; from a café it waits for one answer on one page; then it works (G6)", async () => {
  const { email, key } = await person();
  const path = `/${crypto.randomUUID()}`;
  expect((await call(key, HOME, path)).status).toBe(200);

  const refused = await call(key, CAFE, path);
  expect(refused).toMatchObject({ status: 423, code: "ip_unconfirmed" });
  expect(refused.detail).toContain("A mail is on its way to a•••@example.org");
  expect(await reached(path)).toBe(1);

  const page = await openLink(email);
  expect(await page.textContent("h1")).toBe("Was this you?");
  const facts = await page.textContent("dl");
  expect(facts).toContain(CAFE);
  expect(facts).toContain(`GET echo:${path}`);
  expect(facts).toContain("Ann’s laptop");
  expect(await page.content()).not.toContain(key.token);
  // Looking has changed nothing.
  expect((await call(key, CAFE, path)).status).toBe(423);

  await page.click("text=Yes, this was me");
  await page.click("text=Continue");
  expect(await page.textContent("h1")).toBe("Confirmed");
  expect((await call(key, CAFE, path)).status).toBe(200);
  expect((await call(key, HOME, path)).status).toBe(200);
  expect(await reached(path)).toBe(3);
  expect(await mailsTo(email, 1)).toHaveLength(1);

  const again = await openLink(email);
  expect(await again.textContent("h1")).toBe("Already confirmed");
});

test("a thief's calls never reach the vendor; “this wasn't me” ends the key on the spot (G6)", async () => {
  const { email, key } = await person();
  const [own, stolen] = [`/${crypto.randomUUID()}`, `/${crypto.randomUUID()}`];
  expect((await call(key, HOME, own)).status).toBe(200);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    expect((await call(key, THIEF, stolen)).status).toBe(423);
  }
  // The same network, mailed about once.
  expect(await mailsTo(email, 1)).toHaveLength(1);

  const page = await openLink(email);
  expect(await page.textContent("dl")).toContain(THIEF);
  await page.click("text=No, this wasn’t me");
  await page.click("text=Continue");
  expect(await page.textContent("h1")).toBe("Freeze this key?");
  // The first of the two steps has frozen nothing.
  expect((await call(key, HOME, own)).status).toBe(200);
  await page.waitForTimeout(READING_MS);
  await page.click("text=Freeze the key");
  expect(await page.textContent("h1")).toBe("The key is frozen");

  // When the page says so, it is so: for the thief, and for the key's own place.
  for (const from of [THIEF, HOME]) {
    const { status, code } = await call(key, from, from === HOME ? own : stolen);
    expect([from, status, code]).toEqual([from, 403, "key_frozen"]);
  }
  expect(await reached(stolen)).toBe(0);
  expect(await reached(own)).toBe(2);
});

test("the number is in the answer, and in no mail", async () => {
  const { email, key } = await person();
  const path = `/${crypto.randomUUID()}`;
  await call(key, HOME, path);
  const number = /number is (\d+)/.exec((await call(key, CAFE, path)).detail)?.[1];
  expect(number).toMatch(/^\d+$/);
  const [mail] = await mailsTo(email, 1);
  expect(mail?.text.replace(/\/c\/\S+/, "")).not.toMatch(new RegExp(`\\b${number ?? ""}\\b`));
});

test("the openai SDK shows its caller what to do", async () => {
  const { key } = await person("openai");
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
