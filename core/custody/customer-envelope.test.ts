import { constants, createHash, generateKeyPairSync, privateDecrypt } from "node:crypto";
import type { KeyObject } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  deriveLocalKeys,
  envelopeStart,
  needsCustomerKey,
  openSecret,
  rewrapEnvelope,
  sealSecret,
  unwrapEnvelope,
} from "../envelope.ts";
import type { EnvelopeContext, Keyring, SealingTarget, VendorKeyContext } from "../envelope.ts";
import { Secret } from "../secret.ts";
import type { Destination } from "../destination.ts";
import { readPublicKey } from "./customer-key.ts";
import { challengeContext } from "./orders.ts";
import { CustodyError } from "./problems.ts";

const DESTINATION: Destination = {
  origin: "https://api.vendor.example",
  basePath: "",
  credential: { kind: "bearer" },
  scrubResponses: true,
};
const CONTEXT: VendorKeyContext = {
  organizationId: "org",
  recordId: "rec",
  field: "vendor_key",
  version: 1,
  destination: DESTINATION,
};
const ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER_ARN = "arn:aws:kms:eu-west-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab";
const VENDOR_KEY = "sk-vendor-ü";

/** Node's own RSA stands in for KMS: a foreign implementation of RSAES_OAEP_SHA_256. */
class Kms {
  readonly pairs = new Map<string, { readonly privateKey: KeyObject; readonly publicKey: string }>();
  asked = 0;
  denies = false;

  async add(arn: string): Promise<string> {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const read = await readPublicKey(publicKey.export({ type: "spki", format: "pem" }).toString());
    if (!read.ok) throw new Error(read.error);
    this.pairs.set(arn, { privateKey, publicKey: read.publicKey });
    return read.publicKey;
  }

  readonly open: Keyring["openForCustomer"] = (arn, wrapped) => {
    this.asked += 1;
    const pair = this.pairs.get(arn);
    if (this.denies || pair === undefined) return Promise.reject(new CustodyError("denied"));
    try {
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const opened = privateDecrypt({ key: pair.privateKey, padding, oaepHash: "sha256" }, wrapped);
      return Promise.resolve(new Uint8Array(opened));
    } catch {
      return Promise.reject(new CustodyError("wrong_key"));
    }
  };
}

const kms = new Kms();
let keyring: Keyring;
let local: SealingTarget;
let customer: SealingTarget;
let envelope: string;

beforeAll(async () => {
  const keys = await deriveLocalKeys(btoa("m".repeat(32)));
  keyring = { local: [keys], openForCustomer: kms.open };
  local = { publicKey: keys.publicKey, customerKey: null };
  customer = { publicKey: keys.publicKey, customerKey: { arn: ARN, publicKey: await kms.add(ARN) } };
  await kms.add(OTHER_ARN);
  envelope = await sealSecret(customer, CONTEXT, new Secret(VENDOR_KEY));
});

async function open(text: string, context: EnvelopeContext = CONTEXT, by = keyring): Promise<string> {
  return (await openSecret(await unwrapEnvelope(text, context, by))).reveal();
}

