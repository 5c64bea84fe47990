import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import {
  challengeContext,
  challengeDigest,
  encodeChallengeOrder,
  encodeRewrapOrder,
} from "@relaykey/core/custody/orders";
import type { CustodyProblem } from "@relaykey/core/custody/problems";
import { destinationOf } from "@relaykey/core/destination";
import { deriveLocalKeys, envelopeStart, sealSecret } from "@relaykey/core/envelope";
import { Secret } from "@relaykey/core/secret";
import { configure } from "../config.ts";
import type { CustodyEnv } from "../custody/config.ts";
import { signAwsRequest } from "../custody/sigv4.ts";
import { LEASE_MS } from "../objects/lease.ts";
import { customerKey, kmsAsked, kmsFails, sealedForCustomer } from "./customer.ts";
import { TestProxy, VENDOR_KEY, bearer, keyControl } from "./world.ts";

const GOOD = "https://proxy.example.com/vendor/v1/things";

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe("a vendor key under a customer's key", () => {
  test("is used, and KMS is asked once per lease, however many requests there are", async () => {
    const customer = await customerKey();
    const key = await sealedForCustomer(customer, { integration: { scrubResponses: false } });
    const proxy = await TestProxy.start();
    const began = Date.now();
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => proxy.call(GOOD, bearer(key.token))),
      );
      for (const answer of answers) {
        expect(await answer.json()).toMatchObject({ headers: { authorization: `Bearer ${VENDOR_KEY}` } });
      }
    }
    // Asked again ahead of the end at half the time, not for each of 200 requests.
    const most = 1 + Math.ceil((Date.now() - began) / (LEASE_MS / 2));
    expect(await kmsAsked(customer)).toBeLessThanOrEqual(most);
  });

  test("is refused within one lease after the customer disabled the key, and used again once it is enabled", async () => {
    const customer = await customerKey();
    const key = await sealedForCustomer(customer);
    const proxy = await TestProxy.start();
    expect((await proxy.call(GOOD, bearer(key.token))).status).toBe(200);
    await kmsFails(customer, "DisabledException");
    const disabledAt = Date.now();
    let lastStart = disabledAt;
    for (;;) {
      const began = Date.now();
      const { status } = await proxy.call(GOOD, bearer(key.token));
      if (status !== 200) break;
      lastStart = began;
      expect(Date.now() - disabledAt).toBeLessThan(10_000);
    }
    expect(lastStart - disabledAt).toBeLessThanOrEqual(LEASE_MS);
    // Many refused calls are not as many calls of the customer's KMS.
    const asked = await kmsAsked(customer);
    for (let count = 0; count < 50; count += 1) {
      expect((await proxy.call(GOOD, bearer(key.token))).status).toBe(503);
    }
    expect((await kmsAsked(customer)) - asked).toBeLessThan(10);

    await kmsFails(customer, "");
    const until = Date.now() + 10_000;
    for (;;) {
      if ((await proxy.call(GOOD, bearer(key.token))).status === 200) break;
      expect(Date.now()).toBeLessThan(until);
      await pause(100);
    }
  });

  test("that the customer disabled ends streams that are open", async () => {
    const customer = await customerKey();
    const key = await sealedForCustomer(customer);
    const proxy = await TestProxy.start();
    const open = await proxy.call("https://proxy.example.com/vendor/v1/stream", bearer(key.token));
    expect(open.status).toBe(200);
    await kmsFails(customer, "KMSInvalidStateException");
    const disabledAt = Date.now();
    const reader = open.body?.getReader();
    for (;;) {
      const read = await reader?.read().catch(() => ({ done: true }));
      if (read?.done !== false) break;
      expect(Date.now() - disabledAt).toBeLessThan(10_000);
    }
    expect(Date.now() - disabledAt).toBeLessThan(2 * LEASE_MS);
    const events = await proxy.settled();
    expect(events.at(-1)).toMatchObject({ outcome: "cut", reason: "custody_key_refused" });
  });

  test.each([
    ["AccessDeniedException", "custody_key_refused"],
    ["DisabledException", "custody_key_refused"],
    ["KMSInvalidStateException", "custody_key_refused"],
    ["NotFoundException", "custody_key_refused"],
    ["UnrecognizedClientException", "custody_key_refused"],
    ["com.amazonaws.kms#InvalidKeyUsageException", "custody_key_refused"],
    ["ThrottlingException", "custody_key_unreachable"],
    ["KMSInternalException", "custody_key_unreachable"],
    ["SomethingNewException", "custody_key_unreachable"],
    ["hang", "custody_key_unreachable"],
    ["down", "custody_key_unreachable"],
    ["nonsense", "custody_key_unreachable"],
    ["redirect", "custody_key_unreachable"],
    ["other-key", "custody_key_unreachable"],
    ["endless", "custody_key_unreachable"],
  ])("G2: while KMS answers %s nothing is sent", async (type, reason) => {
    const customer = await customerKey();
    const key = await sealedForCustomer(customer);
    await kmsFails(customer, type);
    const proxy = await TestProxy.start();
    const began = Date.now();
    const answer = await proxy.call(GOOD, bearer(key.token));
    expect(answer.status).toBe(503);
    expect(Date.now() - began).toBeLessThan(6_000);
    expect(answer.headers.get("x-should-retry")).toBe(reason === "custody_key_refused" ? "false" : null);
    expect(await proxy.settled()).toMatchObject([{ decision: "blocked", reason, upstreamStatus: null }]);
  });

  test("is refused where the installation has no credentials", async () => {
    const key = await sealedForCustomer(await customerKey());
    const proxy = await TestProxy.start({
      RELAYKEY_AWS_ACCESS_KEY_ID: "",
      RELAYKEY_AWS_SECRET_ACCESS_KEY: "",
    } as Partial<CustodyEnv>);
    expect((await proxy.call(GOOD, bearer(key.token))).status).toBe(503);
    expect(await proxy.settled()).toMatchObject([{ reason: "custody_key_refused" }]);
  });
});

