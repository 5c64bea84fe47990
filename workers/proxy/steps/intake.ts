import { clientIp } from "@relaykey/core/client-ip";
import type { ClientIpSource } from "@relaykey/core/client-ip";
import type { CanonicalIp } from "@relaykey/core/ip";
import { readTarget as readJudgedTarget } from "@relaykey/core/judge";
import type { TargetResult } from "@relaykey/core/target";
import type { Place } from "@relaykey/core/rpc";
import { readPlace } from "../place.ts";
import { holdsRelayKey, readSlots } from "../slots.ts";

/** A request as the following steps see it. Raw strings end here. */
export interface Intake {
  readonly requestId: string;
  /** Epoch ms. */
  readonly at: number;
  readonly method: string;
  /** The integration that was addressed, by path or by host; null when none can be read. */
  readonly slug: string | null;
  /** Scheme and authority the caller used, as in `https://proxy.example.com`. */
  readonly origin: string;
  /** How it was addressed: what a rewritten `Location` must begin with ("/openai" or ""). */
  readonly mountPath: string;
  readonly target: TargetResult;
  readonly tokens: readonly string[];
  readonly foreignCredential: boolean;
  readonly ip: CanonicalIp | null;
  /** Where that is; read when somebody has to be told. */
  readonly place: () => Place;
  readonly userAgent: string | null;
  readonly subprotocols: readonly string[];
  readonly isWebSocket: boolean;
  /** The path as it was sent, for the audit row, also when it is refused as ambiguous. */
  readonly rawPath: string;
}

/** A slug as integrations may be named; the same form everywhere. */
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Step 1. Reads a request once: who calls, with what, for which integration, exactly which target. */
export function readIntake(
  request: Request,
  requestId: string,
  now: number,
  config: { readonly proxyUrl: URL; readonly clientIps: ClientIpSource },
): Intake {
  const { origin, host, path, query } = splitUrl(request.url);
  const slots = readSlots(request.headers, query);
  const address = readAddress(host, path, config.proxyUrl.host);
  return {
    requestId,
    at: now,
    method: request.method,
    slug: address.slug,
    origin: publicOrigin(origin, host, config.proxyUrl),
    mountPath: address.mountPath,
    target: readTarget(address.path, slots.query),
    tokens: slots.tokens,
    foreignCredential: slots.foreign,
    ip: clientIp(request, config.clientIps),
    place: () => readPlace(request.cf),
    userAgent: request.headers.get("user-agent"),
    subprotocols: slots.subprotocols,
    isWebSocket: request.headers.get("upgrade")?.toLowerCase() === "websocket",
    rawPath: address.path,
  };
}

function readTarget(path: string, query: string): TargetResult {
  if (holdsRelayKey(path) || holdsRelayKey(query)) {
    return {
      ok: false,
      detail: "A RelayKey stands in the path or the query, where it would reach the vendor.",
    };
  }
  return readJudgedTarget(path, query);
}

/** Cuts a URL into raw parts without a URL parser, so that no byte of path and query is changed by looking at it. */
function splitUrl(url: string): { origin: string; host: string; path: string; query: string } {
  const authority = url.indexOf("//") + 2;
  const end = firstOf(url, "/?#", authority);
  const hash = url.indexOf("#", end);
  const rest = hash < 0 ? url.slice(end) : url.slice(end, hash);
  const mark = rest.indexOf("?");
  return {
    origin: url.slice(0, end),
    host: url.slice(authority, end).toLowerCase(),
    path: mark < 0 ? rest : rest.slice(0, mark),
    query: mark < 0 ? "" : rest.slice(mark + 1),
  };
}

function firstOf(text: string, characters: string, from: number): number {
  for (let index = from; index < text.length; index += 1) {
    if (characters.includes(text.charAt(index))) return index;
  }
  return text.length;
}

/** A front that ends TLS passes requests on by http: what its callers are told to go to must not be. */
function publicOrigin(origin: string, host: string, { host: proxyHost, protocol }: URL): string {
  return host === proxyHost || host.endsWith(`.${proxyHost}`) ? `${protocol}//${host}` : origin;
}

/** `https://{slug}.PROXY/…` for SDKs without a base path, else `https://PROXY/{slug}/…`. */
function readAddress(
  host: string,
  path: string,
  proxyHost: string,
): { slug: string | null; mountPath: string; path: string } {
  if (host.endsWith(`.${proxyHost}`)) {
    const label = host.slice(0, -proxyHost.length - 1);
    return { slug: SLUG.test(label) ? label : null, mountPath: "", path: path === "" ? "/" : path };
  }
  const end = path.indexOf("/", 1);
  const label = end < 0 ? path.slice(1) : path.slice(1, end);
  const rest = end < 0 ? "/" : path.slice(end);
  return SLUG.test(label)
    ? { slug: label, mountPath: `/${label}`, path: rest }
    : { slug: null, mountPath: "", path: path === "" ? "/" : path };
}
