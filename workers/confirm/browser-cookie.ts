import { toBase64Url } from "@relaykey/core/bytes";

const VALUE = /^[A-Za-z0-9_-]{22}$/;
const VALUE_BYTES = 16;
const LIFETIME_SECONDS = 3_600;

/** What tells one browser from another, for the time of a visit. It names nobody. */
export interface BrowserCookie {
  readonly value: string;
  /** For the answer. */
  readonly header: string;
}

/**
 * The cookie that page forms are bound to: the one the browser has, or a new one. Under https its name keeps it from being
 * set by a neighbouring host or over http (`__Host-`, RFC 6265bis §4.1.3.2).
 */
export function browserCookie(request: Request, origin: string): BrowserCookie {
  const isSecure = origin.startsWith("https:");
  const name = isSecure ? "__Host-relaykey-page" : "relaykey-page";
  const value = read(request, name) ?? toBase64Url(crypto.getRandomValues(new Uint8Array(VALUE_BYTES)));
  const flags = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${String(LIFETIME_SECONDS)}${isSecure ? "; Secure" : ""}`;
  return { value, header: `${name}=${value}; ${flags}` };
}

function read(request: Request, name: string): string | null {
  for (const pair of (request.headers.get("cookie") ?? "").split(/; ?/)) {
    const [key, value = ""] = pair.split("=");
    if (key === name && VALUE.test(value)) return value;
  }
  return null;
}
