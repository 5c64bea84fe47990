import {
  concatBytes,
  equalBytes,
  fromBase64Url,
  fromHex,
  toBase64Url,
  toHex,
  utf8,
} from "@relaykey/core/bytes";

/** What a confirmation link carries. */
export interface Link {
  /** Names the holder's object: 16 hex digits. */
  readonly holderLocator: string;
  /** 256 bits, base64url. */
  readonly token: string;
}

const LOCATOR_BYTES = 8;
const TOKEN_BYTES = 32;
const TAG_BYTES = 8;
/** 48 bytes in base64url, without remainder. */
const CODE_LENGTH = 64;

/**
 * The last part of a link's path: locator ‖ token ‖ tag. The tag is a truncated HMAC-SHA-256 under this Worker's key, so
 * that an invented link costs no call of the data plane and wakes no object. The token alone is what counts there.
 *
 * @throws RangeError when locator or token are not of their form.
 */
export async function encodeLink(link: Link, key: CryptoKey): Promise<string> {
  const locator = fromHex(link.holderLocator);
  const token = fromBase64Url(link.token);
  if (locator?.length !== LOCATOR_BYTES || token?.length !== TOKEN_BYTES) {
    throw new RangeError("The locator must be 8 bytes in hexadecimal, the token 32 bytes in base64url.");
  }
  const body = concatBytes(locator, token);
  return toBase64Url(concatBytes(body, await tag(body, key)));
}

/** @returns null when this Worker has made no such link. */
export async function decodeLink(code: string, key: CryptoKey): Promise<Link | null> {
  const bytes = code.length === CODE_LENGTH ? fromBase64Url(code) : null;
  if (bytes === null) return null;
  const body = bytes.subarray(0, LOCATOR_BYTES + TOKEN_BYTES);
  if (!equalBytes(bytes.subarray(body.length), await tag(body, key))) return null;
  return {
    holderLocator: toHex(body.subarray(0, LOCATOR_BYTES)),
    token: toBase64Url(body.subarray(LOCATOR_BYTES)),
  };
}

async function tag(body: Uint8Array, key: CryptoKey): Promise<Uint8Array> {
  const mac = await crypto.subtle.sign("HMAC", key, concatBytes(utf8("relaykey link v1\0"), body));
  return new Uint8Array(mac).subarray(0, TAG_BYTES);
}
