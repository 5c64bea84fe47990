import * as z from "zod/mini";
import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { unwrapKey, wrapKey } from "./hpke-local.ts";
import type { LocalKeys } from "./hpke-local.ts";
import { Secret } from "./secret.ts";

export { deriveLocalKeys } from "./hpke-local.ts";
export type { LocalKeys } from "./hpke-local.ts";

/** What an envelope belongs to. It is bound into both ciphertexts, so an envelope cannot be moved to another record. */
export interface EnvelopeContext {
  readonly organizationId: string;
  readonly recordId: string;
  readonly field: "vendor_key";
  /** Of the secret, not of the format: each rotation of a vendor key has its own. */
  readonly version: number;
}

const DATA_KEY_BYTES = 32;
const NONCE_BYTES = 12;

const base64url = z.string().check(z.regex(/^[A-Za-z0-9_-]+$/));

/** Format 1. `provider` names who wrapped the data key; further providers join without a change to stored rows. */
const envelopeSchema = z.strictObject({
  v: z.literal(1),
  provider: z.literal("local"),
  kek: z.string().check(z.regex(/^[0-9a-f]{16}$/)),
  enc: base64url,
  key: base64url,
  nonce: base64url,
  ct: base64url,
});

/**
 * Seals a vendor key: AES-256-GCM under a fresh data key, which is wrapped for the proxy's key pair.
 *
 * @param publicKey the sealing half (base64url).
 * @returns the envelope's text.
 * @throws RangeError when the public key cannot be read.
 */
export async function sealSecret(
  publicKey: string,
  context: EnvelopeContext,
  plaintext: Secret,
): Promise<string> {
  const aad = additionalData(context);
  const dataKeyBytes = crypto.getRandomValues(new Uint8Array(DATA_KEY_BYTES));
  const dataKey = await crypto.subtle.importKey("raw", dataKeyBytes, "AES-GCM", false, ["encrypt"]);
  // One message per data key: a random nonce cannot repeat under it.
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const ciphertext = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: aad },
    dataKey,
    utf8(plaintext.reveal()),
  );
  const wrapped = await wrapKey(publicKey, aad, dataKeyBytes);
  dataKeyBytes.fill(0);
  return JSON.stringify({
    v: 1,
    provider: "local",
    kek: wrapped.kekId,
    enc: toBase64Url(wrapped.encapsulated),
    key: toBase64Url(wrapped.ciphertext),
    nonce: toBase64Url(nonce),
    ct: toBase64Url(new Uint8Array(ciphertext)),
  });
}

/** An envelope whose data key is unwrapped: ready to be decrypted, as often as needed. The vendor key is not in it. */
export interface UnwrappedEnvelope {
  /** Can decrypt and cannot be exported. */
  readonly dataKey: CryptoKey;
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
  readonly additionalData: Bytes;
}

/**
 * Reads an envelope and unwraps its data key.
 *
 * @throws when the envelope is malformed, of another context, sealed for another key, or altered.
 */
export async function unwrapEnvelope(
  envelope: string,
  context: EnvelopeContext,
  keys: LocalKeys,
): Promise<UnwrappedEnvelope> {
  const { kek, enc, key, nonce, ct } = readEnvelope(envelope);
  const aad = additionalData(context);
  const wrapped = { kekId: kek, encapsulated: readBytes(enc), ciphertext: readBytes(key) };
  const dataKeyBytes = await unwrapKey(keys, aad, wrapped);
  try {
    const dataKey = await crypto.subtle.importKey("raw", dataKeyBytes, "AES-GCM", false, ["decrypt"]);
    return { dataKey, nonce: readBytes(nonce), ciphertext: readBytes(ct), additionalData: aad };
  } finally {
    dataKeyBytes.fill(0);
  }
}

/**
 * Decrypts the vendor key.
 *
 * @throws when the envelope was altered.
 */
export async function openSecret(envelope: UnwrappedEnvelope): Promise<Secret> {
  const plaintext = await crypto.subtle.decrypt(
    { name: "AES-GCM", iv: envelope.nonce, additionalData: envelope.additionalData },
    envelope.dataKey,
    envelope.ciphertext,
  );
  const text = fromUtf8(new Uint8Array(plaintext));
  if (text === null) throw new TypeError("The sealed value is not text.");
  return new Secret(text);
}

function readEnvelope(text: string): z.infer<typeof envelopeSchema> {
  const envelope = envelopeSchema.parse(JSON.parse(text));
  // One spelling per envelope: nothing can be hidden in white space, key order or repeated members.
  if (JSON.stringify(envelope) !== text) throw new TypeError("The envelope is not in canonical form.");
  return envelope;
}

function readBytes(text: string): Bytes {
  const bytes = fromBase64Url(text);
  if (bytes === null) throw new TypeError("The envelope holds malformed base64url.");
  return bytes;
}

/** Length-free and unambiguous: none of the parts can hold the separator. */
function additionalData(context: EnvelopeContext): Bytes {
  const { organizationId, recordId, field, version } = context;
  return utf8(["relaykey", "1", organizationId, recordId, field, String(version)].join("|"));
}
