import { equalBytes, fromHex, utf8 } from "@relaykey/core/bytes";
import type { Bytes } from "@relaykey/core/bytes";
import type { Secret } from "@relaykey/core/secret";

/** Clocks differ, and deliveries take a moment. What is older is a replay. */
const TOLERANCE_SECONDS = 300;
/** Stripe signs with as many secrets as an endpoint has while one is replaced: two. */
const MAX_SIGNATURES = 8;
const MAX_HEADER = 2_048;
const DIGEST_BYTES = 32;

/**
 * Whether Stripe sent this body, of late: HMAC-SHA-256 over time and body, `t=…,v1=…`. Any of several signatures may fit.
 *
 * @param body as it came, byte for byte.
 * @param now epoch ms.
 */
export async function isFromStripe(
  header: string | null,
  body: Bytes,
  secret: Secret,
  now: number,
): Promise<boolean> {
  const signed = header === null ? null : parse(header);
  if (signed === null) return false;
  if (Math.abs(now / 1_000 - Number(signed.timestamp)) > TOLERANCE_SECONDS) return false;
  const key = await crypto.subtle.importKey(
    "raw",
    utf8(secret.reveal()),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const head = utf8(`${signed.timestamp}.`);
  const message = new Uint8Array(head.length + body.length);
  message.set(head);
  message.set(body, head.length);
  const expected = new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
  return signed.signatures.filter((given) => equalBytes(given, expected)).length > 0;
}

/** Members of other schemes (`v0` is Stripe's for test events) prove nothing and are passed over. */
function parse(header: string): { readonly timestamp: string; readonly signatures: readonly Bytes[] } | null {
  if (header.length > MAX_HEADER) return null;
  const members = header.split(",").map((member) => member.trim());
  const valuesOf = (name: string): string[] =>
    members.filter((member) => member.startsWith(`${name}=`)).map((member) => member.slice(name.length + 1));
  const [timestamp, ...moreTimestamps] = valuesOf("t");
  if (timestamp === undefined || moreTimestamps.length > 0 || !/^\d{1,12}$/.test(timestamp)) return null;
  const signatures = valuesOf("v1")
    .slice(0, MAX_SIGNATURES)
    .map(fromHex)
    .filter((signature): signature is Bytes => signature?.length === DIGEST_BYTES);
  return { timestamp, signatures };
}
