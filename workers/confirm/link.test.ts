import fc from "fast-check";
import { expect, test } from "vitest";
import { toBase64Url, toHex } from "@relaykey/core/bytes";
import { decodeLink, encodeLink } from "./link.ts";

const importKey = (byte: number): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", new Uint8Array(32).fill(byte), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => new Uint8Array(array));

test("what was encoded is decoded, by the same key only, and not when a bit is changed", async () => {
  const [key, other] = await Promise.all([importKey(1), importKey(2)]);
  await fc.assert(
    fc.asyncProperty(bytes(8), bytes(32), fc.nat(63), async (locator, token, place) => {
      const link = { holderLocator: toHex(locator), token: toBase64Url(token) };
      const code = await encodeLink(link, key);
      expect(code).toMatch(/^[\w-]{64}$/);
      expect(await decodeLink(code, key)).toEqual(link);
      expect(await decodeLink(code, other)).toBeNull();
      const changed = code[place] === "A" ? "B" : "A";
      expect(await decodeLink(code.slice(0, place) + changed + code.slice(place + 1), key)).toBeNull();
    }),
  );
});

test.each([
  "",
  "A".repeat(63),
  "A".repeat(64),
  "A".repeat(65),
  `${"A".repeat(63)}=`,
  "%00".repeat(21),
  "é".repeat(64),
])("%j is no link", async (code) => {
  expect(await decodeLink(code, await importKey(1))).toBeNull();
});
