/** Where callers put a RelayKey: one table, from what the vendors' own SDKs send. */

/** Headers that carry a bare credential (a scheme in front is cut off by `readAuthorization`). */
export const HEADER_SLOTS = [
  "authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "xi-api-key",
  "apikey",
  "x-auth-key",
  "x-auth-token",
  "private-token",
] as const;

/** Query parameters that carry a bare credential. */
const QUERY_SLOTS: ReadonlySet<string> = new Set(["key", "api_key", "apikey", "access_token"]);

/** Browser WebSockets cannot set headers: the key travels behind one of these in Sec-WebSocket-Protocol. */
const SUBPROTOCOL_PREFIXES = ["openai-insecure-api-key."] as const;

/** Some SDKs check how a key begins; a RelayKey may stand behind these. */
const VENDOR_PREFIXES = ["SG.", "sk-ant-", "sk-", "re_", "xoxb-", "ghp_", "AC"] as const;

/** What was found in a request's credential slots. */
export interface SlotFindings {
  /** Distinct texts that begin like a RelayKey, vendor prefix removed. */
  readonly tokens: readonly string[];
  /** A credential that is no RelayKey stands in a slot. */
  readonly foreign: boolean;
  /** The query without the parameters that carried a RelayKey; all other bytes unchanged. */
  readonly query: string;
  /** The offered WebSocket subprotocols without the one that carried a key. */
  readonly subprotocols: readonly string[];
}

/** Looks for RelayKeys in every known slot of a request. Raw credentials end here: nothing else reads these fields. */
export function readSlots(headers: Headers, rawQuery: string): SlotFindings {
  const found = new Set<string>();
  let foreign = false;
  const take = (candidate: string): boolean => {
    const token = stripVendorPrefix(candidate);
    if (isRelayKeyLike(token)) found.add(token);
    else if (candidate !== "") foreign = true;
    return isRelayKeyLike(token);
  };

  for (const name of HEADER_SLOTS) {
    const value = headers.get(name);
    if (value === null) continue;
    for (const candidate of name === "authorization" ? readAuthorization(value) : [value.trim()]) {
      take(candidate);
    }
  }

  const kept: string[] = [];
  for (const part of rawQuery === "" ? [] : rawQuery.split("&")) {
    const separator = part.indexOf("=");
    const name = separator < 0 ? part : part.slice(0, separator);
    const value = separator < 0 ? "" : part.slice(separator + 1);
    // Only a RelayKey is taken out: a vendor may well have a parameter named "key" of its own.
    const carriesKey = QUERY_SLOTS.has(name) && isRelayKeyLike(stripVendorPrefix(value));
    if (carriesKey) take(value);
    else kept.push(part);
  }

  const subprotocols: string[] = [];
  for (const offered of (headers.get("sec-websocket-protocol") ?? "").split(",")) {
    const protocol = offered.trim();
    if (protocol === "") continue;
    const prefix = SUBPROTOCOL_PREFIXES.find((candidate) => protocol.startsWith(candidate));
    if (prefix === undefined) subprotocols.push(protocol);
    else take(protocol.slice(prefix.length));
  }

  return { tokens: [...found], foreign, query: kept.join("&"), subprotocols };
}

/** The credentials of an Authorization header: Bearer and `token` carry one, Basic two (RFC 7617 §2). */
function readAuthorization(value: string): string[] {
  const match = /^([A-Za-z]+) +(\S+)$/.exec(value.trim());
  if (match === null) return [value.trim()];
  const [, scheme = "", rest = ""] = match;
  switch (scheme.toLowerCase()) {
    case "bearer":
    case "token":
      return [rest];
    case "basic":
      return readBasic(rest);
    default:
      return [rest];
  }
}

function readBasic(encoded: string): string[] {
  let pair: string;
  try {
    pair = atob(encoded);
  } catch {
    return [encoded];
  }
  const colon = pair.indexOf(":");
  const [user, password] = colon < 0 ? [pair, ""] : [pair.slice(0, colon), pair.slice(colon + 1)];
  const relayKeys = [user, password].filter((part) => isRelayKeyLike(stripVendorPrefix(part)));
  // The other half may be anything the SDK fills in: an account id, "x", nothing.
  return relayKeys.length > 0 ? relayKeys : [user];
}

function stripVendorPrefix(text: string): string {
  const prefix = VENDOR_PREFIXES.find((candidate) => text.startsWith(candidate));
  return prefix === undefined || !isRelayKeyLike(text.slice(prefix.length))
    ? text
    : text.slice(prefix.length);
}

// The full prefix: Stripe's restricted keys begin with "rk_" too.
const RELAYKEY_PREFIX = "rk_proxy_";

function isRelayKeyLike(text: string): boolean {
  return text.startsWith(RELAYKEY_PREFIX);
}

/** Whether a RelayKey stands anywhere in a text, in a slot or not. Such a text must not travel upstream. */
export function holdsRelayKey(text: string): boolean {
  return text.includes(RELAYKEY_PREFIX);
}

/** The text with every RelayKey and management token in it cut down to its prefix, for records. */
export function redactTokens(text: string): string {
  return text.replace(/(rk_(?:proxy|mgmt)_)[0-9A-Za-z]+/g, "$1…");
}