function parts(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

describe("an envelope under a customer's key", () => {
  test("opens with the customer's key and the proxy's own, and names both", async () => {
    expect(await open(envelope)).toBe(VENDOR_KEY);
    const spki = Buffer.from(customer.customerKey?.publicKey ?? "", "base64url");
    expect(parts(envelope)).toMatchObject({
      provider: "aws-kms",
      arn: ARN,
      cmk: createHash("sha256").update(spki).digest("hex").slice(0, 16),
      kek: keyring.local[0]?.kekId,
    });
  });

  test("does not open without the customer's key, and says why", async () => {
    kms.denies = true;
    await expect(open(envelope)).rejects.toMatchObject({ problem: "denied" });
    kms.denies = false;
    await expect(open(envelope, CONTEXT, { ...keyring, openForCustomer: null })).rejects.toMatchObject({
      problem: "not_configured",
    });
  });

  test("does not open without the proxy's own key, not even for who holds the customer's", async () => {
    const other = await deriveLocalKeys(btoa("n".repeat(32)));
    await expect(open(envelope, CONTEXT, { ...keyring, local: [other] })).rejects.toThrow(RangeError);
  });

  test("the customer's layer cannot be taken off", async () => {
    const { kek, enc, key, nonce, ct } = parts(envelope);
    const inner = await kms.open?.(ARN, new Uint8Array(Buffer.from(String(key), "base64url")));
    const stripped = {
      v: 2,
      provider: "local",
      kek,
      enc,
      key: Buffer.from(inner ?? []).toString("base64url"),
    };
    await expect(open(JSON.stringify({ ...stripped, nonce, ct }))).rejects.toThrow();
  });

  // OAEP in KMS has no label: whoever holds two envelopes can put the wrapped key of one into the other.
  test("a data key cannot be moved to another record", async () => {
    const elsewhere = { ...CONTEXT, recordId: "other" };
    const moved = await sealSecret(customer, elsewhere, new Secret("sk-other"));
    await expect(open(moved)).rejects.toThrow();
    await expect(open(envelope, elsewhere)).rejects.toThrow();
    const { enc, key } = parts(moved);
    await expect(open(JSON.stringify({ ...parts(envelope), key }))).rejects.toThrow();
    await expect(open(JSON.stringify({ ...parts(envelope), enc, key }))).rejects.toThrow();
  });

  test.each<[string, EnvelopeContext]>([
    ["organization", { ...CONTEXT, organizationId: "other" }],
    ["version", { ...CONTEXT, version: 2 }],
    ["field", { ...CONTEXT, field: "custody_challenge" }],
    ["host", { ...CONTEXT, destination: { ...DESTINATION, origin: "https://evil.example" } }],
    ["place", { ...CONTEXT, destination: { ...DESTINATION, credential: { kind: "query", name: "q" } } }],
  ])("is of no other %s", async (_, context) => {
    await expect(open(envelope, context)).rejects.toThrow();
  });

  test.each<[string, (members: Record<string, unknown>) => object]>([
    ["another ARN", (members) => ({ ...members, arn: OTHER_ARN })],
    ["an ARN that is none", (members) => ({ ...members, arn: "arn:aws:kms:evil.example/:1:key/x" })],
    ["another fingerprint", (members) => ({ ...members, cmk: "0".repeat(16) })],
    ["the other provider", (members) => ({ ...members, provider: "local" })],
    ["an unknown provider", (members) => ({ ...members, provider: "gcp-kms" })],
    ["one member less", ({ cmk: _, ...members }) => members],
    ["one more", (members) => ({ ...members, x: 1 })],
    ["another order", ({ arn, ...members }) => ({ ...members, arn })],
  ])("with %s it does not open", async (_, alter) => {
    await expect(open(JSON.stringify(alter(parts(envelope))))).rejects.toThrow();
  });

  test("a challenge does not open as a vendor key, nor a vendor key as a challenge", async () => {
    const context = challengeContext("org");
    const challenge = await sealSecret(customer, context, new Secret("challenge"));
    expect(await open(challenge, context)).toBe("challenge");
    await expect(open(challenge, { ...CONTEXT, ...context, field: "vendor_key" })).rejects.toThrow();
    await expect(open(envelope, { ...CONTEXT, field: "custody_challenge" })).rejects.toThrow();
  });
});

describe("rewrapping", () => {
  test("moves the data key and leaves what is sealed under it as it is", async () => {
    const former = await sealSecret(local, CONTEXT, new Secret(VENDOR_KEY));
    const there = await rewrapEnvelope(former, CONTEXT, keyring, customer);
    const back = await rewrapEnvelope(there, CONTEXT, keyring, local);
    for (const text of [there, back]) {
      expect(await open(text)).toBe(VENDOR_KEY);
      expect(parts(text)).toMatchObject({ nonce: parts(former)["nonce"], ct: parts(former)["ct"] });
      expect(parts(text)["key"]).not.toBe(parts(former)["key"]);
    }
    expect([former, there, back].map(needsCustomerKey)).toEqual([false, true, false]);
  });

  test("from a former master key, which then opens it no more", async () => {
    const fresh = await deriveLocalKeys(btoa("f".repeat(32)));
    const both = { ...keyring, local: [fresh, ...keyring.local] };
    for (const customerKey of [null, customer.customerKey]) {
      const former = await sealSecret({ ...local, customerKey }, CONTEXT, new Secret(VENDOR_KEY));
      const target = { publicKey: fresh.publicKey, customerKey };
      const rewrapped = await rewrapEnvelope(former, CONTEXT, both, target);
      expect(await open(rewrapped, CONTEXT, { ...keyring, local: [fresh] })).toBe(VENDOR_KEY);
      await expect(open(rewrapped)).rejects.toThrow(RangeError);
    }
  });

  // Whoever owns the control plane can name a key of their own: what they are given must be of no use to them.
  test("for a stranger's key gives the stranger nothing: the proxy's own layer stays", async () => {
    const stranger = new Kms();
    const publicKey = await stranger.add(ARN);
    const target = { ...customer, customerKey: { arn: ARN, publicKey } };
    const stolen = await rewrapEnvelope(
      envelope,
      CONTEXT,
      { ...keyring, openForCustomer: both(kms, stranger) },
      target,
    );
    const opened = await stranger.open?.(
      ARN,
      new Uint8Array(Buffer.from(String(parts(stolen)["key"]), "base64url")),
    );
    // HPKE's ciphertext of 32 bytes and its tag, not the data key.
    expect(opened).toHaveLength(48);
  });

  test("for a public key that is not of the ARN gives nothing out", async () => {
    const publicKey = kms.pairs.get(OTHER_ARN)?.publicKey ?? "";
    const target = { ...customer, customerKey: { arn: ARN, publicKey } };
    await expect(rewrapEnvelope(envelope, CONTEXT, keyring, target)).rejects.toMatchObject({
      problem: "wrong_key",
    });
  });

  test("keeps the destination, under a customer's key as well", async () => {
    const elsewhere = { ...CONTEXT, destination: { ...DESTINATION, origin: "https://evil.example" } };
    await expect(rewrapEnvelope(envelope, elsewhere, keyring, local)).rejects.toThrow();
    const back = await rewrapEnvelope(envelope, CONTEXT, keyring, local);
    await expect(open(back, elsewhere)).rejects.toThrow();
  });

  test("of another record's envelope is refused", async () => {
    await expect(rewrapEnvelope(envelope, { ...CONTEXT, recordId: "x" }, keyring, local)).rejects.toThrow();
  });
});

test("how an envelope begins tells for whom it is sealed, and only that", async () => {
  const other = await deriveLocalKeys(btoa("o".repeat(32)));
  const keys = [...kms.pairs].map(([arn, { publicKey }]) => ({ arn, publicKey }));
  const targets = [local.publicKey, other.publicKey].flatMap((publicKey) =>
    [null, ...keys].map((customerKey) => ({ publicKey, customerKey })),
  );
  const starts = await Promise.all(targets.map(envelopeStart));
  await fc.assert(
    fc.asyncProperty(fc.nat(targets.length - 1), fc.string({ minLength: 1 }), async (index, plaintext) => {
      const target = targets[index] ?? local;
      const text = await sealSecret(target, CONTEXT, new Secret(plaintext));
      expect(starts.map((start) => text.startsWith(start))).toEqual(targets.map((_, at) => at === index));
    }),
    { numRuns: 20 },
  );
});

/** The envelope's own key first, the stranger's for what was wrapped for it. */
function both(one: Kms, two: Kms): Keyring["openForCustomer"] {
  return async (arn, wrapped) => {
    try {
      return (await one.open?.(arn, wrapped)) ?? new Uint8Array();
    } catch {
      return (await two.open?.(arn, wrapped)) ?? new Uint8Array();
    }
  };
}
