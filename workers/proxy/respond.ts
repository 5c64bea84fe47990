import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { callerResponseHeaders } from "./headers.ts";
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
  const headers = callerResponseHeaders(upstream.headers, intake.requestId);
  if ("client" in content) return new Response(null, { status: 101, webSocket: content.client, headers });
  const location = headers.get("location");
  if (location !== null) headers.set("location", relocate(location, intake, snapshot));
  return new Response(NULL_BODY.has(upstream.status) ? null : content.body, {
    status: upstream.status,
    statusText: upstream.statusText,
    headers,
  });
}

/**
 * A redirect within the vendor's own origin is made to point back at the proxy, so that a client that follows it keeps
 * using its RelayKey; any other target is handed back as it is, and nothing here follows it.
 */
function relocate(location: string, intake: Intake, { integration }: PolicySnapshot): string {
  const base = `${integration.upstream.origin}${integration.upstream.basePath}`;
  if (location.startsWith(`${base}/`)) return `${intake.mountPath}${location.slice(base.length)}`;
  if (location.startsWith("/") && !location.startsWith("//")) {
    const { basePath } = integration.upstream;
    return location.startsWith(`${basePath}/`)
      ? `${intake.mountPath}${location.slice(basePath.length)}`
      : location;
  }
  return location;
}
