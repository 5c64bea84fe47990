import { beforeAll, describe, expect, test } from "vitest";
import { deriveLocalKeys, openSecret, sealSecret, unwrapEnvelope } from "./envelope.ts";
import type { EnvelopeContext, LocalKeys, SealingTarget } from "./envelope.ts";
import { Secret } from "./secret.ts";

const CONTEXT: EnvelopeContext = { organizationId: "org", recordId: "rec", field: "vendor_key", version: 1 };
const MASTER = btoa("m".repeat(32));
let keys: LocalKeys;
let target: SealingTarget;
let envelope: string;

beforeAll(async () => {
  keys = await deriveLocalKeys(MASTER);
  target = { publicKey: keys.publicKey, customerKey: null };
  envelope = await sealSecret(target, CONTEXT, new Secret("sk-vendor-ü"));
});

async function open(text: string, context = CONTEXT, by = keys): Promise<string> {
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
  test.each<[string, Partial<EnvelopeContext>]>([
    ["organization", { organizationId: "other" }],
    ["record", { recordId: "other" }],
    ["version", { version: 2 }],
  ])("to another %s", async (_, change) => {
    await expect(open(envelope, { ...CONTEXT, ...change })).rejects.toThrow();
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
    ["a repeated member", (text: string) => text.replace("{", `{"v":1,`)],
    ["another format", (text: string) => text.replace(`"v":1`, `"v":2`)],
    ["an unknown provider", (text: string) => text.replace("local", "other")],
    ["no JSON", () => "envelope"],
  ])("%s", async (_, alter) => {
    await expect(open(alter(envelope))).rejects.toThrow();
  });
});

test.each(["", "short", btoa("x".repeat(16))])("master key %j is refused", async (text) => {
  await expect(deriveLocalKeys(text)).rejects.toThrow(RangeError);
});
