import { isBlockReason } from "@relaykey/core/block-reasons";
import type { BlockReason } from "@relaykey/core/block-reasons";
import { canonicalIp } from "@relaykey/core/ip";
import { compilePolicy, judge, readTarget } from "@relaykey/core/judge";
import { NO_LIMITS } from "@relaykey/core/limits";
import { formatRule } from "@relaykey/core/scope";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import type { AuditRow } from "@relaykey/db/queries/audit";
import { loadSnapshot } from "@relaykey/db/queries/snapshots";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { nearMiss, remedyFor } from "./remedies.ts";

/** Why a request was decided as it was, and what the key's policy of today says of it. */
export interface Explanation {
  /** What an admin can do so that it is allowed; null when it was. */
  readonly remedy: string | null;
  /** The key's rules of today, in order. */
  readonly rules: readonly string[];
  /** What the very code of the proxy says today; null when there is no such key (any more). */
  readonly today:
    | { readonly verdict: "allowed"; readonly rule: string }
    | { readonly verdict: "blocked"; readonly reason: BlockReason }
    | null;
  /** Limits and confirmation of addresses are counted as requests arrive: today's verdict leaves them out. */
  readonly isCounted: boolean;
  /** The query was not recorded, so rules about queries are judged as if there had been none. */
  readonly lacksQuery: boolean;
}

/** Explains one event of the audit log by the key's policy as it is now. */
export async function explainEvent(
  deps: ServiceDependencies,
  caller: Caller,
  event: AuditRow,
): Promise<Outcome<Explanation>> {
  const allowed = authorize(caller, "audit.read");
  if (!allowed.ok) return allowed;
  const reason = event.reason !== null && isBlockReason(event.reason) ? event.reason : null;
  const snapshot =
    event.keyId === null ? null : await loadSnapshot(deps.db, caller.organizationId, event.keyId);
  const { refused, today } = judgeToday(snapshot, event, deps.now());
  return ok({
    remedy: event.decision === "blocked" && reason !== null ? remedyFor(reason, refused) : null,
    rules: snapshot?.rules.map(formatRule) ?? [],
    today,
    isCounted: reason !== null && COUNTED.has(reason),
    lacksQuery: event.query === null && (snapshot?.rules.some(({ query }) => query !== undefined) ?? false),
  });
}

const COUNTED: ReadonlySet<BlockReason> = new Set([
  "ip_unconfirmed",
  "ip_unconfirmable",
  "rate_limited",
  "concurrency_limited",
  "uses_exhausted",
  "body_too_large",
]);

/** The event as a request, and how the key's policy of today judges it. */
function judgeToday(snapshot: PolicySnapshot | null, event: AuditRow, now: number) {
  const target = readTarget(event.path, event.query ?? "");
  const ip = event.ip === null ? null : canonicalIp(event.ip);
  const same = { method: event.method, target, ip, integration: snapshot?.integration.slug ?? null };
  if (snapshot === null) return { refused: { ...same, near: null, limits: NO_LIMITS }, today: null };
  const policy = { snapshot, ...compilePolicy(snapshot) };
  const verdict = judge(policy, { ...same, slug: event.integrationSlug }, now);
  // Rules that have changed since say nothing of why it was refused then.
  const isAsThen = !verdict.ok && verdict.reason === event.reason;
  const near = isAsThen ? nearMiss(policy, verdict.reason, same) : null;
  return {
    refused: { ...same, near, limits: snapshot.limits },
    today: verdict.ok
      ? { verdict: "allowed" as const, rule: ruleText(snapshot, verdict.value.rule) }
      : { verdict: "blocked" as const, reason: verdict.reason },
  };
}

function ruleText({ rules }: PolicySnapshot, index: number): string {
  const rule = rules[index];
  return rule === undefined ? "" : formatRule(rule);
}
