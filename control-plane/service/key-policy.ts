import type { Limits } from "@relaykey/core/limits";
import { compileScope, formatRule, placeholders } from "@relaykey/core/scope";
import type { ScopeRule } from "@relaykey/core/scope";
import type { IpPolicy } from "@relaykey/core/snapshot";
import type { KeyPolicy } from "@relaykey/db/queries/keys";
import { invalid } from "./outcome.ts";

/** What a key may do, as it is asked for. */
export interface PolicyInput {
  readonly name: string;
  readonly rules: readonly ScopeRule[];
  readonly bindings: Readonly<Record<string, string>>;
  readonly ip: IpPolicy;
  readonly notBefore: Date | null;
  readonly expiresAt: Date | null;
  readonly limits: Limits;
  readonly enforcement: "lease" | "edge";
}

/** Absent = as it is. Of the limits only the named ones change. */
export type PolicyUpdate = Partial<Omit<PolicyInput, "limits">> & { readonly limits?: Partial<Limits> };

export function newPolicy(input: PolicyInput): KeyPolicy {
  const { ip, bindings, ...rest } = input;
  return { ...rest, ...ipColumns(ip), bindings: { ...bindings } };
}

/** The whole policy after an update. */
export function updatedPolicy(current: KeyPolicy, update: PolicyUpdate): KeyPolicy {
  const { ip, limits, bindings } = update;
  return {
    name: update.name ?? current.name,
    rules: update.rules ?? current.rules,
    notBefore: update.notBefore === undefined ? current.notBefore : update.notBefore,
    expiresAt: update.expiresAt === undefined ? current.expiresAt : update.expiresAt,
    enforcement: update.enforcement ?? current.enforcement,
    bindings: bindings === undefined ? current.bindings : { ...bindings },
    limits: { ...current.limits, ...limits },
    ...(ip === undefined ? { ipMode: current.ipMode, ipCidrs: current.ipCidrs } : ipColumns(ip)),
  };
}

/**
 * Checks what only the whole policy can show: every `{name}` is bound, every binding is used, the times are in order. A
 * policy that passes is one the data plane can compile.
 *
 * @returns the refusal, or null when all is well.
 */
export function checkPolicy(
  policy: KeyPolicy,
  expiryLimit: number | null,
): ReturnType<typeof invalid> | null {
  const names = placeholders(policy.rules);
  const unused = Object.keys(policy.bindings).find((name) => !names.includes(name));
  if (unused !== undefined) {
    return invalid(
      `bindings.${unused}`,
      `No rule has a {${unused}} segment: remove the binding, or add the rule.`,
    );
  }
  try {
    compileScope(policy.rules, policy.bindings);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return invalid("bindings", error.message);
  }
  if (policy.expiresAt === null) return null;
  if (expiryLimit !== null && policy.expiresAt.getTime() <= expiryLimit) {
    return invalid("expires_at", "The expiry must be in the future. To end a key now, revoke it.");
  }
  if (policy.notBefore !== null && policy.notBefore >= policy.expiresAt) {
    return invalid("not_before", "The key must become valid before it expires.");
  }
  return null;
}

/** For the admin audit: a policy holds no secret. */
export function describePolicy(policy: KeyPolicy): Record<string, unknown> {
  const { rules, ...rest } = policy;
  return { ...rest, allow: rules.map(formatRule) };
}

function ipColumns(ip: IpPolicy): Pick<KeyPolicy, "ipMode" | "ipCidrs"> {
  return { ipMode: ip.mode, ipCidrs: ip.mode === "allowlist" ? [...ip.cidrs] : [] };
}
