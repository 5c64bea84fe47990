import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { launchBrowser } from "./browser.ts";
import { browserOf, signedIn } from "./dashboard/people.ts";
import { Admin } from "./harness.ts";
import { HOME, Holders, THIEF, freezeKey, linkIn } from "./holders.ts";
import { noteSecret } from "./witness.ts";

const admin = new Admin(inject("local"));
const holders = new Holders(admin);
const PATIENCE = { timeout: 40_000, interval: 200 };

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser(["--disable-blink-features=AutomationControlled"]);
});
afterAll(() => browser.close());

/** An event of a webhook, as its receiver reads it. */
interface Event {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A webhook endpoint of the organization: what was delivered there, each verified by the package that receivers use. */
async function startEndpoint(): Promise<{ events: Event[]; forged: string[]; stop: () => Promise<void> }> {
  const events: Event[] = [];
  const forged: string[] = [];
  let verifier: Webhook | null = null;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const headers = Object.fromEntries(
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => [
          name,
          String(request.headers[name]),
        ]),
      );
      try {
        events.push(verifier?.verify(body, headers) as Event);
      } catch {
        forged.push(body);
      }
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const { webhook, secret } = await admin.call<{ webhook: { id: string }; secret: string }>(
    "POST",
    "/webhooks",
    { url: `http://127.0.0.1:${String(port)}/relaykey`, types: ["key.frozen", "key.unfrozen"] },
  );
  noteSecret(secret);
  verifier = new Webhook(secret);
  return {
    events,
    forged,
    stop: async () => {
      await admin.call("DELETE", `/webhooks/${webhook.id}`);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The person works, a thief calls, the person says that it wasn't them. */
async function stolenKey() {
  const holder = await holders.person();
  const [own, stolen] = [`/${crypto.randomUUID()}`, `/${crypto.randomUUID()}`];
  expect((await holders.call(holder.key, HOME, own)).status).toBe(200);
  expect((await holders.call(holder.key, THIEF, stolen)).status).toBe(423);
  const page = await holders.question(browser, holder.email);
  await freezeKey(page);
  expect(await page.textContent("h1")).toBe("The key is frozen");
  await page.context().close();
  // On the spot: the page says what is so already.
  for (const [from, path] of [
    [HOME, own],
    [THIEF, stolen],
  ] as const) {
    expect(await holders.call(holder.key, from, path)).toMatchObject({ status: 403, code: "key_frozen" });
  }
  expect([await holders.reached(own), await holders.reached(stolen)]).toEqual([1, 0]);
  return { ...holder, own };
}

test("“this wasn't me”: the key is dead, admins and their programs hear of it, and one click makes another", async () => {
  const { organization } = await admin.call<{ organization: { id: string } }>("GET", "/organization");
  const person = await signedIn("admin", organization.id);
  const endpoint = await startEndpoint();
  const { email, key, own } = await stolenKey();

  await vi.waitFor(() => {
    expect(endpoint.events.filter(({ data }) => data["key_id"] === key.id)).toMatchObject([
      { type: "key.frozen", data: { by: "holder", holder: email, address: THIEF } },
    ]);
  }, PATIENCE);
  expect(endpoint.forged).toEqual([]);
  expect(JSON.stringify(endpoint.events)).not.toContain(key.token);

  const [alert] = await holders.mails(person.email, 1, ({ text }) => text.includes(key.id));
  expect(alert?.subject).toContain("froze the key Ann’s laptop");
  expect(alert?.text).toContain(THIEF);
  const link = linkIn(alert, /^http\S+\/keys\/\S+$/);
  const context = await browserOf(browser, person);
  const page = await context.newPage();
  await page.goto(link);
  await page.click("dialog button:has-text('Make the new key')");
  await page.waitForSelector("h1:has-text('Your new key')");
  const token = (await page.textContent("pre"))?.trim() ?? "";
  noteSecret(token);
  await context.close();

  // It works from where its holder was known, and is no use to the thief.
  expect((await holders.call({ token }, HOME, own)).status).toBe(200);
  expect((await holders.call({ token }, THIEF, own)).status).toBe(423);
  expect([401, 403]).toContain((await holders.call(key, HOME, own)).status);
  await endpoint.stop();
});

test("an admin who has looked lifts the holder's freeze", async () => {
  const { organization } = await admin.call<{ organization: { id: string } }>("GET", "/organization");
  const person = await signedIn("admin", organization.id);
  const { key, own } = await stolenKey();
  const shownState = async (): Promise<unknown> =>
    (await admin.call<{ key: { state: string } }>("GET", `/keys/${key.id}`)).key.state;
  await vi.waitFor(async () => {
    expect(await shownState()).toBe("frozen");
  }, PATIENCE);
  const context = await browserOf(browser, person);
  const page = await context.newPage();
  await page.goto(`${admin.local.controlPlane}/keys/${key.id}?confirm=unfreeze`);
  await page.click("dialog button:has-text('Let it work again')");
  await page.waitForSelector("[data-flash]");
  await context.close();
  expect(await shownState()).toBe("active");
  expect((await holders.call(key, HOME, own)).status).toBe(200);
  // Trust came back to nobody.
  expect((await holders.call(key, THIEF, own)).status).toBe(423);
});
