import { constants, generateKeyPairSync, privateDecrypt } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { and, eq, ne } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CustodyError } from "@relaykey/core/custody/problems";
import type { CustodyProblem } from "@relaykey/core/custody/problems";
import { deriveLocalKeys } from "@relaykey/core/envelope";
import { integrationSecrets, integrations } from "@relaykey/db/schema/integrations";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { MAX_PER_RUN, rewrapDue, rewrapWaiting } from "../../service/rewrap.ts";
import { createWorld, openStoredKey } from "./world.ts";
import type { Answer, Client, World } from "./world.ts";

const HOUR_MS = 3_600_000;

interface CustomerPair {
  readonly arn: string;
  readonly pem: string;
  readonly privateKey: KeyObject;
}

/** KMS, with Node's own RSA behind it. */
const pairs = new Map<string, CustomerPair>();
let refusing: ((arn: string) => CustodyProblem | null) | null = null;

function newPair(): CustomerPair {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const arn = `arn:aws:kms:eu-central-1:111122223333:key/${crypto.randomUUID()}`;
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const pair = { arn, pem, privateKey };
  pairs.set(arn, pair);
  return pair;
}

function openForCustomer(arn: string, wrapped: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const problem = refusing?.(arn) ?? null;
  const pair = pairs.get(arn);
  if (problem !== null || pair === undefined) return Promise.reject(new CustodyError(problem ?? "missing"));
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const opened = privateDecrypt({ key: pair.privateKey, padding, oaepHash: "sha256" }, wrapped);
    return Promise.resolve(new Uint8Array(opened));
  } catch {
    return Promise.reject(new CustodyError("wrong_key"));
  }
}

let world: World;
let client: Client;
let organizationId: string;
const first = newPair();
const second = newPair();

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  refusing = null;
  world.keyControl.keyring = { local: [world.keys], openForCustomer };
  world.keyControl.failing = null;
  ({ client, id: organizationId } = await world.organization());
});

const set = (pair: CustomerPair | null, headers: Record<string, string> = {}): Promise<Answer> =>
  client(
    "PUT",
    "/custody",
    { customer_key: pair === null ? null : { arn: pair.arn, public_key: pair.pem } },
    headers,
  );

async function custody(): Promise<Record<string, unknown>> {
  return (await client("GET", "/custody")).body["custody"] as Record<string, unknown>;
}

async function integrate(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const slug = `vendor-${String(at)}`;
    await client("POST", "/integrations", {
      slug,
      name: slug,
      catalogue: "openai",
      secret: `sk-${slug}`,
    });
  }
}

/** What the data plane makes of every envelope that is kept now. */
async function opened(): Promise<string[]> {
  const rows = await world.db
    .select()
    .from(integrationSecrets)
    .where(and(eq(integrationSecrets.organizationId, organizationId), ne(integrationSecrets.envelope, "")));
  const texts = rows.map((row) => openStoredKey(world, row));
  return (await Promise.all(texts)).sort();
}

async function actions(): Promise<string[]> {
  const events = await world.db
    .select()
    .from(adminAuditEvents)
    .where(eq(adminAuditEvents.organizationId, organizationId));
  return events.map(({ action }) => action).filter((action) => /custody|rewrapped/.test(action));
}

