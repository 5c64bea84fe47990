import { beforeAll, describe, expect, test } from "vitest";
import fc from "fast-check";
import type { CredentialPlacement } from "./credential.ts";
import type { Destination } from "./destination.ts";
import {
  contextText,
  deriveLocalKeys,
  openSecret,
  rewrapEnvelope,
  sealSecret,
  unwrapEnvelope,
} from "./envelope.ts";
import type { EnvelopeContext, LocalKeys, SealingTarget, VendorKeyContext } from "./envelope.ts";
import { Secret } from "./secret.ts";

const DESTINATION: Destination = {
  origin: "https://api.vendor.example",
  basePath: "/v1",
  credential: { kind: "header", name: "x-api-key", template: "{secret}" },
  scrubResponses: true,
};
const CONTEXT: VendorKeyContext = {
  organizationId: "org",
  recordId: "rec",
  field: "vendor_key",
  version: 1,
  destination: DESTINATION,
};
const MASTER = btoa("m".repeat(32));
let keys: LocalKeys;
let target: SealingTarget;
let envelope: string;

beforeAll(async () => {
  keys = await deriveLocalKeys(MASTER);
  target = { publicKey: keys.publicKey, customerKey: null };
  envelope = await sealSecret(target, CONTEXT, new Secret("sk-vendor-ü"));
});

async function open(text: string, context: EnvelopeContext = CONTEXT, by = keys): Promise<string> {
  return (
    await openSecret(await unwrapEnvelope(text, context, { local: [by], openForCustomer: null }))
  ).reveal();
}

test("what is sealed with the public half opens with the private one", async () => {
  expect(await open(envelope)).toBe("sk-vendor-ü");
  expect(envelope).not.toContain("vendor-ü");
});

test("key derivation is deterministic, and another master key opens nothing", async () => {
  expect((await deriveLocalKeys(MASTER)).publicKey).toBe(keys.publicKey);
  const other = await deriveLocalKeys(btoa("n".repeat(32)));
  await expect(open(envelope, CONTEXT, other)).rejects.toThrow();
});

test("the data key cannot be exported", async () => {
  const { dataKey } = await unwrapEnvelope(envelope, CONTEXT, { local: [keys], openForCustomer: null });
  expect(dataKey.extractable).toBe(false);
  await expect(crypto.subtle.exportKey("raw", dataKey)).rejects.toThrow();
});

test("sealing twice gives unrelated envelopes", async () => {
  const again = await sealSecret(target, CONTEXT, new Secret("sk-vendor-ü"));
  const [one, two] = [JSON.parse(envelope), JSON.parse(again)] as Record<string, string>[];
  for (const member of ["enc", "key", "nonce", "ct"]) expect(one?.[member]).not.toBe(two?.[member]);
});

describe("an envelope cannot be moved", () => {
  test.each<[string, Partial<VendorKeyContext>]>([
    ["organization", { organizationId: "other" }],
    ["record", { recordId: "other" }],
    ["version", { version: 2 }],
  ])("to another %s", async (_, change) => {
    await expect(open(envelope, { ...CONTEXT, ...change })).rejects.toThrow();
  });
});

const ELSEWHERE: [string, Partial<Destination>][] = [
  ["host", { origin: "https://evil.example" }],
  ["host that begins like it", { origin: "https://api.vendor.example.evil.example" }],
  ["scheme", { origin: "http://api.vendor.example" }],
  ["port", { origin: "https://api.vendor.example:8443" }],
  ["split of the same address", { origin: "https://api.vendor.example/v1", basePath: "" }],
  ["path", { basePath: "/tenants/evil" }],
  ["path, that is wider", { basePath: "" }],
  ["place", { credential: { kind: "bearer" } }],
  ["header", { credential: { kind: "header", name: "x-echoed", template: "{secret}" } }],
  ["template", { credential: { kind: "header", name: "x-api-key", template: "{secret} {secret}" } }],
  [
    "kind of place with the same words",
    { credential: { kind: "basic", username: "x-api-key", password: "{secret}" } },
  ],
  ["parameter", { credential: { kind: "query", name: "text" } }],
  ["treatment: answers are not searched", { scrubResponses: false }],
];

