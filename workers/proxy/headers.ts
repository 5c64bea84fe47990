import { HEADER_SLOTS, holdsRelayKey } from "./slots.ts";

/**
 * Which header fields cross the relay. Requests go by allowlist: what is not named here or by the integration stays
 * behind. Responses go by denylist: callers need the vendor's own fields (rate limits, request ids, …).
 */

/** Request fields that are safe for every vendor. */
const REQUEST_SAFE: ReadonlySet<string> = new Set([
  "accept",
  "accept-language",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-range",
  "content-type",
  "digest",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "prefer",
  "range",
  "user-agent",
]);

/**
 * Never sent, whatever an integration names: hop-by-hop fields (RFC 9110 §7.6.1), credentials, cookies, and fields by
 * which a caller could claim another address, method or URL to the upstream.
 */
const REQUEST_NEVER: ReadonlySet<string> = new Set([
  ...HEADER_SLOTS,
  "connection",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  "keep-alive",
  "max-forwards",
  "origin-override",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "true-client-ip",
  "upgrade",
  "via",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-host",
  "x-original-method",
  "x-original-url",
  "x-real-ip",
  "x-rewrite-url",
]);
const REQUEST_NEVER_PREFIXES = ["cf-", "x-forwarded-", "x-envoy-", "sec-", "proxy-", "relaykey-"] as const;

/** Response fields that end here: hop-by-hop, cookies, and fields that speak for the proxy's own origin. */
const RESPONSE_NEVER: ReadonlySet<string> = new Set([
  "alt-svc",
  "clear-site-data",
  "connection",
  "keep-alive",
  "nel",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "report-to",
  "set-cookie",
  "set-cookie2",
  "strict-transport-security",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What a request's header fields became. `dropped` holds names only, sorted, for the audit detail. */
export interface UpstreamHeaders {
  readonly headers: Headers;
  readonly dropped: string[];
}

/**
 * Copies what may travel upstream.
 *
 * @param admitted the integration's own names and `prefix-*` patterns, lower case.
 */
export function upstreamRequestHeaders(source: Headers, admitted: readonly string[]): UpstreamHeaders {
  const headers = new Headers();
  const dropped: string[] = [];
  const nominated = nominatedByConnection(source);
  for (const [name, value] of source) {
    if (!nominated.has(name) && mayTravel(name, admitted) && !holdsRelayKey(value))
      headers.append(name, value);
    else dropped.push(name);
  }
  // One encoding on both legs: what the caller reads is what the scrubber and the byte counters saw.
  headers.set("accept-encoding", "identity");
  return { headers, dropped: dropped.sort() };
}

function mayTravel(name: string, admitted: readonly string[]): boolean {
  if (REQUEST_NEVER.has(name) || REQUEST_NEVER_PREFIXES.some((prefix) => name.startsWith(prefix)))
    return false;
  if (REQUEST_SAFE.has(name)) return true;
  return admitted.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** Copies what may reach the caller. Our own request id is added; the vendor's ids stay as they are. */
export function callerResponseHeaders(
  source: Headers,
  requestId: string,
  { responseCookies }: { readonly responseCookies: boolean },
): Headers {
  const headers = new Headers();
  const nominated = nominatedByConnection(source);
  for (const [name, value] of source) {
    if (nominated.has(name) || name.startsWith("relaykey-")) continue;
    if (RESPONSE_NEVER.has(name) && !(responseCookies && name === "set-cookie")) continue;
    headers.append(name, value);
  }
  headers.set("RelayKey-Request-Id", requestId);
  return headers;
}

/** Fields that `Connection` declares hop-by-hop (RFC 9110 §7.6.1). */
function nominatedByConnection(source: Headers): ReadonlySet<string> {
  const value = source.get("connection");
  if (value === null) return new Set();
  return new Set(value.split(",").map((name) => name.trim().toLowerCase()));
}

/**
 * The caller's trace, continued under our request id: the last 8 bytes of the id become the parent id
 * (W3C Trace Context §3.2). A malformed `traceparent` is not passed on.
 */
export function continueTrace(source: Headers, target: Headers, requestId: string): void {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(source.get("traceparent") ?? "");
  if (match === null) return;
  const [, traceId = "", parentId = "", flags = ""] = match;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return;
  target.set("traceparent", `00-${traceId}-${requestId.replaceAll("-", "").slice(16)}-${flags}`);
  const state = source.get("tracestate");
  if (state !== null) target.set("tracestate", state);
}
