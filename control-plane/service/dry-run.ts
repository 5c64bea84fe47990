import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import type { BlockReason } from "@relaykey/core/block-reasons";
import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import type { NearMiss } from "@relaykey/core/explain";
import { canonicalIp, compileNetworks } from "@relaykey/core/ip";
import type { CanonicalIp } from "@relaykey/core/ip";
import { compilePolicy, judge, readTarget } from "@relaykey/core/judge";
import type { Policy, Verdict } from "@relaykey/core/judge";
import { NO_LIMITS } from "@relaykey/core/limits";
import { formatRule } from "@relaykey/core/scope";
import type { ScopeRule } from "@relaykey/core/scope";
import type { IpPolicy } from "@relaykey/core/snapshot";
import type { TargetResult } from "@relaykey/core/target";
import { loadSnapshot } from "@relaykey/db/queries/snapshots";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { findIntegration } from "./integrations.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { showOrganization } from "./organizations.ts";
import { nearMiss, remedyFor } from "./remedies.ts";

/** A request that nobody makes. */
export interface ImaginedRequest {
  readonly method: string;
  /** Below the integration: path, and query after a "?". */
  readonly target: string;
  /** Absent: the caller's own. */
  readonly ip?: string;
  /** Absent: now. */
  readonly at?: Date;
}

/** A policy that no key has yet. */
export interface DraftPolicy {
  /** An id or a slug. */
  readonly integration: string;
  readonly rules: readonly ScopeRule[];
  readonly bindings: Readonly<Record<string, string>>;
  readonly ip: IpPolicy;
  readonly notBefore: Date | null;
  readonly expiresAt: Date | null;
}

export interface DryRun {
  readonly allowed: boolean;
  /** Why not; null when it is allowed. */
  readonly reason: BlockReason | null;
  /** What the proxy would answer; null when the vendor would. */
  readonly status: number | null;
  readonly detail: string;
  /** The rule that admits it. */
  readonly rule: { readonly index: number; readonly text: string } | null;
  /** The rule that comes nearest, where none admits it. */
  readonly nearest: {
    readonly index: number;
    readonly text: string;
    readonly misses: NearMiss["misses"];
  } | null;
  /** What would have to change. */
  readonly remedy: string | null;
  readonly ip: string;
  readonly at: Date;
}

interface Subject {
  readonly policy: Policy;
  readonly rules: readonly ScopeRule[];
  /** Names the object that knows which networks are trusted; null for a draft. */
  readonly holderLocator: string | null;
}

/**
 * Says whether a request would be allowed, and why not, with the very function by which the proxy judges. Limits are not
 * part of it: whether one is reached is known when a request is made.
 *
 * @param which a key by its id, or a draft.
 */
export async function dryRun(
  deps: ServiceDependencies,
  caller: Caller,
  which: { readonly key: string } | { readonly draft: DraftPolicy },
  request: ImaginedRequest,
): Promise<Outcome<DryRun>> {
  const allowed = authorize(caller, "policy.dry_run");
  if (!allowed.ok) return allowed;
  const address = request.ip ?? caller.ip;
  const ip = address === null ? null : canonicalIp(address);
  if (ip === null) return invalid("ip", "Give an IP address, such as 203.0.113.7.");
  const subject =
    "key" in which ? await ofKey(deps, caller, which.key) : await ofDraft(deps, caller, which.draft);
  if (!subject.ok) return subject;
  const { policy } = subject.value;
  const at = request.at ?? new Date(deps.now());
  const target = splitTarget(request.target);
  const judged = { method: request.method, slug: policy.snapshot.integration.slug, target, ip };
  const verdict = judge(policy, judged, at.getTime());
  const final = verdict.ok ? await withTrust(deps, subject.value, verdict, ip) : ok(verdict);
  if (!final.ok) return final;
  return ok(explain(subject.value, final.value, { method: request.method, target, ip, at }));
}

async function ofKey(deps: ServiceDependencies, caller: Caller, keyId: string): Promise<Outcome<Subject>> {
  const snapshot = await loadSnapshot(deps.db, caller.organizationId, keyId);
  if (snapshot === null) return fail("not_found");
  const policy = { snapshot, ...compilePolicy(snapshot) };
  return ok({ policy, rules: snapshot.rules, holderLocator: snapshot.holderLocator });
}