describe("a vendor key opens for the one destination it was sealed for", () => {
  test.each(ELSEWHERE)("and for no other %s", async (_, change) => {
    const elsewhere = { ...CONTEXT, destination: { ...DESTINATION, ...change } };
    await expect(open(envelope, elsewhere)).rejects.toThrow();
    expect(contextText(elsewhere)).not.toBe(contextText(CONTEXT));
  });

  test.each(ELSEWHERE)("rewrapping does not take it to another %s", async (_, change) => {
    const elsewhere = { ...CONTEXT, destination: { ...DESTINATION, ...change } };
    const keyring = { local: [keys], openForCustomer: null };
    await expect(rewrapEnvelope(envelope, elsewhere, keyring, target)).rejects.toThrow();
    const rewrapped = await rewrapEnvelope(envelope, CONTEXT, keyring, target);
    expect(await open(rewrapped)).toBe("sk-vendor-ü");
    await expect(open(rewrapped, elsewhere)).rejects.toThrow();
  });

  test("both ciphertexts hold the binding: the wrapped data key of another envelope does not help", async () => {
    const elsewhere = { ...CONTEXT, destination: { ...DESTINATION, origin: "https://evil.example" } };
    // What who has the sealing key can make: an envelope of their own, for their own host.
    const own = await sealSecret(target, elsewhere, new Secret("sk-own"));
    expect(await open(own, elsewhere)).toBe("sk-own");
    const [stolen, forged] = [envelope, own].map((text) => JSON.parse(text) as Record<string, string>);
    for (const members of [["enc", "key"], ["nonce", "ct"], ["nonce"], ["ct"]]) {
      const mixed = Object.fromEntries(
        Object.entries(forged ?? {}).map(([name, value]) => [
          name,
          members.includes(name) ? stolen?.[name] : value,
        ]),
      );
      await expect(open(JSON.stringify(mixed), elsewhere)).rejects.toThrow();
    }
  });

  test("no two contexts have the same text", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "|", '"', ",", "[", "]", "\\", "/", "\ud800"),
      maxLength: 4,
    });
    const credential: fc.Arbitrary<CredentialPlacement> = fc.oneof(
      fc.constant({ kind: "bearer" } as const),
      fc.record({ kind: fc.constant("basic" as const), username: text, password: text }),
      fc.record({ kind: fc.constant("header" as const), name: text, template: text }),
      fc.record({ kind: fc.constant("query" as const), name: text }),
    );
    const destination = fc.record({ origin: text, basePath: text, credential, scrubResponses: fc.boolean() });
    const base = { organizationId: text, recordId: text, version: fc.nat(3) };
    const context: fc.Arbitrary<EnvelopeContext> = fc.oneof(
      fc.record({ ...base, field: fc.constant("vendor_key" as const), destination }),
      fc.record({ ...base, field: fc.constant("custody_challenge" as const) }),
    );
    const customer = fc.option(fc.record({ arn: text, cmk: text }));
    const whole = fc.tuple(context, customer);
    fc.assert(
      fc.property(whole, whole, (one, other) => {
        const isSame = contextText(...one) === contextText(...other);
        expect(isSame).toBe(fc.stringify(one) === fc.stringify(other));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("an altered envelope does not open", () => {
  test.each(["enc", "key", "nonce", "ct", "kek"])("%s", async (member) => {
    const parts = JSON.parse(envelope) as Record<string, string>;
    const value = parts[member] ?? "";
    const altered = { ...parts, [member]: (value.startsWith("a") ? "b" : "a") + value.slice(1) };
    await expect(open(JSON.stringify(altered))).rejects.toThrow();
  });

  test.each([
    ["white space", (text: string) => ` ${text}`],
    ["an unknown member", (text: string) => text.replace("{", `{"x":1,`)],
    ["a repeated member", (text: string) => text.replace("{", `{"v":2,`)],
    ["the former format", (text: string) => text.replace(`"v":2`, `"v":1`)],
    ["another format", (text: string) => text.replace(`"v":2`, `"v":3`)],
    ["an unknown provider", (text: string) => text.replace("local", "other")],
    ["no JSON", () => "envelope"],
  ])("%s", async (_, alter) => {
    await expect(open(alter(envelope))).rejects.toThrow();
  });
});

test.each(["", "short", btoa("x".repeat(16))])("master key %j is refused", async (text) => {
  await expect(deriveLocalKeys(text)).rejects.toThrow(RangeError);
});
