import { fromAnyBase64, toBase64Url, toHex, utf8 } from "@relaykey/core/bytes";
import type { MailSeed } from "./objects/links.ts";

/** Separates this use of the token key from all others (RFC 5869 §3.2). */
const INFO = "relaykey confirmation link v1";
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * Derives the key that links are made with from the key of the tags. It never is in the object's storage, so whoever reads
 * that can make no link.
 *
 * @param base64 RELAYKEY_TOKEN_KEY.
 * @throws RangeError when it is not 32 bytes in base64.
 */
export async function importLinkKey(base64: string): Promise<CryptoKey> {
  const bytes = fromAnyBase64(base64);
  if (bytes?.length !== 32) throw new RangeError("A token key is 32 random bytes in base64.");
  const material = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(32), info: utf8(INFO) },
    material,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign"],
  );
}

/** The token of a mail's link: 256 bits, the same each time the same mail is made. */
export async function linkToken(
  key: CryptoKey,
  holderLocator: string,
  { pendingId, generation, nonce }: MailSeed,
): Promise<string> {
  // None of the parts holds the separator.
  const text = [holderLocator, pendingId, String(generation), nonce].join("\n");
  return toBase64Url(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(text))));
}

/** What is stored of a token, and looked up by; null for what cannot be one. */
export async function hashLinkToken(token: string): Promise<string | null> {
  if (!TOKEN.test(token)) return null;
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(token))));
}
