import { matchScope } from "@relaykey/core/scope";
import { parseTarget } from "@relaykey/core/target";
import type { Target } from "@relaykey/core/target";
import type { KnownKey } from "../directory.ts";
import { passed, refused } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { DEFAULT_V6_PREFIX, canonicalIp } from "@relaykey/core/ip";
import type { CanonicalIp } from "@relaykey/core/ip";
import type { Intake } from "./intake.ts";

/** What was judged, and therefore what is sent. */
export interface Judged {
  readonly target: Target;
  readonly ip: CanonicalIp;
}

/** Methods that make no sense through a forward-only relay, or that workerd's fetch would refuse or rewrite. */
const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);
const METHOD = /^[A-Z]+$/;

/**
 * Step 3. Judges a request against a key's policy. Pure and synchronous, so that it can be repeated in the very turn
 * that calls `fetch`.
 *
 * @param now epoch ms.
 */
export function judge(known: KnownKey, intake: Intake, now: number): Outcome<Judged> {
  const { snapshot } = known;
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
  if (intake.slug !== integration.slug) return refused("integration_unknown");
  if (!integration.enabled) return refused("integration_disabled");

  if (REFUSED_METHODS.has(intake.method) || !METHOD.test(intake.method)) return refused("method_invalid");
  if (!intake.target.ok) return refused("path_ambiguous", { detail: intake.target.detail });
  const { target } = intake.target;
  if (!integration.allowEncodedSlash && /%2f/i.test(target.path)) {
    const strict = parseTarget(target.path, target.query, { allowEncodedSlash: false });
    if (!strict.ok) return refused("path_ambiguous", { detail: strict.detail });
  }

  const match = matchScope(known.scope, intake.method, target.segments, target.query);
  if (!match.ok) return refused(match.reason);

  if (intake.ip === null) return refused("client_ip_unknown");
  if (snapshot.ip.mode === "allowlist" && !known.inAllowlist(intake.ip.address)) {
    return refused("ip_not_allowed");
  }
  const ip = asThisKeyCounts(intake.ip, snapshot.confirmation.v6Prefix);
  if (known.shared.overlaps(ip.network)) return refused("ip_unconfirmable");
  return passed({ target, ip });
}

/** Intake does not know the key yet, so it counts an IPv6 client by the usual prefix; from here on the key's own holds. */
function asThisKeyCounts(ip: CanonicalIp, v6Prefix: number): CanonicalIp {
  if (v6Prefix === DEFAULT_V6_PREFIX || !ip.address.includes(":")) return ip;
  return canonicalIp(ip.address, { v6Prefix }) ?? ip;
}
