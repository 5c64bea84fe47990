import { concatBytes, fromAnyBase64, fromBase64Url, fromHex, toBase64Url, toHex, utf8 } from "../bytes.ts";
import type { Bytes } from "../bytes.ts";
import { encodeEntry } from "./entry.ts";
import type { ChainEntry, SignedEntry } from "./entry.ts";

/** Signs entries; only the audit plane has one. */
export interface ChainSigner {
  readonly publicKey: ChainKey;
  sign(entry: ChainEntry): Promise<SignedEntry>;
}

/** The public half of a signing key. */
export interface ChainKey {
  /** The first 8 bytes of SHA-256 of the key, hex: names it, proves nothing. */
  readonly id: string;
  /** base64url */
  readonly text: string;
}

const ALGORITHM = "Ed25519";
const SEED_BYTES = 32;
const PUBLIC_BYTES = 32;
/** PKCS #8 around a seed (RFC 8410 §7). */
const PKCS8 = fromHex("302e020100300506032b657004220420") as Bytes;
/** A signature for the chain can be used for nothing else. */
const CONTEXT = utf8("relaykey audit chain v1\n");

/**
 * Makes the signer of a key.
 *
 * @param base64 32 random bytes: the seed (RFC 8032 §5.1.5).
 * @throws RangeError when it is not 32 bytes in base64.
 */
export async function openSigner(base64: string): Promise<ChainSigner> {
  const seed = fromAnyBase64(base64);
  if (seed?.length !== SEED_BYTES) throw new RangeError("A signing key is 32 random bytes in base64.");
  const encoded = concatBytes(PKCS8, seed);
  const whole = await crypto.subtle.importKey("pkcs8", encoded, ALGORITHM, true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", whole);
  const privateKey = await crypto.subtle.importKey("pkcs8", encoded, ALGORITHM, false, ["sign"]);
  const publicKey = await readChainKey(x ?? "");
  if (publicKey === null) throw new RangeError("The public half of a signing key cannot be read.");
  return {
    publicKey,
    sign: async (entry) => {
      const signature = await crypto.subtle.sign(ALGORITHM, privateKey, signedBytes(entry));
      return { entry, keyId: publicKey.id, signature: toBase64Url(new Uint8Array(signature)) };
    },
  };
}

/** @returns null when the text is not 32 bytes in base64url. */
export async function readChainKey(text: string): Promise<ChainKey | null> {
  const bytes = fromBase64Url(text);
  if (bytes?.length !== PUBLIC_BYTES) return null;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return { id: toHex(new Uint8Array(digest).subarray(0, 8)), text };
}

/**
 * Reads the public keys of an installation, separated by commas: the one in use and those before it.
 *
 * @returns null when one of them cannot be read, or there is none.
 */
export async function readChainKeys(list: string): Promise<ChainKey[] | null> {
  const keys = await Promise.all(list.split(",").map((text) => readChainKey(text.trim())));
  return keys.every((key) => key !== null) ? keys : null;
}

/** What became of checking a signature. */
export type SignatureVerdict = "good" | "wrong" | "unknown_key";

/** Checks signatures by any of these keys. */
export function signatureChecker(
  keys: readonly ChainKey[],
): (signed: SignedEntry) => Promise<SignatureVerdict> {
  const imported = new Map<string, Promise<CryptoKey>>();
  return async ({ entry, keyId, signature }) => {
    const key = keys.find(({ id }) => id === keyId);
    const bytes = fromBase64Url(signature);
    if (key === undefined) return "unknown_key";
    if (bytes === null) return "wrong";
    let publicKey = imported.get(key.id);
    if (publicKey === undefined) {
      const raw = fromBase64Url(key.text) ?? new Uint8Array();
      publicKey = crypto.subtle.importKey("raw", raw, ALGORITHM, false, ["verify"]);
      imported.set(key.id, publicKey);
    }
    const isGood = await crypto.subtle.verify(ALGORITHM, await publicKey, bytes, signedBytes(entry));
    return isGood ? "good" : "wrong";
  };
}

function signedBytes(entry: ChainEntry): Bytes {
  return concatBytes(CONTEXT, encodeEntry(entry));
}
