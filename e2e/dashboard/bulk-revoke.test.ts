import { randomBytes } from "node:crypto";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { relayKeys } from "@relaykey/db/schema/keys";
import { launchBrowser } from "../browser.ts";
import type { Admin } from "../harness.ts";
import { noteSecret } from "../witness.ts";
import { openaiOrganization } from "./example.ts";
import { overflow, screenshot, violations } from "./look.ts";
import { browserOf, database } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane, proxy } = inject("local");
let browser: Browser;
let person: Person;
let admin: Admin;

beforeAll(async () => {
  browser = await launchBrowser();
  ({ person, admin } = await openaiOrganization());
});

afterAll(() => browser.close());

/** Keys of a holder of their own. */
async function issue(count: number): Promise<{ holder: string; tokens: string[]; ids: string[] }> {
  const { holder } = await admin.call<{ holder: { id: string } }>("POST", "/holders", {
    name: `holder ${crypto.randomUUID().slice(0, 8)}`,
    kind: "service",
  });
  const tokens: string[] = [];
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const made = await admin.call<{ key: { id: string }; token: string }>("POST", "/keys", {
      holder: holder.id,
      integration: "openai",
      allow: ["GET /v1/**"],
    });
    noteSecret(made.token);
    tokens.push(made.token);
    ids.push(made.key.id);
  }
  return { holder: holder.id, tokens, ids };
}

/** Many more keys like one that is there, as far as revoking goes. The API would take half a minute for them. */
async function copies(keyId: string, count: number): Promise<void> {
  const row = await database.query.relayKeys.findFirst({ where: ({ id }, { eq }) => eq(id, keyId) });
  if (row === undefined) throw new Error("There is no such key.");
  await database.insert(relayKeys).values(
    Array.from({ length: count }, () => ({
      ...row,
      id: newId(),
      tokenHash: randomBytes(32).toString("hex"),
    })),
  );
}

async function status(token: string | undefined): Promise<number> {
  const answer = await fetch(`${proxy}/openai/v1/models`, {
    headers: { Authorization: `Bearer ${token ?? ""}` },
  });
  await answer.arrayBuffer();
  return answer.status;
}

describe("all keys that a filter means", () => {
  test("several hundred are counted, confirmed by typing, and revoked; the page goes on by itself to the last receipt", async () => {
    const { holder, tokens, ids } = await issue(2);
    await copies(ids[0] ?? "", 228);
    const spared = await issue(1);
    const context = await browserOf(browser, person);
    const page = await context.newPage();
    await page.goto(`${controlPlane}/keys?holder=${holder}`, { waitUntil: "networkidle" });
    await page.click("a:has-text('Revoke all 230 matching')");
    await page.waitForSelector("h1:has-text('Revoke 230 keys?')");
    await page.fill("[name=count]", "23");
    await page.click("button:has-text('Revoke 230 keys')");
    await page.waitForSelector("#count-error");
    expect(await status(tokens[0])).toBe(200);
    await page.fill("[name=count]", "230");
    await page.click("button:has-text('Revoke 230 keys')");
    await page.waitForURL(/\/keys\/revoked\//, { timeout: 60_000 });
    // Two hundred are confirmed by the request itself; the page brings the rest there.
    await page.waitForSelector("text=In force everywhere", { timeout: 60_000 });
    expect(await page.textContent("h1")).toBe("230 keys revoked");
    expect(await page.locator("text=pending, not in force yet").count()).toBe(0);
    expect(await Promise.all(tokens.map(status))).toEqual([401, 401]);
    expect(await status(spared.tokens[0])).toBe(200);
    // The receipt has an address that says the same later.
    await page.reload();
    expect(await page.textContent("main")).toContain("In force everywhere");
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "keys-revoked-light");
    await context.close();
  }, 120_000);

  test("without scripts; a key that came meanwhile is not hit, and one that went makes the page ask again", async () => {
    const { holder, tokens } = await issue(2);
    const context = await browserOf(browser, person, { javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${controlPlane}/keys/revoke?all=yes&holder=${holder}`);
    const { key, token } = await admin.call<{ key: { id: string }; token: string }>("POST", "/keys", {
      holder,
      integration: "openai",
      allow: ["GET /v1/**"],
    });
    noteSecret(token);
    await page.click("button:has-text('Revoke 2 keys')");
    await page.waitForSelector("h1:has-text('2 keys revoked')");
    expect(await Promise.all(tokens.map(status))).toEqual([401, 401]);
    expect(await status(token)).toBe(200);

    await page.goto(`${controlPlane}/keys/revoke?all=yes&holder=${holder}`);
    await admin.call("POST", `/keys/${key.id}/freeze`);
    await admin.call("POST", `/keys/${key.id}/unfreeze`);
    await admin.revoke({ id: key.id, token });
    await page.click("button:has-text('Revoke 1 key')");
    expect(await page.textContent("main")).toContain("Nothing was revoked: look at it again");
    await context.close();
  }, 60_000);

  test("on a phone the check box stands in the corner of its card", async () => {
    const { holder } = await issue(2);
    const context = await browserOf(browser, person, { viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    await page.goto(`${controlPlane}/keys?holder=${holder}`, { waitUntil: "networkidle" });
    const card = await page.locator("tbody tr").first().boundingBox();
    const name = await page.locator("tbody tr >> nth=0 >> a >> nth=0").boundingBox();
    const box = await page.locator("tbody tr >> nth=0 >> input").boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual((card?.x ?? 0) + (card?.width ?? 0));
    expect(box?.y).toBeLessThan((name?.y ?? 0) + (name?.height ?? 0));
    expect(box?.x).toBeGreaterThan((name?.x ?? 0) + (name?.width ?? 0));
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "keys-tick-phone");
    await context.close();
  });
});
