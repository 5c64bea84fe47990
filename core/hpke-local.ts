import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from "hpke";
import { fromAnyBase64, fromBase64Url, toBase64Url, toHex, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";

/**
 * The `local` key provider: HPKE base mode (RFC 9180), DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Who has
 * the public half can seal and never open.
 */
const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);

const INFO = utf8("relaykey envelope v2");
const MASTER_KEY_BYTES = 32;

export interface LocalKeys {
  /** Names the key pair in envelopes: the first 8 bytes of SHA-256 of the public half, in hex. */
  readonly kekId: string;
  /** The sealing half, base64url. */
  readonly publicKey: string;
  /** The opening half; not extractable. */
  readonly privateKey: Awaited<ReturnType<typeof suite.DeriveKeyPair>>;
}

/** A data key wrapped for one public key. */
export interface WrappedKey {
  readonly kekId: string;
  readonly encapsulated: Bytes;
  readonly ciphertext: Bytes;
}

/**
 * Derives the key pair from the master key (DeriveKeyPair, RFC 9180 §7.1.3).
 *
 * @param masterKeyBase64 32 random bytes.
 * @throws RangeError when it is not 32 bytes in base64.
 */
export async function deriveLocalKeys(masterKeyBase64: string): Promise<LocalKeys> {
  const master = fromAnyBase64(masterKeyBase64);
  if (master?.length !== MASTER_KEY_BYTES) throw new RangeError("A master key is 32 random bytes in base64.");
  const pair = await suite.DeriveKeyPair(master, false);
  const publicBytes = await suite.SerializePublicKey(pair.publicKey);
  return { kekId: await kekIdOf(publicBytes), publicKey: toBase64Url(publicBytes), privateKey: pair };
}

/**
 * @param publicKey base64url of 32 bytes.
 * @throws RangeError when the public key cannot be read.
 */
export async function wrapKey(publicKey: string, aad: Bytes, key: Bytes): Promise<WrappedKey> {
  const bytes = fromBase64Url(publicKey);
  if (bytes?.length !== 32) throw new RangeError("A sealing key is 32 bytes in base64url.");
  const recipient = await suite.DeserializePublicKey(bytes);
  const sealed = await suite.Seal(recipient, key, { aad, info: INFO });
  return {
    kekId: await kekIdOf(bytes),
    encapsulated: new Uint8Array(sealed.encapsulatedSecret),
    ciphertext: new Uint8Array(sealed.ciphertext),
  };
}

/** @throws when the wrapped key was made for another key pair, another context, or was altered. */
export async function unwrapKey(keys: LocalKeys, aad: Bytes, wrapped: WrappedKey): Promise<Bytes> {
  if (wrapped.kekId !== keys.kekId) throw new RangeError("The envelope was sealed for another key.");
  const key = await suite.Open(keys.privateKey, wrapped.encapsulated, wrapped.ciphertext, {
    aad,
    info: INFO,
  });
  return new Uint8Array(key);
}

/** Names a pair by its sealing half. @throws RangeError when that cannot be read. */
export async function localKeyId(publicKey: string): Promise<string> {
  const bytes = fromBase64Url(publicKey);
  if (bytes?.length !== 32) throw new RangeError("A sealing key is 32 bytes in base64url.");
  return kekIdOf(bytes);
}

async function kekIdOf(publicBytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(publicBytes));
  return toHex(new Uint8Array(digest).subarray(0, 8));
}
