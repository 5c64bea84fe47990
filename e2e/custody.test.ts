import {
  CreateKeyCommand,
  DecryptCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
} from "@aws-sdk/client-kms";
import { beforeAll, expect, inject, test } from "vitest";
import { openaiOrganization } from "./dashboard/example.ts";
import type { Admin, IssuedKey } from "./harness.ts";

const LEASE_MS = 2_000;
const PATIENCE_MS = 20_000;

const { proxy } = inject("local");
const kms = inject("kms");
/** Of an organization of its own: a key of KMS that is disabled stops all of an organization's vendor keys. */
let admin: Admin;
/** AWS's own client: what it can talk to is KMS as far as the proxy is concerned. */
const client = new KMSClient({ region: "eu-central-1", endpoint: kms.url, credentials: kms, maxAttempts: 1 });
let arn = "";
let key: IssuedKey;

interface Shown {
  readonly custody: {
    readonly provider: string;
    readonly rewrap: { readonly total: number; readonly current: number };
  };
}

beforeAll(async () => {
  arn =
    (await client.send(new CreateKeyCommand({ KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" })))
      .KeyMetadata?.Arn ?? "";
  ({ admin } = await openaiOrganization());
  key = await admin.createKey("openai", ["GET /**"]);
});

async function rewrapped(): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const { custody } = await admin.call<Shown>("POST", "/custody/rewrap");
    if (custody.rewrap.current === custody.rewrap.total) return;
    expect(Date.now(), JSON.stringify(custody)).toBeLessThan(until);
  }
}

function call(): Promise<Response> {
  return fetch(`${proxy}/openai/v1/models`, {
    headers: { Authorization: `Bearer ${key.token}` },
  });
}

async function status(): Promise<number> {
  const response = await call();
  await response.text();
  return response.status;
}

test("the stand-in for KMS refuses what AWS's own signer would not have signed so", async () => {
  const stranger = new KMSClient({
    region: "eu-central-1",
    endpoint: kms.url,
    credentials: { ...kms, secretAccessKey: "x".repeat(40) },
    maxAttempts: 1,
  });
  const input = {
    KeyId: arn,
    CiphertextBlob: new Uint8Array(256),
    EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
  } as const;
  await expect(stranger.send(new DecryptCommand(input))).rejects.toMatchObject({
    name: "InvalidSignatureException",
  });
  await expect(client.send(new DecryptCommand(input))).rejects.toMatchObject({
    name: "InvalidCiphertextException",
  });
});

test("a customer's KMS key: proven, used, disabled within one lease, enabled, removed", async () => {
  const { PublicKey: spki } = await client.send(new GetPublicKeyCommand({ KeyId: arn }));
  const customerKey = { arn, public_key: Buffer.from(spki ?? []).toString("base64") };
  await client.send(new DisableKeyCommand({ KeyId: arn }));
  await expect(admin.call("PUT", "/custody", { customer_key: customerKey })).rejects.toThrow(
    /custody_unproven/,
  );
  expect(await status()).toBe(200);

  await client.send(new EnableKeyCommand({ KeyId: arn }));
  const { custody } = await admin.call<Shown>("PUT", "/custody", { customer_key: customerKey });
  expect(custody.provider).toBe("aws-kms");
  await rewrapped();
  expect(await status()).toBe(200);

  await client.send(new DisableKeyCommand({ KeyId: arn }));
  const disabledAt = Date.now();
  let lastStart = disabledAt;
  for (;;) {
    const began = Date.now();
    if ((await status()) !== 200) break;
    lastStart = began;
    expect(began - disabledAt).toBeLessThan(PATIENCE_MS);
  }
  expect(lastStart - disabledAt).toBeLessThanOrEqual(LEASE_MS);
  const refused = await call();
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: "custody_key_refused" });
  expect(await admin.event(refused.headers.get("RelayKey-Request-Id"))).toMatchObject({
    decision: "blocked",
    reason: "custody_key_refused",
    upstream_status: null,
  });
  await expectNotice();

  await client.send(new EnableKeyCommand({ KeyId: arn }));
  await admin.call("PUT", "/custody", { customer_key: null });
  await rewrapped();
  // Now KMS has no say any more.
  await client.send(new DisableKeyCommand({ KeyId: arn }));
  await new Promise((resolve) => setTimeout(resolve, LEASE_MS + 500));
  expect(await status()).toBe(200);
});

async function expectNotice(): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const { data } = await admin.call<{ data: { type: string }[] }>(
      "GET",
      "/notices?type=custody.key_refused",
    );
    if (data.length > 0) return;
    expect(Date.now()).toBeLessThan(until);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
