import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readPublicKey } from "./customer-key.ts";
import { parseKeyArn } from "./key-arn.ts";

const ID = "1234abcd-12ab-34cd-56ef-1234567890ab";

test.each([
  [`arn:aws:kms:us-east-1:111122223333:key/${ID}`, "kms.us-east-1.amazonaws.com"],
  [`arn:aws:kms:ap-southeast-4:111122223333:key/mrk-${"0".repeat(32)}`, "kms.ap-southeast-4.amazonaws.com"],
  [`arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/${ID}`, "kms.us-gov-west-1.amazonaws.com"],
  [`arn:aws-cn:kms:cn-northwest-1:111122223333:key/${ID}`, "kms.cn-northwest-1.amazonaws.com.cn"],
])("%s is asked at %s", (arn, host) => {
  expect(parseKeyArn(arn)).toMatchObject({ text: arn, host, account: "111122223333" });
});

describe("refused", () => {
  test.each([
    ["an alias", "arn:aws:kms:us-east-1:111122223333:alias/relaykey"],
    ["a bare id", ID],
    ["another service", `arn:aws:s3:us-east-1:111122223333:key/${ID}`],
    ["another partition", `arn:aws-iso:kms:us-iso-east-1:111122223333:key/${ID}`],
    ["a region of another partition", `arn:aws:kms:cn-north-1:111122223333:key/${ID}`],
    ["a region with a host in it", `arn:aws:kms:us-east-1.evil.example#:111122223333:key/${ID}`],
    ["a region with a path in it", `arn:aws:kms:evil.example/-1:111122223333:key/${ID}`],
    ["a region with a user in it", `arn:aws:kms:us-east-1@evil-1:111122223333:key/${ID}`],
    ["an upper-case id", `arn:aws:kms:us-east-1:111122223333:key/${ID.toUpperCase()}`],
    ["a trailing line", `arn:aws:kms:us-east-1:111122223333:key/${ID}\n`],
    ["white space", ` arn:aws:kms:us-east-1:111122223333:key/${ID}`],
    ["a short account", `arn:aws:kms:us-east-1:11112222333:key/${ID}`],
    ["nothing", ""],
  ])("%s", (_, arn) => {
    expect(parseKeyArn(arn)).toBeNull();
  });
});

test("whatever a region is, what it makes is a host of AWS", () => {
  const character = fc.constantFrom(...Array.from("abcz019-./:@#?%\\[]_ \n\u0000é"));
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 24 }), (region) => {
      const parsed = parseKeyArn(`arn:aws:kms:${region}:111122223333:key/${ID}`);
      if (parsed === null) return;
      const url = new URL(`https://${parsed.host}/`);
      expect(url.host).toBe(parsed.host);
      expect(url.host).toMatch(/^kms\.[a-z0-9-]+\.amazonaws\.com$/);
    }),
    { numRuns: 5_000 },
  );
});

describe("a public key", () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 3_072 });
  const der = publicKey.export({ type: "spki", format: "der" });

  test("is read as PEM or as base64, to one spelling", async () => {
    const expected = { ok: true, publicKey: der.toString("base64url"), bits: 3_072 };
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    for (const text of [pem, pem.replaceAll("\n", "\r\n"), der.toString("base64"), `\n${pem}\n`]) {
      expect(await readPublicKey(text)).toEqual(expected);
    }
  });

  test.each([
    ["nothing", ""],
    ["no base64", "-----BEGIN PUBLIC KEY-----\n***\n-----END PUBLIC KEY-----"],
    ["one byte more", Buffer.concat([der, Buffer.from([0])]).toString("base64")],
    ["one byte less", der.subarray(0, -1).toString("base64")],
    ["a small modulus", pem("rsa", 1_024)],
    ["an odd modulus", pem("rsa", 2_056)],
    ["another algorithm", pem("ec")],
    [
      "a private key",
      generateKeyPairSync("rsa", { modulusLength: 2_048 })
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString(),
    ],
    ["far too much", Buffer.alloc(5_000).toString("base64")],
  ])("%s is refused", async (_, text) => {
    expect(await readPublicKey(text)).toMatchObject({ ok: false });
  });
});

function pem(type: "rsa" | "ec", modulusLength = 2_048): string {
  const { publicKey } =
    type === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return publicKey.export({ type: "spki", format: "pem" }).toString();
}
