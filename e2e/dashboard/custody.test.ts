import {
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
} from "@aws-sdk/client-kms";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { noteSecret } from "../witness.ts";
import { adminOf } from "./example.ts";
import { judgeAsItStands, watchProblems } from "./look.ts";
import { browserOf, signedIn } from "./people.ts";

const { controlPlane, upstream } = inject("local");
const { url, ...credentials } = inject("kms");
const kms = new KMSClient({ region: "eu-central-1", endpoint: url, credentials, maxAttempts: 1 });
const HERE = `${controlPlane}/settings/custody`;
const VENDORS = ["openai", "stripe", "anthropic"];

interface CustomerKey {
  readonly arn: string;
  readonly publicKey: string;
}

let browser: Browser;
let page: Page;
let problems: string[];

beforeAll(async () => {
  browser = await launchBrowser();
  const person = await signedIn();
  const admin = await adminOf(person.organizationId);
  for (const slug of VENDORS) {
    const secret = `sk-canary-${crypto.randomUUID()}`;
    noteSecret(secret);
    await admin.call("POST", "/integrations", { slug, upstream: `${upstream}/${slug}`, secret });
  }
  page = await (await browserOf(browser, person)).newPage();
  problems = watchProblems(page);
});

afterAll(() => browser.close());

async function newKey(): Promise<CustomerKey> {
  const made = await kms.send(new CreateKeyCommand({ KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" }));
  const arn = made.KeyMetadata?.Arn ?? "";
  const { PublicKey: spki } = await kms.send(new GetPublicKeyCommand({ KeyId: arn }));
  return { arn, publicKey: Buffer.from(spki ?? []).toString("base64") };
}

async function send({ arn, publicKey }: CustomerKey): Promise<void> {
  await page.fill("[name=arn]", arn);
  await page.fill("[name=public_key]", publicKey);
  await page.click("main button:has-text('Prove and')");
}

/** The state of each sealed vendor key, as the table has it. */
async function states(): Promise<string[]> {
  const cells = page.locator("section[aria-label='Sealed vendor keys'] tbody tr td:nth-child(6)");
  // Where a table is narrow, each cell begins with its heading.
  return (await cells.allTextContents()).map((text) => text.replace(/^State/, ""));
}

test("a key of the customer's: refused while it does not work, used, replaced through an interruption, removed", async () => {
  const [first, second] = [await newKey(), await newKey()];
  await page.goto(HERE);
  expect(await page.textContent("main")).toContain("local: derived from the proxy's master key");

  // What is wrong with what was typed stands beside its field, and what was typed stays.
  await send({ ...first, arn: "alias/relaykey" });
  await page.waitForSelector("#arn-error:has-text('an alias can be moved')");
  await send({ ...first, publicKey: "not a key" });
  await page.waitForSelector("#public_key-error");
  expect(await page.inputValue("[name=arn]")).toBe(first.arn);
  await judgeAsItStands(page, "custody-wrong-field");

  // What the KMS says is told as it is, and nothing comes to depend on the key.
  await send({ ...first, publicKey: second.publicKey });
  await page.waitForSelector("main [role=alert]:has-text('not of one pair')");
  await kms.send(new DisableKeyCommand({ KeyId: first.arn }));
  await send(first);
  await page.waitForSelector("main [role=alert]:has-text('The key is disabled')");
  await judgeAsItStands(page, "custody-refused");
  await page.goto(HERE);
  expect(await page.textContent("main")).toContain("local: derived from the proxy's master key");

  await kms.send(new EnableKeyCommand({ KeyId: first.arn }));
  await send(first);
  await page.waitForSelector("[data-flash]:has-text('3 of 3 vendor keys')");
  expect(await page.textContent("main")).toContain(first.arn);
  expect(await states()).toEqual(["current", "current", "current"]);
  await judgeAsItStands(page, "custody-customer-key");

  // The former key is needed until all is rewrapped: without it, rewrapping stops and says so.
  await kms.send(new DisableKeyCommand({ KeyId: first.arn }));
  await send(second);
  await page.waitForSelector("text=0 of 3 vendor keys rewrapped");
  const bar = page.locator("progress[aria-label='Vendor keys rewrapped']");
  expect(await bar.evaluate((element: HTMLProgressElement) => [element.value, element.max])).toEqual([0, 3]);
  for (const state of await states()) expect(state).toContain("The key is disabled");
  await judgeAsItStands(page, "custody-interrupted");

  // Going on changes nothing while it cannot, and gets there once it can.
  const goOn = page.locator("button:has-text('Go on now')");
  await Promise.all([page.waitForResponse((answer) => answer.request().method() === "POST"), goOn.click()]);
  await goOn.waitFor();
  for (const state of await states()) expect(state).toContain("failed");
  await kms.send(new EnableKeyCommand({ KeyId: first.arn }));
  await goOn.click();
  await page.waitForSelector("[data-flash]:has-text('3 of 3 vendor keys')");
  expect(await bar.count()).toBe(0);
  expect(await page.textContent("main")).toContain(second.arn);

  await page.click("text=Remove your key …");
  await page.waitForSelector("dialog:has-text('Stop using your own key?')");
  await judgeAsItStands(page, "custody-remove");
  await page.click("dialog button:has-text('Remove the key')");
  await page.waitForSelector("[data-flash]:has-text('3 of 3 vendor keys')");
  expect(await page.textContent("main")).toContain("local: derived from the proxy's master key");
  expect(problems.filter((problem) => !problem.includes("status of 4"))).toEqual([]);
}, 120_000);
