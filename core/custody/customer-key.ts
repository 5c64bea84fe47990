import * as z from "zod/mini";
import { equalBytes, fromAnyBase64, fromBase64Url, toBase64Url, toHex } from "../bytes.ts";
import type { Bytes } from "../bytes.ts";
import { parseKeyArn } from "./key-arn.ts";

/** A customer's own key: an RSA pair in AWS KMS whose private half never leaves it. */
export interface CustomerKey {
  readonly arn: string;
  /** SubjectPublicKeyInfo (RFC 5280 §4.1), DER in base64url. */
  readonly publicKey: string;
}

const MAX_SPKI_BYTES = 1_024;
const MODULUS_BITS: readonly number[] = [2_048, 3_072, 4_096];
/** RSAES_OAEP_SHA_256 of KMS: SHA-256, MGF1 with SHA-256, no label (RFC 8017 §7.1). */
const OAEP = { name: "RSA-OAEP", hash: "SHA-256" } as const;

export const customerKeySchema = z.strictObject({
  arn: z.string().check(z.refine((text) => parseKeyArn(text) !== null, "not the ARN of a KMS key")),
  publicKey: z.string().check(z.maxLength(2 * MAX_SPKI_BYTES), z.regex(/^[A-Za-z0-9_-]+$/)),
});

export type PublicKeyResult =
  | { readonly ok: true; readonly publicKey: string; readonly bits: number }
  | { readonly ok: false; readonly error: string };

/**
 * Reads a public key as `aws kms get-public-key` gives it: base64 of the DER, or PEM.
 *
 * @returns its one spelling, or a sentence that says what is wrong.
 */
export async function readPublicKey(text: string): Promise<PublicKeyResult> {
  const base64 = text
    .replace(/^\s*-----BEGIN PUBLIC KEY-----/, "")
    .replace(/-----END PUBLIC KEY-----\s*$/, "")
    .replace(/\s+/g, "");
  const spki = base64 === "" ? null : fromAnyBase64(base64);
  if (spki === null || spki.length > MAX_SPKI_BYTES) {
    return { ok: false, error: "Give the public key in PEM, as `aws kms get-public-key` shows it." };
  }
  const key = await importPublicKey(spki).catch(() => null);
  const exported = key === null ? null : await crypto.subtle.exportKey("spki", key);
  // One spelling per key: a fingerprint must not depend on how it was written down.
  if (key === null || !equalBytes(new Uint8Array(exported as ArrayBuffer), spki)) {
    return { ok: false, error: "This is not an RSA public key (SubjectPublicKeyInfo)." };
  }
  const { modulusLength: bits } = key.algorithm as KeyAlgorithm & { readonly modulusLength: number };
  if (!MODULUS_BITS.includes(bits)) {
    return { ok: false, error: "The key must be of the key spec RSA_2048, RSA_3072 or RSA_4096." };
  }
  return { ok: true, publicKey: toBase64Url(spki), bits };
}

/** Names a public key in envelopes: the first 8 bytes of SHA-256 of its SubjectPublicKeyInfo, in hex. */
export async function customerKeyId(publicKey: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", spkiBytes(publicKey));
  return toHex(new Uint8Array(digest).subarray(0, 8));
}

/** Wraps what only the customer's KMS can unwrap. @throws RangeError when the public key cannot be read. */
export async function wrapForCustomer(publicKey: string, bytes: Bytes): Promise<Bytes> {
  const key = await importPublicKey(spkiBytes(publicKey)).catch(() => {
    throw new RangeError("The customer's public key cannot be read.");
  });
  return new Uint8Array(await crypto.subtle.encrypt(OAEP, key, bytes));
}

function importPublicKey(spki: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("spki", spki, OAEP, true, ["encrypt"]);
}

function spkiBytes(publicKey: string): Bytes {
  const bytes = fromBase64Url(publicKey);
  if (bytes === null) throw new RangeError("The customer's public key is not base64url.");
  return bytes;
}
