import { toBase64Url, toHex, utf8 } from "@relaykey/core/bytes";

const TOKEN_BYTES = 32;

/** 256 bits, as links and cookies carry them. */
export function newToken(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)));
}

/** SHA-256 (hex): the form in which a token is stored. */
export async function hashOf(token: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(token))));
}

/** Crockford's alphabet: no letter that is taken for a digit. */
const CODE_ALPHABET = ["0123456789", "ABCDEFGHJKMNPQRSTVWXYZ"].join("");
const CODE_LENGTH = 8;

/** Forty bits that a person can type: "7K3M-Q9TX". */
export function newCode(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(CODE_LENGTH));
  const text = [...bytes].map((byte) => CODE_ALPHABET[byte % CODE_ALPHABET.length] ?? "").join("");
  return `${text.slice(0, CODE_LENGTH / 2)}-${text.slice(CODE_LENGTH / 2)}`;
}

/** The code as it was typed, in the one form that is compared: case, spaces and hyphens do not count. */
export function normalizeCode(typed: string): string {
  return typed.toUpperCase().replace(/[\s-]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");
}

/**
 * The form in which a code is stored. Forty bits would be guessed from a plain hash by whoever reads the table: this one
 * takes the control plane's key as well. It is bound to the browser that asked.
 */
export async function codeHashOf(controlKey: CryptoKey, browserHash: string, typed: string): Promise<string> {
  const text = utf8(`sign-in code\0${browserHash}\0${normalizeCode(typed)}`);
  return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", controlKey, text)));
}
