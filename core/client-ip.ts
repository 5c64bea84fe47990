import { canonicalIp } from "./ip.ts";
import type { CanonicalIp } from "./ip.ts";

/** Where a Worker runs: who says which peer a request comes from. */
export type Edition = "cloudflare" | "local";

/** As much of a request as its origin is read from. */
interface IncomingRequest {
  readonly headers: Headers;
  readonly cf?: unknown;
}

/**
 * The caller's address from a source that the caller cannot set: on Cloudflare the edge overwrites CF-Connecting-IP;
 * in the local edition workerd itself says who the peer of the connection is (`cf.clientIp`, "ip:port").
 */
export function clientIp(request: IncomingRequest, edition: Edition): CanonicalIp | null {
  if (edition === "cloudflare") {
    const header = request.headers.get("cf-connecting-ip");
    return header === null ? null : canonicalIp(header);
  }
  const peer = (request.cf as { readonly clientIp?: unknown } | null | undefined)?.clientIp;
  if (typeof peer !== "string") return null;
  return canonicalIp(peer.replace(/:\d+$/, ""));
}