describe("a customer-managed key", () => {
  test("is proven, set, and all vendor keys go under it and back", async () => {
    await integrate(2);
    expect(await custody()).toMatchObject({ provider: "local", customer_key: null });
    const answer = await set(first);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        custody: {
          provider: "aws-kms",
          customer_key: { arn: first.arn },
          rewrap: { total: 2, current: 2, pending: 0, failed: 0 },
          integrations: [
            { integration: "vendor-0", provider: "aws-kms", state: "current", problem: null },
            { integration: "vendor-1", provider: "aws-kms", state: "current", problem: null },
          ],
        },
      },
    });
    expect(await opened()).toEqual(["sk-vendor-0", "sk-vendor-1"]);
    // New ones are sealed for it as well.
    await client("POST", "/integrations", {
      slug: "late",
      catalogue: "openai",
      secret: "sk-late",
    });
    await client("POST", "/integrations/vendor-0/rotate", { secret: "sk-fresh", restorable_for: "0s" });
    expect(await custody()).toMatchObject({ rewrap: { total: 3, current: 3 } });
    // Nothing opens while KMS refuses: it is the customer's key that they are under.
    refusing = () => "disabled";
    await expect(opened()).rejects.toMatchObject({ problem: "disabled" });
    refusing = null;

    expect((await set(null)).body["custody"]).toMatchObject({
      provider: "local",
      rewrap: { total: 3, current: 3 },
    });
    refusing = () => "disabled";
    expect(await opened()).toEqual(["sk-fresh", "sk-late", "sk-vendor-1"]);
    expect((await actions()).filter((action) => action === "custody.changed")).toHaveLength(2);
  });

  test("brings the rewrapped envelope to the keys that use it", async () => {
    await integrate(1);
    await client("POST", "/holders", { name: "ci", kind: "service" });
    const key = await client("POST", "/keys", { holder: "ci", integration: "vendor-0", allow: ["GET /v1"] });
    const keyId = (key.body["key"] as { id: string }).id;
    await set(first);
    expect(world.keyControl.latest(keyId)?.integration.secret.envelope).toContain(first.arn);
  });

  test.each<[string, () => void, string]>([
    ["KMS denies", () => (refusing = () => "denied"), "kms:Decrypt"],
    ["the key is disabled", () => (refusing = () => "disabled"), "disabled"],
    [
      "the proxy has no credentials",
      () => (world.keyControl.keyring = { local: [world.keys], openForCustomer: null }),
      "RELAYKEY_AWS_ACCESS_KEY_ID",
    ],
  ])("is refused in words when %s, and nothing changes", async (_, prepare, words) => {
    await integrate(1);
    prepare();
    const answer = await set(first);
    expect(answer).toMatchObject({ status: 422, body: { code: "custody_unproven" } });
    expect(String(answer.body["detail"])).toContain(words);
    expect(await custody()).toMatchObject({ provider: "local", rewrap: { total: 1, current: 1 } });
    expect(await actions()).toEqual([]);
  });

  test("whose public key is of another is refused", async () => {
    const mixed = await set({ ...first, pem: second.pem });
    expect(mixed).toMatchObject({ status: 422, body: { code: "custody_unproven" } });
  });

  test.each([
    [{ arn: "arn:aws:kms:eu-central-1:111122223333:alias/mine", public_key: first.pem }, "customer_key.arn"],
    [{ arn: "http://169.254.169.254/", public_key: first.pem }, "customer_key.arn"],
    [{ arn: first.arn, public_key: "-----BEGIN PUBLIC KEY-----" }, "customer_key.public_key"],
    [{ arn: first.arn }, "customer_key.public_key"],
    [{ arn: first.arn, public_key: first.pem, region: "x" }, "customer_key"],
  ])("%j names the wrong field", async (key, field) => {
    const answer = await client("PUT", "/custody", { customer_key: key });
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ field: expect.stringContaining(field) as string }] },
    });
  });

  test("is changed conditionally on what was read", async () => {
    const read = await client("GET", "/custody");
    const etag = read.headers.get("ETag") ?? "";
    expect((await set(first, { "If-Match": etag })).status).toBe(200);
    expect((await set(second, { "If-Match": etag })).status).toBe(412);
    expect(await custody()).toMatchObject({ customer_key: { arn: first.arn } });
    const now = (await client("GET", "/custody")).headers.get("ETag") ?? "";
    expect((await set(null, { "If-Match": now })).status).toBe(200);
  });

  test("G8: is of one organization only", async () => {
    await set(first);
    const other = await world.organization();
    expect((await other.client("GET", "/custody")).body).toMatchObject({ custody: { provider: "local" } });
  });
});

