import { isWithinCidrs } from "@relaykey/core/ip";
import { formatDuration, formatRate, isWithinRate } from "@relaykey/core/limits";
import { compileScope, formatRule } from "@relaykey/core/scope";
import { firstUncovered } from "@relaykey/core/scope-subset";
import type { KeyPolicy, MintGuard } from "@relaykey/db/queries/keys";
import type { ProvisionBounds } from "@relaykey/db/schema/access";
import type { Caller } from "./caller.ts";
import { fail, ok } from "./outcome.ts";
import type { FieldError, Outcome } from "./outcome.ts";

/** The bounds that a caller issues keys within; null when it has none but its role. */
export function boundsOf({ token }: Caller): ProvisionBounds | null {
  if (token?.kind !== "provisioner") return null;
  // One that was stored without bounds may issue nothing.
  return token.bounds ?? { ...NOTHING };
}

const NOTHING: ProvisionBounds = {
  integrations: [],
  holders: [],
  rules: [],
  maxTtlSeconds: 0,
  cidrs: [],
  rate: null,
  maxAlive: 0,
};

/** The token whose keys alone a caller may see; null when it may see all of the organization's. */
export function mintedBy({ token }: Caller): string | null {
  return token?.kind === "provisioner" ? token.id : null;
}

/** What must hold in the moment a key is stored: that its minter may still mint, and has not too many alive. */
export function mintGuard(caller: Caller): MintGuard | null {
  const bounds = boundsOf(caller);
  const tokenId = mintedBy(caller);
  return bounds === null || tokenId === null ? null : { tokenId, maxAlive: bounds.maxAlive };
}

/**
 * Checks a key that a provisioner asks for against its bounds. What it may not name it is told nothing of: a holder or
 * integration that is not there reads like one that is out of bounds.
 *
 * @param asked holder and integration as they were found; null when they are not there.
 */
export function checkBounds(
  bounds: ProvisionBounds,
  asked: { readonly holderId: string | null; readonly integrationId: string | null },
): Outcome<null> {
  const errors: FieldError[] = [];
  const { holderId, integrationId } = asked;
  if (integrationId === null || !bounds.integrations.includes(integrationId)) {
    errors.push({
      field: "integration",
      message: `Your token issues keys for these integrations only: ${list(bounds.integrations)}.`,
    });
  }
  if (holderId === null || bounds.holders?.includes(holderId) === false) {
    const message =
      bounds.holders === null
        ? "There is no such holder."
        : `Your token issues keys to these holders only: ${list(bounds.holders)}.`;
    errors.push({ field: "holder", message });
  }
  return errors.length === 0 ? ok(null) : fail("token_scope", { errors });
}

/** Checks the policy of a key that a provisioner asks for against its bounds, and names each member that is too wide. */
export function checkMintedPolicy(bounds: ProvisionBounds, policy: KeyPolicy, now: number): Outcome<null> {
  const errors: FieldError[] = [];
  const uncovered = firstUncovered(
    compileScope(bounds.rules, {}),
    compileScope(policy.rules, policy.bindings),
  );
  if (uncovered !== null) {
    errors.push({
      field: `allow.${String(uncovered)}`,
      message: `This rule is not within those of your token: ${list(bounds.rules.map(formatRule))}.`,
    });
  }
  if (policy.expiresAt === null || policy.expiresAt.getTime() > now + bounds.maxTtlSeconds * 1_000) {
    const most = formatDuration(bounds.maxTtlSeconds * 1_000);
    errors.push({ field: "expires_in", message: `Let the key expire within ${most}.` });
  }
  const { cidrs, rate } = bounds;
  if (cidrs !== null) {
    const isWithin =
      policy.ipMode === "allowlist" && policy.ipCidrs.every((cidr) => isWithinCidrs(cidr, cidrs));
    if (!isWithin) {
      errors.push({ field: "ip", message: `Give an allowlist within ${list(cidrs)}.` });
    }
  }
  if (rate !== null && (policy.limits.rate === null || !isWithinRate(policy.limits.rate, rate))) {
    errors.push({ field: "limits.rate", message: `Give a rate of at most ${formatRate(rate)}.` });
  }
  if (policy.enforcement !== "lease") {
    errors.push({ field: "enforcement", message: "Give lease: keys of a provisioner end at once." });
  }
  return errors.length === 0 ? ok(null) : fail("token_scope", { errors });
}

function list(texts: readonly string[]): string {
  return texts.length === 0 ? "none" : texts.join(", ");
}
