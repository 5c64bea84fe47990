import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { readChainKeys } from "@relaykey/core/audit-chain/keys";
import { decodeProofLine } from "@relaykey/core/audit-chain/proof-file";
import { ProofReader } from "@relaykey/core/audit-chain/proof-reader";
import { readChainCheck } from "@relaykey/db/queries/audit-chain-checks";
import type { ChainCheckRow } from "@relaykey/db/queries/audit-chain-checks";
import { launchBrowser } from "../browser.ts";
import { fillExample } from "./example.ts";
import type { Example } from "./example.ts";
import { overflow, screenshot, violations } from "./look.ts";
import { browserOf, database, signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane } = inject("local");
/** The clock of the stack checks the chains each minute. */
const CHECKED_WITHIN_MS = 180_000;

let browser: Browser;
let honest: Person;
let wronged: Person;
let example: Example;
let altered: Example;

beforeAll(async () => {
  browser = await launchBrowser();
  [honest, wronged] = [await signedIn(), await signedIn()];
  [example, altered] = [await fillExample(honest.organizationId), await fillExample(wronged.organizationId)];
  await database.execute(
    `UPDATE audit_events SET ip = '198.51.100.1' WHERE request_id = '${altered.requestId}'`,
  );
  await checked(honest, (check) => check.events > 0);
  await checked(wronged, (check) => check.brokenCheck !== null);
}, CHECKED_WITHIN_MS * 2);

afterAll(() => browser.close());

async function checked(
  { organizationId }: Person,
  isAsExpected: (check: ChainCheckRow) => boolean,
): Promise<void> {
  const deadline = Date.now() + CHECKED_WITHIN_MS;
  for (;;) {
    const check = await readChainCheck(database, organizationId);
    if (check !== null && isAsExpected(check)) return;
    if (Date.now() > deadline) throw new Error("The chains were not checked.");
    await new Promise((resume) => setTimeout(resume, 500));
  }
}

async function open(person: Person, path: string): Promise<Page> {
  const page = await (await browserOf(browser, person, {})).newPage();
  await page.goto(`${controlPlane}${path}`, { waitUntil: "networkidle" });
  return page;
}

/** Follows a link that leads to a file, and reads it as `rk audit verify` does. */
async function verified(page: Page, link: string): Promise<readonly string[]> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: link }).first().click(),
  ]);
  const lines = readFileSync(await download.path(), "utf8")
    .trimEnd()
    .split("\n");
  const header = decodeProofLine(lines[0] ?? "");
  const keys = header?.type === "header" ? await readChainKeys(header.keys.join(",")) : null;
  const reader = new ProofReader(keys ?? [], null);
  for (const line of lines) await reader.take(line);
  return (await reader.finish(Date.now())).problems;
}

test("a log in order says so in a line; a request shows its place; the proof verifies offline", async () => {
  const page = await open(honest, "/audit");
  await expect.poll(() => page.getByText("Chain verified").count()).toBe(1);
  expect(await page.getByText(/through batch \d/).innerText()).toMatch(/· [\d,]+ events/);
  expect(await verified(page, "Export proof")).toEqual([]);
  await page.goto(`${controlPlane}/audit/${example.requestId}`, { waitUntil: "networkidle" });
  expect(await page.getByText("As it was recorded").count()).toBe(1);
  await screenshot(page, "audit-event-proved");
  await page.context().close();
});

test("an altered row is told in red, on its page, in the notices and by its proof", async () => {
  const page = await open(wronged, "/audit");
  const alert = page.getByRole("alert");
  expect(await alert.innerText()).toContain(`it was altered. Request ${altered.requestId}`);
  await screenshot(page, "audit-broken");
  expect(await violations(page)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  expect((await verified(page, "Export proof")).join()).toContain(altered.requestId);
  await page.getByRole("link", { name: "Look at the request" }).click();
  await page.waitForURL(/\/audit\/[0-9a-f-]{36}$/);
  await expect.poll(() => page.getByText("Not as it was recorded").count()).toBe(1);
  await screenshot(page, "audit-event-altered");
  expect(await violations(page)).toEqual([]);
  await page.goto(`${controlPlane}/notices`, { waitUntil: "networkidle" });
  await expect.poll(() => page.getByText("The audit log does not fit its chain").count()).toBeGreaterThan(0);
  await page.context().close();
});
