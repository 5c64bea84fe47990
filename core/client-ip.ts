import { canonicalIp, compileCidrs, parseCidr } from "./ip.ts";
import type { CanonicalIp, IpMatcher } from "./ip.ts";

/** Where a Worker runs: who says which peer a request comes from. */
export type Edition = "cloudflare" | "local";

/** Whose word on where a request comes from counts. */
export type ClientIpSource =
  /** Cloudflare's edge, which overwrites CF-Connecting-IP. */
  | { readonly kind: "edge" }
  /** workerd, which says who the peer of the connection is (`cf.clientIp`); and of peers, those that forward for others. */
  | { readonly kind: "peer"; readonly isTrustedProxy: IpMatcher };

export type ClientIpSourceResult =
  | { readonly ok: true; readonly source: ClientIpSource }
  /** The sentence names RELAYKEY_TRUSTED_PROXIES and repeats no value. */
  | { readonly ok: false; readonly detail: string };

/** As much of a request as its origin is read from. */
interface IncomingRequest {
  readonly headers: Headers;
  readonly cf?: unknown;
}

/**
 * Reads the setting RELAYKEY_TRUSTED_PROXIES: addresses and blocks, by commas, of the servers that pass requests on to this
 * machine and append to `X-Forwarded-For` where they had them from. Empty: nobody is believed.
 */
export function readClientIpSource(edition: Edition, trustedProxies: string): ClientIpSourceResult {
  const blocks = trustedProxies.split(",").flatMap((block) => (block.trim() === "" ? [] : [block.trim()]));
  if (edition === "cloudflare") {
    if (blocks.length === 0) return { ok: true, source: { kind: "edge" } };
    const detail = `RELAYKEY_TRUSTED_PROXIES is for RELAYKEY_EDITION "local": Cloudflare's edge tells where a request comes from. Leave it empty.`;
    return { ok: false, detail };
  }
  for (const block of blocks) {
    const cidr = parseCidr(block);
    if (cidr === null) {
      const detail = `RELAYKEY_TRUSTED_PROXIES must be addresses or blocks by commas, as in "127.0.0.1/32,10.0.0.0/8", without set bits beyond a block's length.`;
      return { ok: false, detail };
    }
    if (cidr.bits === 0) {
      const detail = `RELAYKEY_TRUSTED_PROXIES must not be everybody: every caller could then say that it calls from elsewhere.`;
      return { ok: false, detail };
    }
  }
  return { ok: true, source: { kind: "peer", isTrustedProxy: compileCidrs(blocks) } };
}

/**
 * The caller's address from a source that the caller cannot set.
 *
 * @returns null when it cannot be told: then nothing that depends on it may be decided in the caller's favour.
 */
export function clientIp(request: IncomingRequest, source: ClientIpSource): CanonicalIp | null {
  if (source.kind === "edge") return readAddress(request.headers.get("cf-connecting-ip"));
  const told = (request.cf as { readonly clientIp?: unknown } | null | undefined)?.clientIp;
  const peer = typeof told === "string" ? canonicalIp(told.replace(/:\d+$/, "")) : null;
  if (peer === null || !source.isTrustedProxy(peer.address)) return peer;
  return forwardedFor(request.headers.get("x-forwarded-for"), source.isTrustedProxy);
}

/**
 * Whom a trusted proxy forwards for. Each hop appends whom it had the request from, so the list is read from its end: the
 * first that is no trusted proxy is the caller, and what stands before it is the caller's own word. A hop that cannot be
 * read, or a proxy that names nobody, leaves the caller unknown.
 */
function forwardedFor(list: string | null, isTrustedProxy: IpMatcher): CanonicalIp | null {
  let caller: CanonicalIp | null = null;
  for (const hop of (list ?? "").split(",").reverse()) {
    caller = readAddress(hop.trim());
    if (caller === null || !isTrustedProxy(caller.address)) return caller;
  }
  return caller;
}

function readAddress(text: string | null): CanonicalIp | null {
  return text === null ? null : canonicalIp(text);
}
