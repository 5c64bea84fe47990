import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { rateLimitFields } from "@relaykey/core/rate-limit-fields";
import type { RateLimitStatus } from "@relaykey/core/rate-limit-fields";
import type { SecretMatcher } from "@relaykey/core/scrub/matcher";
import { scrubText } from "@relaykey/core/scrub/scrubber";
import { callerResponseHeaders } from "./headers.ts";
import { relocate } from "./relocate.ts";
import type { Intake } from "./steps/intake.ts";

/** Statuses whose response has no body (Fetch §2.2.3). */
const NULL_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/**
 * The vendor's answer as the caller gets it: same status, filtered header fields, and the relayed body or the caller's
 * end of the relayed WebSocket.
 */
export function callerResponse(
  upstream: Response,
  content: { readonly body: ReadableStream<Uint8Array> | Uint8Array | null } | { readonly client: WebSocket },
  intake: Intake,
  snapshot: PolicySnapshot,
  { matcher, rate }: { readonly matcher: SecretMatcher | null; readonly rate: RateLimitStatus | null },
): Response {
  const headers = callerResponseHeaders(upstream.headers, intake.requestId, snapshot.integration);
  if ("client" in content) return new Response(null, { status: 101, webSocket: content.client, headers });
  relocate(headers, intake, snapshot);
  if (matcher !== null) scrubHeaders(headers, matcher);
  // A vendor's own fields are left alone.
  if (rate !== null && !headers.has("ratelimit") && !headers.has("ratelimit-policy")) {
    for (const [name, value] of rateLimitFields(rate)) headers.set(name, value);
  }
  return new Response(NULL_BODY.has(upstream.status) ? null : content.body, {
    status: upstream.status,
    statusText: upstream.statusText,
    headers,
  });
}

/** Blots the vendor key out of field values. */
function scrubHeaders(headers: Headers, matcher: SecretMatcher): void {
  for (const [name, value] of [...headers]) {
    const scrubbed = scrubText(matcher, value);
    if (scrubbed === value) continue;
    // A repeated Set-Cookie is one entry per value: only then may a name stand twice.
    if (name === "set-cookie") {
      const cookies = headers.getSetCookie().map((cookie) => scrubText(matcher, cookie));
      headers.delete(name);
      for (const cookie of cookies) headers.append(name, cookie);
    } else headers.set(name, scrubbed);
  }
}
