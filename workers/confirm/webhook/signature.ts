import { equalBytes, utf8 } from "@relaykey/core/bytes";
import type { Bytes } from "@relaykey/core/bytes";

/** Clocks differ, and deliveries take a moment. What is older is a replay. */
const TOLERANCE_SECONDS = 300;

/** A delivery whose sender has the secret. */
export interface Verified {
  /** The same for a delivery that is repeated. */
  readonly id: string;
  readonly body: string;
}

/**
 * Verifies a delivery after Standard Webhooks, which Svix's headers are an older spelling of: HMAC-SHA-256 over id, time
 * and body. Any of several signatures may fit, because senders sign with two secrets while they change them.
 *
 * @returns null when no signature fits, or the delivery is not of now.
 */
export async function verifyDelivery(
  headers: Headers,
  body: string,
  secret: Bytes,
  now: number,
): Promise<Verified | null> {
  const header = (name: string): string =>
    headers.get(`svix-${name}`) ?? headers.get(`webhook-${name}`) ?? "";
  const id = header("id");
  const timestamp = header("timestamp");
  if (!/^[\w.-]{1,200}$/.test(id) || !/^\d{1,12}$/.test(timestamp)) return null;
  if (Math.abs(now / 1_000 - Number(timestamp)) > TOLERANCE_SECONDS) return null;
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const expected = await crypto.subtle.sign("HMAC", key, utf8(`${id}.${timestamp}.${body}`));
  const fits = header("signature")
    .split(" ")
    .some((signature) => {
      const [version, value = ""] = signature.split(",");
      const given = version === "v1" ? decode(value) : null;
      return given !== null && equalBytes(given, new Uint8Array(expected));
    });
  return fits ? { id, body } : null;
}

function decode(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