describe("rewrapping", () => {
  test("keeps the one destination: one that another host was written over is not rewrapped for it", async () => {
    await integrate(1);
    const move = (upstreamOrigin: string) =>
      world.db
        .update(integrations)
        .set({ upstreamOrigin })
        .where(eq(integrations.organizationId, organizationId));
    await move("https://evil.example");
    expect((await set(first)).body["custody"]).toMatchObject({
      integrations: [{ provider: "local", state: "failed", problem: "unreadable" }],
    });
    await move("https://api.openai.com");
    await client("POST", "/custody/rewrap");
    expect(await opened()).toEqual(["sk-vendor-0"]);
    await move("https://evil.example");
    await expect(opened()).rejects.toThrow();
  });

  test("that is interrupted in the middle is gone on with, and nothing is done twice", async () => {
    await integrate(6);
    let asked = 0;
    // Each rewrap asks once for the new key; the challenge before asks once as well.
    refusing = () => (++asked > 4 ? "unreachable" : null);
    expect((await set(first)).body["custody"]).toMatchObject({
      rewrap: { total: 6, current: 3, pending: 0, failed: 3 },
    });
    refusing = null;
    // Not due yet: KMS is left alone for a while.
    expect(await rewrapDue(world.deps)).toEqual({ rewrapped: 0, failed: 0 });
    expect((await client("POST", "/custody/rewrap")).body["custody"]).toMatchObject({
      rewrap: { total: 6, current: 6, pending: 0, failed: 0 },
    });
    expect((await actions()).filter((action) => action === "integration.rewrapped")).toHaveLength(6);
    expect(await opened()).toHaveLength(6);
  });

  test("that fails says why, and is tried again by itself", async () => {
    await integrate(1);
    await set(first);
    refusing = (arn) => (arn === first.arn ? "denied" : null);
    expect((await set(second)).body["custody"]).toMatchObject({
      provider: "aws-kms",
      integrations: [{ state: "failed", problem: "denied" }],
    });
    refusing = null;
    world.advance(HOUR_MS);
    await rewrapDue(world.deps);
    expect(await custody()).toMatchObject({ integrations: [{ state: "current", problem: null }] });
    expect(await opened()).toEqual(["sk-vendor-0"]);
  });

  test("of many goes on where a run had to stop", async () => {
    const count = MAX_PER_RUN + 3;
    await integrate(count);
    expect((await set(first)).body["custody"]).toMatchObject({
      rewrap: { current: MAX_PER_RUN, pending: 3 },
    });
    await rewrapDue(world.deps);
    expect(await custody()).toMatchObject({ rewrap: { total: count, current: count } });
  });

  test("loses no vendor key that is rotated meanwhile", async () => {
    await integrate(1);
    const rewrap = world.keyControl.rewrap.bind(world.keyControl);
    for (const restorable of ["7d", "0s"]) {
      const secret = `sk-rotated-${restorable}`;
      world.keyControl.rewrap = async (order) => {
        const result = await rewrap(order);
        world.keyControl.rewrap = rewrap;
        // Stored after the envelope was read, and before the rewrapped one is.
        await client("POST", "/integrations/vendor-0/rotate", { secret, restorable_for: restorable });
        return result;
      };
      await set(restorable === "7d" ? first : second);
      await client("POST", "/custody/rewrap");
      expect(await opened()).toContain(secret);
      expect(await custody()).toMatchObject({
        integrations: [{ state: "current" }],
        rewrap: { pending: 0, failed: 0 },
      });
    }
    // What was destroyed stays destroyed.
    expect(await opened()).toEqual(["sk-rotated-0s"]);
  });

  test("follows a new master key, with the former one named and no plaintext touched", async () => {
    await integrate(2);
    const fresh = await deriveLocalKeys(btoa("f".repeat(32)));
    world.keyControl.keyring = { local: [fresh, world.keys], openForCustomer };
    const deps = { ...world.deps, sealingKey: fresh.publicKey };
    await rewrapWaiting(deps, organizationId);
    world.keyControl.keyring = { local: [fresh], openForCustomer };
    expect(await opened()).toEqual(["sk-vendor-0", "sk-vendor-1"]);
    world.keyControl.keyring = { local: [world.keys, fresh], openForCustomer };
    await rewrapWaiting(world.deps, organizationId);
    expect(await custody()).toMatchObject({ rewrap: { total: 2, current: 2 } });
  });

  test("for a proxy with another master key than this plane seals for stores nothing", async () => {
    await integrate(1);
    const fresh = await deriveLocalKeys(btoa("g".repeat(32)));
    world.keyControl.keyring = { local: [fresh, world.keys], openForCustomer };
    expect((await set(first)).body["custody"]).toMatchObject({ rewrap: { failed: 1 } });
    world.keyControl.keyring = { local: [world.keys], openForCustomer };
    expect(await opened()).toEqual(["sk-vendor-0"]);
  });

  test("goes on when the proxy is away", async () => {
    await integrate(1);
    const rewrap = world.keyControl.rewrap.bind(world.keyControl);
    world.keyControl.rewrap = () => Promise.reject(new Error("away"));
    expect((await set(first)).body["custody"]).toMatchObject({ integrations: [{ problem: "proxy_away" }] });
    world.keyControl.rewrap = rewrap;
    expect((await client("POST", "/custody/rewrap")).body["custody"]).toMatchObject({
      rewrap: { current: 1 },
    });
  });
});

test("no envelope and no public key of a customer is in an answer", async () => {
  await integrate(1);
  const text = `${(await set(first)).text}${(await client("GET", "/custody")).text}`;
  const [row] = await world.db
    .select()
    .from(integrationSecrets)
    .where(eq(integrationSecrets.organizationId, organizationId));
  const { ct, key } = JSON.parse(row?.envelope ?? "{}") as Record<string, string>;
  for (const part of [ct, key, "sk-vendor"]) expect(text).not.toContain(part);
});