async function ofDraft(
  deps: ServiceDependencies,
  caller: Caller,
  draft: DraftPolicy,
): Promise<Outcome<Subject>> {
  const [integration, organization] = [
    await findIntegration(deps, caller, draft.integration),
    await showOrganization(deps, caller),
  ];
  if (!integration.ok) return fail("integration_unknown");
  if (!organization.ok) return organization;
  const { slug, enabled, allowEncodedSlash } = integration.value;
  const { rules, bindings, ip, notBefore, expiresAt } = draft;
  const snapshot = {
    state: organization.value.frozen ? ("frozen" as const) : ("active" as const),
    notBefore: notBefore?.getTime() ?? null,
    expiresAt: expiresAt?.getTime() ?? null,
    ip,
    rules,
    bindings,
    confirmation: { ...DEFAULT_CONFIRMATION, ...organization.value.confirmation },
    integration: { slug, enabled, allowEncodedSlash },
  };
  try {
    return ok({ policy: { snapshot, ...compilePolicy(snapshot) }, rules, holderLocator: null });
  } catch (error) {
    if (error instanceof RangeError) return invalid("draft.bindings", error.message);
    throw error;
  }
}

/** What the policy leaves open for keys whose holder confirms addresses: whether this one is trusted. */
async function withTrust(
  deps: ServiceDependencies,
  { policy, holderLocator }: Subject,
  verdict: Verdict & { readonly ok: true },
  ip: CanonicalIp,
): Promise<Outcome<Verdict>> {
  const { snapshot } = policy;
  if (snapshot.ip.mode !== "confirm") return ok(verdict);
  const { network } = verdict.value.ip;
  if (compileNetworks(snapshot.confirmation.preapproved).contains(network)) return ok(verdict);
  if (holderLocator === null) return ok(snapshot.confirmation.trustOnFirstUse ? verdict : unconfirmed());
  try {
    const { trusted, firstUse } = await deps.keyControl.networks(holderLocator);
    const isTrusted = compileNetworks(trusted.map((each) => each.network)).contains(network);
    return ok(isTrusted || firstUse ? verdict : unconfirmed());
  } catch (error) {
    deps.log("warn", "dry_run_failed", {
      ip: ip.address,
      error: error instanceof Error ? error.name : typeof error,
    });
    return fail("data_plane_away");
  }
}

function unconfirmed(): Verdict {
  return { ok: false, reason: "ip_unconfirmed" };
}

function explain({ policy, rules }: Subject, verdict: Verdict, asked: Asked): DryRun {
  const { method, target, ip, at } = asked;
  const text = (index: number): string => {
    const rule = rules[index];
    return rule === undefined ? "" : formatRule(rule);
  };
  const same = { ip: ip.address, at };
  if (verdict.ok) {
    const { rule } = verdict.value;
    return {
      ...same,
      allowed: true,
      reason: null,
      status: null,
      detail: `Rule ${String(rule + 1)} admits it.`,
      rule: { index: rule, text: text(rule) },
      nearest: null,
      remedy: null,
    };
  }
  const { reason } = verdict;
  const near = nearMiss(policy, reason, asked);
  return {
    ...same,
    allowed: false,
    reason,
    status: BLOCK_REASONS[reason].status,
    detail: verdict.detail ?? BLOCK_REASONS[reason].detail,
    rule: null,
    nearest: near === null ? null : { index: near.rule, text: text(near.rule), misses: near.misses },
    remedy: remedyFor(reason, {
      ...{ method, target, ip, near },
      integration: policy.snapshot.integration.slug,
      // Whether a limit is reached is known when a request is made.
      limits: NO_LIMITS,
    }),
  };
}

interface Asked {
  readonly method: string;
  readonly target: TargetResult;
  readonly ip: CanonicalIp;
  readonly at: Date;
}

function splitTarget(text: string): TargetResult {
  const mark = text.indexOf("?");
  return mark < 0 ? readTarget(text, "") : readTarget(text.slice(0, mark), text.slice(mark + 1));
}
