import { canonicalIp } from "@relaykey/core/ip";

/** Who called, in the one canonical form used by policy, holder object, mail and audit. */
export interface ClientIp {
  readonly address: string;
  /** What counts as one client: the IPv4 address, or the IPv6 /64. */
  readonly network: string;
}

/**
 * The caller's address from a source that the caller cannot set: on Cloudflare the edge overwrites CF-Connecting-IP;
 * in the local edition workerd itself says who the peer of the connection is (`cf.clientIp`, "ip:port").
 */
export function clientIp(request: Request, edition: "cloudflare" | "local"): ClientIp | null {
  if (edition === "cloudflare") {
    const header = request.headers.get("cf-connecting-ip");
    return header === null ? null : canonicalIp(header);
  }
  const peer: unknown = request.cf?.["clientIp"];
  if (typeof peer !== "string") return null;
  return canonicalIp(peer.replace(/:\d+$/, ""));
}
