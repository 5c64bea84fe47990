import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { openDatabase } from "@relaykey/db/client";
import { startStack } from "@relaykey/local/stack";
import type { Stack } from "@relaykey/local/stack";
import { launchBrowser } from "../browser.ts";
import { Admin } from "../harness.ts";
import type { IssuedKey } from "../harness.ts";
import { PAGES } from "./pages.ts";

const state = mkdtempSync(join(tmpdir(), "relaykey-faults-"));
const configFile = join(state, "config.capnp");
let stack: Stack;
let admin: Admin;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let whole: string;

beforeAll(async () => {
  stack = await startStack({ state, port: "free" });
  whole = readFileSync(configFile, "utf8");
  admin = new Admin(stack.local);
  browser = await launchBrowser();
  context = await browser.newContext();
  page = await context.newPage();
  await page.goto(stack.signInLink);
  await page.click("text=Sign in >> nth=-1");
  await page.waitForURL(`${stack.local.controlPlane}/`);
}, 300_000);

afterAll(async () => {
  await browser.close();
  await stack.stop();
  rmSync(state, { recursive: true, force: true });
});

/** Starts the Workers again with another configuration. */
async function restart(config: string): Promise<void> {
  await stack.kill();
  writeFileSync(configFile, config, { mode: 0o600 });
  await stack.restartWorkerd();
}

/** The same with one thing replaced, which has to be there. */
function changed(pattern: RegExp, replacement: string): string {
  const text = whole.replaceAll(pattern, replacement);
  expect(text).not.toBe(whole);
  return text;
}

async function open(path: string): Promise<string> {
  await page.goto(`${stack.local.controlPlane}${path}`);
  return (await page.textContent("main")) ?? "";
}

async function status(key: IssuedKey): Promise<number> {
  const answer = await fetch(`${admin.local.proxy}/echo/x`, {
    headers: { Authorization: `Bearer ${key.token}` },
  });
  await answer.arrayBuffer();
  return answer.status;
}

