import { base62Width, decodeBase62, encodeBase62 } from "./base62.ts";
import { concatBytes, equalBytes, fromAnyBase64, fromHex, toHex, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { crc32 } from "./crc32.ts";
import { Secret } from "./secret.ts";

/** Keys for the proxy, and keys for the management API. */
export type TokenKind = "proxy" | "mgmt";

/** A token whose form and check digits are right. Says nothing about whether it was ever issued. */
export interface ParsedToken {
  readonly kind: TokenKind;
  /** Names the holder's object: 16 hex digits. Management tokens have none. */
  readonly locator: string | null;
  readonly text: Secret;
}

/** A new token, to be shown once. */
export interface MintedToken {
  readonly token: Secret;
  /** SHA-256 of the whole text, 64 hex digits: all that is stored. */
  readonly hash: string;
  /** `rk_proxy_…` and the last four characters. */
  readonly display: string;
}

const PREFIX: Record<TokenKind, string> = { proxy: "rk_proxy_", mgmt: "rk_mgmt_" };
const VERSION = 1;
const LOCATOR_BYTES: Record<TokenKind, number> = { proxy: 8, mgmt: 0 };
const SECRET_BYTES = 20;
const TAG_BYTES = 8;
const CRC_BYTES = 4;
const TAG_KEY_BYTES = 32;

/** Finds texts of either kind in a larger text (use with the `g` flag); what it finds still has to be parsed. */
export const TOKEN_PATTERN = new RegExp(
  `${PREFIX.proxy}[0-9A-Za-z]{${String(bodyWidth("proxy"))}}|${PREFIX.mgmt}[0-9A-Za-z]{${String(bodyWidth("mgmt"))}}`,
  "g",
);

/**
 * Imports the key of the tags.
 *
 * @param base64 32 random bytes.
 * @throws RangeError when it is not 32 bytes in base64.
 */
export async function importTagKey(base64: string): Promise<CryptoKey> {
  const bytes = fromAnyBase64(base64);
  if (bytes?.length !== TAG_KEY_BYTES) throw new RangeError("A token key is 32 random bytes in base64.");
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

/** Eight random bytes that name a key holder, in hex. */
export function newLocator(): string {
  return toHex(randomBytes(LOCATOR_BYTES.proxy));
}

/**
 * Issues a token: `prefix ‖ base62(version ‖ locator ‖ secret ‖ tag) ‖ base62(CRC-32)`.
 *
 * @param locator 16 hex digits for a proxy token, null for a management token.
 * @param random a CSPRNG; another one is for tests.
 * @throws RangeError when the locator does not fit the kind.
 */
export async function mintToken(
  kind: TokenKind,
  locator: string | null,
  tagKey: CryptoKey,
  random: (length: number) => Bytes = randomBytes,
): Promise<MintedToken> {
  const locatorBytes = locator === null ? new Uint8Array() : fromHex(locator);
  if (locatorBytes?.length !== LOCATOR_BYTES[kind]) {
    throw new RangeError("A proxy token has a locator of 16 hex digits, a management token has none.");
  }
  const signed = concatBytes(Uint8Array.of(VERSION), locatorBytes, random(SECRET_BYTES));
  const tag = await computeTag(kind, signed, tagKey);
  const body = `${PREFIX[kind]}${encodeBase62(concatBytes(signed, tag))}`;
  const text = `${body}${checkDigits(body)}`;
  return { token: new Secret(text), hash: await hashToken(text), display: displayToken(text) };
}

/**
 * Reads a token with arithmetic alone: prefix, width, alphabet, version, check digits. Offline, so that a secret
 * scanner or a command line can tell a typo from a key. There is one spelling per token.
 */
export function parseToken(text: string): ParsedToken | null {
  const payload = readPayload(text);
  if (payload === null) return null;
  const { kind, bytes } = payload;
  const locator = kind === "proxy" ? toHex(bytes.subarray(1, 1 + LOCATOR_BYTES.proxy)) : null;
  return { kind, locator, text: new Secret(text) };
}

/** Whether this installation issued the token: the tag is HMAC-SHA-256 cut to 8 bytes, compared in constant time. */
export async function verifyTag(token: ParsedToken, tagKey: CryptoKey): Promise<boolean> {
  const payload = readPayload(token.text.reveal());
  if (payload === null) return false;
  const signed = payload.bytes.subarray(0, -TAG_BYTES);
  const expected = await computeTag(payload.kind, signed, tagKey);
  return equalBytes(expected, payload.bytes.subarray(-TAG_BYTES));
}

/** SHA-256 of the whole text in hex: the only form in which a token is stored or looked up. */
export async function hashToken(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}

/** What may be shown of a token. */
export function displayToken(text: string): string {
  const prefix = Object.values(PREFIX).find((candidate) => text.startsWith(candidate)) ?? "";
  return `${prefix}…${text.slice(-4)}`;
}

function readPayload(text: string): { kind: TokenKind; bytes: Bytes } | null {
  const kind = (["proxy", "mgmt"] as const).find((candidate) => text.startsWith(PREFIX[candidate]));
  if (kind === undefined || text.length !== PREFIX[kind].length + bodyWidth(kind)) return null;
  const body = text.slice(0, -base62Width(CRC_BYTES));
  if (text.slice(body.length) !== checkDigits(body)) return null;
  const bytes = decodeBase62(body.slice(PREFIX[kind].length), payloadBytes(kind));
  return bytes?.[0] === VERSION ? { kind, bytes } : null;
}

async function computeTag(kind: TokenKind, signed: Uint8Array, tagKey: CryptoKey): Promise<Uint8Array> {
  const mac = await crypto.subtle.sign("HMAC", tagKey, concatBytes(utf8(PREFIX[kind]), signed));
  return new Uint8Array(mac).subarray(0, TAG_BYTES);
}

function checkDigits(body: string): string {
  const bytes = new Uint8Array(CRC_BYTES);
  new DataView(bytes.buffer).setUint32(0, crc32(utf8(body)));
  return encodeBase62(bytes);
}

function payloadBytes(kind: TokenKind): number {
  return 1 + LOCATOR_BYTES[kind] + SECRET_BYTES + TAG_BYTES;
}

function bodyWidth(kind: TokenKind): number {
  return base62Width(payloadBytes(kind)) + base62Width(CRC_BYTES);
}

function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}