describe("KeyControl", () => {
  const organizationId = crypto.randomUUID();

  async function own(): Promise<string> {
    return (await deriveLocalKeys(env.RELAYKEY_MASTER_KEY)).publicKey;
  }

  test("proves that it can open a challenge, and says in words why not", async () => {
    const customer = await customerKey();
    const other = await customerKey();
    const seal = async (key: typeof customer): Promise<string> =>
      encodeChallengeOrder({
        format: 1,
        organizationId,
        envelope: await sealSecret(
          { publicKey: await own(), customerKey: key },
          challengeContext(organizationId),
          new Secret("a challenge"),
        ),
      });
    const digest = await challengeDigest("a challenge");
    expect(await keyControl().proveCustody(await seal(customer))).toEqual({ ok: true, digest });
    const mixed = await seal({ ...customer, publicKey: other.publicKey });
    expect(await keyControl().proveCustody(mixed)).toEqual({ ok: false, problem: "wrong_key" });
    for (const [type, problem] of [
      ["AccessDeniedException", "denied"],
      ["DisabledException", "disabled"],
      ["ThrottlingException", "throttled"],
    ] satisfies [string, CustodyProblem][]) {
      await kmsFails(customer, type);
      expect(await keyControl().proveCustody(await seal(customer))).toEqual({ ok: false, problem });
    }
  });

  test("G4: gives out no digest of a vendor key, whatever order it is sent in", async () => {
    const { snapshot } = await sealedForCustomer(await customerKey());
    const { envelope } = snapshot.integration.secret;
    for (const id of [snapshot.organizationId, snapshot.integration.id]) {
      const order = encodeChallengeOrder({ format: 1, organizationId: id, envelope });
      expect(await keyControl().proveCustody(order)).toEqual({ ok: false, problem: "unreadable" });
    }
  });

  test("rewraps for another customer's key and back, always for its own pair as well", async () => {
    const [one, two] = [await customerKey(), await customerKey()];
    const { snapshot } = await sealedForCustomer(one);
    const { organizationId, integration } = snapshot;
    const { id: integrationId, secret } = integration;
    const destination = destinationOf(integration);
    const order = { format: 1, organizationId, integrationId, version: 1, destination } as const;
    let { envelope } = secret;
    for (const target of [two, null, one]) {
      const text = encodeRewrapOrder({ ...order, envelope, customerKey: target });
      const result = await keyControl().rewrap(text);
      if (!result.ok) throw new Error(result.problem);
      ({ envelope } = result);
      expect(envelope.startsWith(await envelopeStart({ publicKey: await own(), customerKey: target }))).toBe(
        true,
      );
    }
    await kmsFails(two, "AccessDeniedException");
    const refused = encodeRewrapOrder({ ...order, envelope, customerKey: two });
    expect(await keyControl().rewrap(refused)).toEqual({ ok: false, problem: "denied" });
    const elsewhere = { ...destination, origin: "https://evil.example" };
    const moved = encodeRewrapOrder({ ...order, destination: elsewhere, envelope, customerKey: null });
    expect(await keyControl().rewrap(moved)).toEqual({ ok: false, problem: "unreadable" });
  });

  test.each([
    ["no JSON", "order"],
    ["a pair of the caller's", JSON.stringify({ format: 1, publicKey: "x" })],
  ])("reads no order that is %s", async (_, order) => {
    await expect(keyControl().rewrap(order)).rejects.toThrow(TypeError);
    await expect(keyControl().proveCustody(order)).rejects.toThrow(TypeError);
  });
});