describe("with the data plane cut off", () => {
  test("what is changed is shown as pending and not enforced, everywhere, until the proxy confirms it", async () => {
    const [revoked, frozen, narrowed, listed] = [
      await admin.createKey("echo", ["GET /**"]),
      await admin.createKey("echo", ["GET /**"]),
      await admin.createKey("echo", ["GET /**"]),
      await admin.createKey("echo", ["GET /**"]),
    ];
    // The control plane's entrypoint of the proxy leads to a Worker that knows none of its calls.
    await restart(
      changed(/name = "relaykey-proxy", entrypoint = "KeyControl"/g, 'name = "relaykey-confirm"'),
    );

    await open(`/keys/${revoked.id}?confirm=revoke`);
    await page.click("dialog button:has-text('Revoke the key')");
    await page.waitForSelector("[data-flash]:has-text('not confirmed by the proxy yet')");
    await open(`/keys/${frozen.id}?confirm=freeze`);
    await page.click("dialog button:has-text('Freeze the key')");
    await page.waitForSelector("[data-flash]:has-text('not confirmed by the proxy yet')");
    await open(`/keys/${narrowed.id}/edit`);
    await page.fill("[name=allow]", "GET /nothing");
    await page.click("button:has-text('Save')");
    await page.waitForURL(`${stack.local.controlPlane}/keys/${narrowed.id}`);
    await open(`/keys/revoke?key=${listed.id}`);
    await page.click("button:has-text('Revoke 1 key')");
    await page.waitForURL(/\/keys\/revoked\//);
    const run = new URL(page.url()).pathname;
    expect(await page.textContent("main")).toContain("0 of 1 confirmed");
    await open("/integrations/openai?confirm=disable");
    await page.click("dialog button:has-text('Disable')");
    await page.waitForSelector("[data-flash]:has-text('wait for the proxy')");

    for (const key of [revoked, frozen, narrowed, listed]) {
      const text = await open(`/keys/${key.id}`);
      expect(text).toContain("Pending, not enforced yet");
      expect(text).toContain("pending, not enforced yet: no receipt");
      // What the page says is true: the proxy still lets it through.
      expect(await status(key)).toBe(200);
    }
    expect(await open("/keys?state=pending")).toContain("pending, not enforced");
    expect(await page.locator("tbody tr").count()).toBe(5);
    expect(await open("/integrations/openai")).toContain("Pending, not enforced yet");
    expect(await open("/")).toContain("5 keys have changes that are not enforced");
    expect(await open(run)).toContain("pending, not in force yet");
    expect(await open("/settings/danger?confirm=freeze")).not.toContain("Every key is refused");
    const { name } = (await admin.call<{ organization: { name: string } }>("GET", "/organization"))
      .organization;
    await page.fill("#name", name);
    await page.click("dialog >> button");
    await page.waitForSelector("text=keys to go");
    await page.goto("about:blank");

    // The page of a key is open while the proxy comes back: nobody touches it.
    await open(`/keys/${revoked.id}`);
    await restart(whole);
    await page.waitForSelector("text=Pending, not enforced yet", { state: "detached", timeout: 180_000 });
    expect(await page.textContent("main")).not.toContain("pending");
    expect(await page.textContent("section[aria-label='At a glance']")).toContain("in force since");
    expect(await page.locator("section[aria-label=Receipts] tbody tr").count()).toBeGreaterThan(1);
    for (const key of [revoked, frozen, narrowed, listed]) expect(await status(key)).not.toBe(200);
    expect(await open(run)).toContain("In force everywhere");
    expect(await open("/keys?state=pending")).toContain("No key matches");
  }, 300_000);
});

describe("with a fault of the control plane's own", () => {
  test("a page that fails keeps its frame, names the request as the log does, and leaks nothing", async () => {
    const database = openDatabase(stack.database.url, stack.database.endpoint);
    await database.execute("ALTER TABLE holders RENAME COLUMN kind TO kind_renamed");
    try {
      const answer = await page.goto(`${stack.local.controlPlane}/holders`);
      expect(answer?.status()).toBe(500);
      expect(answer?.headers()["cache-control"]).toBe("no-store");
      expect(await page.textContent("h1")).toBe("Something went wrong");
      expect(await page.locator("nav a[href='/keys']").count()).toBeGreaterThan(0);
      const requestId = answer?.headers()["relaykey-request-id"] ?? "";
      expect(await page.textContent("main code")).toBe(requestId);
      const log = readFileSync(join(state, "workerd.log"), "utf8");
      const line = log.split("\n").find((text) => text.includes("page_failed") && text.includes(requestId));
      expect(line).toContain('"path":"/holders"');
      // Neither whoever reads the page nor whoever reads the log is told what the database was asked.
      for (const leak of ["kind_renamed", "SELECT", "select ", "node_modules", "at async"]) {
        expect(await page.content(), leak).not.toContain(leak);
      }
      expect(line).not.toContain("column");
    } finally {
      await database.execute("ALTER TABLE holders RENAME COLUMN kind_renamed TO kind");
    }
    await page.click("a:has-text('Try again')");
    await page.waitForSelector("h1:has-text('Holders')");
  }, 60_000);
});

describe("with the database away", () => {
  /** Ids of things that may or may not be there: nobody can tell. */
  const example = {
    admin: null as never,
    keys: Array.from({ length: 4 }, () => ({ id: newId(), name: "", token: "" })),
    integrationId: newId(),
    holderIds: Array.from({ length: 4 }, () => newId()),
    requestId: newId(),
    adminEventId: newId(),
    webhookId: newId(),
  };
  /** Pages that need no database. */
  const STATIC = new Set(["trust", "block-reasons"]);
  let cookie = "";
  let key: IssuedKey;

  beforeAll(async () => {
    // What the test before stopped, if it got so far.
    await admin.call("POST", "/organization/unfreeze");
    key = await admin.createKey("echo", ["GET /**"]);
    expect(await status(key)).toBe(200);
    cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const { host } = new URL(stack.database.endpoint);
    await restart(changed(new RegExp(host.replaceAll(".", "\\."), "g"), "127.0.0.1:9"));
  }, 300_000);

  test.each(PAGES.filter(({ name }) => !STATIC.has(name)))(
    "the page $name says so with 503, and leaks nothing",
    async ({ path }) => {
      const [pathname = "", query] = path(example).split("?");
      const search = query === undefined ? "" : `?${query}`;
      for (const url of [`${pathname}${search}`, `${pathname === "/" ? "/_root" : pathname}.data${search}`]) {
        const answer = await fetch(`${stack.local.controlPlane}${url}`, {
          headers: { Cookie: cookie },
          redirect: "manual",
        });
        expect(answer.status, url).toBe(503);
        expect(answer.headers.get("cache-control")).toBe("no-store");
        const text = await answer.text();
        expect(text).toContain("The database cannot be reached");
        for (const leak of ["127.0.0.1:9", "postgres", "SELECT", "Neon", "node_modules", "at async"]) {
          expect(text, leak).not.toContain(leak);
        }
      }
    },
  );

  test("keys work on; a form that was sent is not lost silently; trying again leads on", async () => {
    expect(await status(key)).toBe(200);
    await page.goto(`${stack.local.controlPlane}/keys`);
    expect(await page.textContent("h1")).toBe("The database cannot be reached");
    const posted = await context.request.post(`${stack.local.controlPlane}/settings/danger`, {
      form: { intent: "freeze" },
      headers: { Origin: stack.local.controlPlane },
    });
    expect(posted.status()).toBe(503);
    expect(await posted.text()).toContain("look whether it was stored");
    await restart(whole);
    await page.click("a:has-text('Try again')");
    await page.waitForSelector("h1:has-text('Keys')");
  }, 60_000);
});
