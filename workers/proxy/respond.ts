import type { PolicySnapshot } from "@relaykey/core/snapshot";
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
  content: { readonly body: ReadableStream<Uint8Array> | null } | { readonly client: WebSocket },
  intake: Intake,
  snapshot: PolicySnapshot,
): Response {
  const headers = callerResponseHeaders(upstream.headers, intake.requestId, snapshot.integration);
  if ("client" in content) return new Response(null, { status: 101, webSocket: content.client, headers });
  relocate(headers, intake, snapshot);
  return new Response(NULL_BODY.has(upstream.status) ? null : content.body, {
    status: upstream.status,
    statusText: upstream.statusText,
    headers,
  });
}