test("envelopes of a former master key open while it is named, and only then", async () => {
  const customer = await customerKey();
  const key = await sealedForCustomer(customer);
  const rotated = { RELAYKEY_MASTER_KEY: btoa("r".repeat(32)) };
  const both = { ...rotated, RELAYKEY_MASTER_KEY_PREVIOUS: env.RELAYKEY_MASTER_KEY } as Partial<CustodyEnv>;
  expect((await (await TestProxy.start(both)).call(GOOD, bearer(key.token))).status).toBe(200);
  expect((await (await TestProxy.start(rotated)).call(GOOD, bearer(key.token))).status).toBe(503);
});

describe("settings", () => {
  const LOCAL = { RELAYKEY_EDITION: "local", RELAYKEY_DEV_UPSTREAMS: "loopback" } as const;

  test.each([
    ["RELAYKEY_AWS_ACCESS_KEY_ID", { RELAYKEY_AWS_ACCESS_KEY_ID: "" }],
    ["RELAYKEY_AWS_ACCESS_KEY_ID", { RELAYKEY_AWS_ACCESS_KEY_ID: "hunter2" }],
    ["RELAYKEY_AWS_SECRET_ACCESS_KEY", { RELAYKEY_AWS_SECRET_ACCESS_KEY: "" }],
    ["RELAYKEY_AWS_SECRET_ACCESS_KEY", { RELAYKEY_AWS_SECRET_ACCESS_KEY: "hunter2" }],
    ["RELAYKEY_MASTER_KEY_PREVIOUS", { RELAYKEY_MASTER_KEY_PREVIOUS: "hunter2" }],
    ["RELAYKEY_KMS_ENDPOINT", { RELAYKEY_KMS_ENDPOINT: "http://127.0.0.1:9000" }],
    ["RELAYKEY_KMS_ENDPOINT", { ...LOCAL, RELAYKEY_KMS_ENDPOINT: "http://169.254.169.254" }],
    ["RELAYKEY_KMS_ENDPOINT", { ...LOCAL, RELAYKEY_KMS_ENDPOINT: "http://127.0.0.1:9000/x" }],
    [
      "RELAYKEY_KMS_ENDPOINT",
      { ...LOCAL, RELAYKEY_DEV_UPSTREAMS: "", RELAYKEY_KMS_ENDPOINT: "http://127.0.0.1:9000" },
    ],
  ])("%s of %j is named and not repeated", async (name, changes) => {
    const error: unknown = await configure({ ...env, ...changes }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "ConfigurationError" });
    expect(String(error)).toContain(name);
    expect(String(error)).not.toMatch(/hunter2|169\.254/);
  });

  test("the local edition may name a stand-in on this machine", async () => {
    const stand = { ...env, ...LOCAL, RELAYKEY_KMS_ENDPOINT: "http://127.0.0.1:9000" };
    await expect(configure(stand)).resolves.toMatchObject({ development: true });
  });
});

/** Of AWS's published suite (aws-sig-v4-test-suite), those that are POST / without a query. */
test.each([
  ["post-vanilla", {}, "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  [
    "post-header-key-sort",
    { "my-header1": "value1" },
    "",
    "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
  ],
  [
    "post-header-value-case",
    { "my-header1": "VALUE1" },
    "",
    "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
  ],
  [
    "post-x-www-form-urlencoded",
    { "content-type": "application/x-www-form-urlencoded" },
    "Param1=value1",
    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  ],
])("Signature Version 4: %s", async (_, headers, body, signature) => {
  const request = { host: "example.amazonaws.com", region: "us-east-1", service: "service", headers, body };
  const secretAccessKey = new Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey };
  const signed = await signAwsRequest(request, credentials, new Date("2015-08-30T12:36:00Z"));
  expect(signed["x-amz-date"]).toBe("20150830T123600Z");
  expect(signed["authorization"]).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${[
      ...Object.keys(headers),
      "host",
      "x-amz-date",
    ]
      .sort()
      .join(";")}, Signature=${signature}`,
  );
});
