import { isBlockReason } from "@relaykey/core/block-reasons";
import type { BlockReason } from "@relaykey/core/block-reasons";
import { canonicalIp } from "@relaykey/core/ip";
import { compilePolicy, judge, readTarget } from "@relaykey/core/judge";
import { formatRate } from "@relaykey/core/limits";
import { formatRule } from "@relaykey/core/scope";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import type { AuditRow } from "@relaykey/db/queries/audit";
import { loadSnapshot } from "@relaykey/db/queries/snapshots";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

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
  return ok({
    remedy: event.decision === "blocked" && reason !== null ? remedyFor(reason, event, snapshot) : null,
    rules: snapshot?.rules.map(formatRule) ?? [],
    today: snapshot === null ? null : judgeToday(snapshot, event, deps.now()),
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

function judgeToday(snapshot: PolicySnapshot, event: AuditRow, now: number): Explanation["today"] {
  const { rules } = snapshot;
  const request = {
    method: event.method,
    slug: event.integrationSlug,
    target: readTarget(event.path, event.query ?? ""),
    ip: event.ip === null ? null : canonicalIp(event.ip),
  };
  const verdict = judge({ snapshot, ...compilePolicy(snapshot) }, request, now);
  if (!verdict.ok) return { verdict: "blocked", reason: verdict.reason };
  const rule = rules[verdict.value.rule];
  return { verdict: "allowed", rule: rule === undefined ? "" : formatRule(rule) };
}

/** What an admin can do about a refusal. The caller is told less: see core/block-reasons. */
function remedyFor(reason: BlockReason, event: AuditRow, snapshot: PolicySnapshot | null): string {
  switch (reason) {
    case "token_missing":
    case "token_malformed":
    case "token_forged":
    case "token_ambiguous":
    case "token_unknown":
      return "Nothing in a policy: the caller has to send one whole key of this installation.";
    case "token_revoked":
      return "Nothing: a revocation is final. Whoever still needs access gets a new key.";
    case "key_frozen":
      return "Unfreeze the key, its holder, or the organization, whichever is frozen.";
    case "token_expired":
      return "Set a later expiry, or issue a new key.";
    case "token_not_yet_valid":
      return "Set an earlier beginning, or wait for it.";
    case "integration_unknown":
      return `The key is for ${snapshot?.integration.slug ?? "another integration"}: the caller has to use its address.`;
    case "integration_disabled":
      return "Enable the integration.";
    case "method_invalid":
      return "Nothing: CONNECT, TRACE, TRACK and methods that are not in upper case are never relayed.";
    case "path_ambiguous":
      return "The caller has to send the path as the vendor documents it. If the vendor needs %2F inside a segment, admit it in the integration.";
    case "scope_path":
    case "scope_method":
      return `Add the rule "${event.method} ${event.path}" to the key, or a pattern that covers it.`;
    case "scope_query":
      return "Admit the query's names and values in the rule that covers this path.";
    case "client_ip_unknown":
      return "Nothing in a policy: the proxy was not told where the request came from.";
    case "ip_not_allowed":
      return `Add ${event.ip ?? "the address"} to the key's list of addresses.`;
    case "ip_unconfirmed":
      return `The holder confirms ${event.ip ?? "the address"} by mail, or an admin approves it on the holder's page.`;
    case "ip_unconfirmable":
      return "Nobody can confirm an address that strangers share. Call from an address of your own, or give the key a list of addresses.";
    case "rate_limited":
      return `Raise the rate${describeRate(snapshot)}, or let the caller wait as Retry-After says.`;
    case "concurrency_limited":
      return `Raise the number of requests at the same time${describeCount(snapshot?.limits.concurrency)}.`;
    case "uses_exhausted":
      return `Raise the number of uses${describeCount(snapshot?.limits.uses)}, or issue a new key.`;
    case "body_too_large":
      return `Raise the limit of the body${describeCount(snapshot?.limits.maxBodyBytes, " bytes")}.`;
    case "no_decision":
      return "Nothing in a policy: the holder's object could not be asked. The caller can try again.";
    case "secret_unavailable":
      return "Store the vendor key again: the stored one cannot be opened.";
    case "custody_key_refused":
      return "Let the customer-managed key open vendor keys again: enable it, and grant its use in its key policy. Settings, Custody names what is wrong.";
    case "custody_key_unreachable":
      return "Nothing in a policy: the KMS of the customer-managed key did not answer in time. The caller can try again.";
    case "upstream_not_allowed":
      return "Correct the integration's address.";
    case "upstream_unreachable":
    case "upstream_timeout":
      return "Nothing in a policy: the vendor did not answer. A slow vendor may need a longer time limit in the integration.";
    case "upstream_encoding":
      return "Switch off the search for the vendor's key in this integration's answers, if you accept what that means.";
    case "internal_error":
      return "Nothing: this is a fault of the proxy. Its log has the request id.";
  }
}

function describeRate(snapshot: PolicySnapshot | null): string {
  const rate = snapshot?.limits.rate ?? null;
  return rate === null ? " of the holder" : ` (${formatRate(rate)} today)`;
}

function describeCount(limit: number | null | undefined, unit = ""): string {
  return limit === null || limit === undefined ? "" : ` (${String(limit)}${unit} today)`;
}
