import type { BlockReason } from "./block-reasons.ts";
import { SHARED_EGRESS } from "./confirmation.ts";
import { DEFAULT_V6_PREFIX, canonicalIp, compileCidrs, compileNetworks } from "./ip.ts";
import type { CanonicalIp, IpMatcher, NetworkSet } from "./ip.ts";
import { compileScope, matchScope } from "./scope.ts";
import type { CompiledScope } from "./scope.ts";
import type { PolicySnapshot } from "./snapshot.ts";
import { parseTarget } from "./target.ts";
import type { Target, TargetResult } from "./target.ts";

/** A policy that is ready to be judged by. */
export interface Policy extends CompiledPolicy {
  readonly snapshot: Pick<PolicySnapshot, "state" | "notBefore" | "expiresAt" | "ip" | "confirmation"> & {
    readonly integration: Pick<PolicySnapshot["integration"], "slug" | "enabled" | "allowEncodedSlash">;
  };
}

/** What is worth doing once per snapshot. */
export interface CompiledPolicy {
  /** Of the snapshot's rules and bindings. */
  readonly scope: CompiledScope;
  /** The blocks of an allowlist. */
  readonly inAllowlist: IpMatcher;
  /** Blocks shared by strangers, for keys whose holder confirms addresses. */
  readonly shared: NetworkSet;
}

export function compilePolicy({
  rules,
  bindings,
  ip,
  confirmation,
}: Pick<PolicySnapshot, "rules" | "bindings" | "ip" | "confirmation">): CompiledPolicy {
  return {
    scope: compileScope(rules, bindings),
    inAllowlist: compileCidrs(ip.mode === "allowlist" ? ip.cidrs : []),
    shared: compileNetworks(
      ip.mode === "confirm" ? [...SHARED_EGRESS, ...confirmation.neverConfirmable] : [],
    ),
  };
}

/** As much of a request as a policy speaks of. */
export interface JudgedRequest {
  readonly method: string;
  /** The integration that was addressed; null when none can be read. */
  readonly slug: string | null;
  readonly target: TargetResult;
  readonly ip: CanonicalIp | null;
}

/** What was judged, and therefore what is sent. */
export interface Judged {
  readonly target: Target;
  /** Its network is counted as the key counts. */
  readonly ip: CanonicalIp;
  /** The rule that admits it, by position. */
  readonly rule: number;
}

export type Verdict =
  | { readonly ok: true; readonly value: Judged }
  | { readonly ok: false; readonly reason: BlockReason; readonly detail?: string };

/** Methods that make no sense through a forward-only relay, or that workerd's fetch would refuse or rewrite. */
const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);
const METHOD = /^[A-Z]+$/;

/**
 * Judges a request against a key's policy. Pure and synchronous, so that the proxy can repeat it in the very turn that
 * calls `fetch`; the control plane's dry run asks the same function.
 *
 * @param now epoch ms.
 */
export function judge(
  { snapshot, scope, inAllowlist, shared }: Policy,
  request: JudgedRequest,
  now: number,
): Verdict {
  switch (snapshot.state) {
    case "revoked":
      return refused("token_revoked");
    case "frozen":
      return refused("key_frozen");
    case "active":
      break;
  }
  if (snapshot.expiresAt !== null && now >= snapshot.expiresAt) return refused("token_expired");
  if (snapshot.notBefore !== null && now < snapshot.notBefore) return refused("token_not_yet_valid");

  const { integration } = snapshot;
  if (request.slug !== integration.slug) return refused("integration_unknown");
  if (!integration.enabled) return refused("integration_disabled");

  if (REFUSED_METHODS.has(request.method) || !METHOD.test(request.method)) return refused("method_invalid");
  if (!request.target.ok) return refused("path_ambiguous", request.target.detail);
  const { target } = request.target;
  if (!integration.allowEncodedSlash && /%2f/i.test(target.path)) {
    const strict = parseTarget(target.path, target.query, { allowEncodedSlash: false });
    if (!strict.ok) return refused("path_ambiguous", strict.detail);
  }

  const match = matchScope(scope, request.method, target.segments, target.query);
  if (!match.ok) return refused(match.reason);

  if (request.ip === null) return refused("client_ip_unknown");
  if (snapshot.ip.mode === "allowlist" && !inAllowlist(request.ip.address)) return refused("ip_not_allowed");
  const ip = asThisKeyCounts(request.ip, snapshot.confirmation.v6Prefix);
  if (shared.overlaps(ip.network)) return refused("ip_unconfirmable");
  return { ok: true, value: { target, ip, rule: match.rule } };
}

/** Intake does not know the key yet, so it counts an IPv6 client by the usual prefix; from here on the key's own holds. */
function asThisKeyCounts(ip: CanonicalIp, v6Prefix: number): CanonicalIp {
  if (v6Prefix === DEFAULT_V6_PREFIX || !ip.address.includes(":")) return ip;
  return canonicalIp(ip.address, { v6Prefix }) ?? ip;
}

/**
 * Reads the target of a request as it is judged and sent. `%2F` is admitted here and judged with the policy: only the
 * integration knows whether it may pass.
 */
export function readTarget(rawPath: string, rawQuery: string): TargetResult {
  return parseTarget(rawPath, sameBytesAfterFetch(rawQuery), { allowEncodedSlash: true });
}

/**
 * `fetch` percent-encodes an apostrophe in the query (WHATWG URL §4.4, special-query percent-encode set). Doing it
 * before the query is judged keeps what is judged and what is sent the same bytes.
 */
function sameBytesAfterFetch(query: string): string {
  return query.replaceAll("'", "%27");
}

function refused(reason: BlockReason, detail?: string): Verdict {
  return { ok: false, reason, ...(detail === undefined ? {} : { detail }) };
}
