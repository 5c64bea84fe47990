import type { BlockReason } from "@relaykey/core/block-reasons";
import { exactRule, nearestRule } from "@relaykey/core/explain";
import type { NearMiss } from "@relaykey/core/explain";
import type { CanonicalIp } from "@relaykey/core/ip";
import type { CompiledPolicy } from "@relaykey/core/judge";
import { formatRate } from "@relaykey/core/limits";
import type { Limits } from "@relaykey/core/limits";
import type { TargetResult } from "@relaykey/core/target";

/** A request that was refused, or would be, and what the key's policy says of it. */
export interface Refused {
  readonly method: string;
  readonly target: TargetResult;
  readonly ip: CanonicalIp | null;
  /** The rule that comes nearest; null when there is none, or it is not known. */
  readonly near: NearMiss | null;
  /** The integration that the key is for; null when it is not known. */
  readonly integration: string | null;
  /** Of the key, not of its holder. */
  readonly limits: Limits;
}

/** What an admin can do about a refusal, so that the request is allowed. The caller is told less: see core/block-reasons. */
export function remedyFor(reason: BlockReason, refused: Refused): string {
  const remedy = REMEDIES[reason];
  return typeof remedy === "string" ? remedy : remedy(refused);
}

/** The rule that a request outside of a key's scope comes nearest to; null for what was refused on other grounds. */
export function nearMiss(
  { scope }: Pick<CompiledPolicy, "scope">,
  reason: BlockReason,
  { method, target }: Pick<Refused, "method" | "target">,
): NearMiss | null {
  const isScope = reason === "scope_path" || reason === "scope_method" || reason === "scope_query";
  return isScope && target.ok ? nearestRule(scope, method, target.target) : null;
}

const SEND_A_KEY = "Nothing in a policy: the caller has to send one whole key of this installation.";
const VENDOR_IS_SILENT =
  "Nothing in a policy: the vendor did not answer. A slow vendor may need a longer time limit in the integration.";

const REMEDIES: Readonly<Record<BlockReason, string | ((refused: Refused) => string)>> = {
  token_missing: SEND_A_KEY,
  token_malformed: SEND_A_KEY,
  token_forged: SEND_A_KEY,
  token_ambiguous: SEND_A_KEY,
  token_unknown: SEND_A_KEY,
  token_revoked: "Nothing: a revocation is final. Whoever still needs access gets a new key.",
  key_frozen: "Unfreeze the key, its holder, or the organization, whichever is frozen.",
  token_expired: "Set a later expiry, or issue a new key.",
  token_not_yet_valid: "Set an earlier beginning, or wait for it.",
  integration_unknown: ({ integration }) =>
    `The key is for ${integration ?? "another integration"}: the caller has to use its address.`,
  integration_disabled: "Enable the integration.",
  method_invalid: "Nothing: CONNECT, TRACE, TRACK and methods that are not in upper case are never relayed.",
  path_ambiguous:
    "The caller has to send the path as the vendor documents it. If the vendor needs %2F inside a segment, admit it in the integration.",
  scope_path: addRule,
  scope_method: (refused) =>
    refused.near === null
      ? addRule(refused)
      : `Add ${refused.method} to the methods of rule ${ordinal(refused.near)}.`,
  scope_query: ({ near }) =>
    `Widen the constraints on the query of ${near === null ? "the rule that covers this path" : `rule ${ordinal(near)}`}, or leave the parameters out.`,
  client_ip_unknown: "Nothing in a policy: the proxy was not told where the request came from.",
  ip_not_allowed: ({ ip }) =>
    `Add a block that holds ${ip?.address ?? "the address"} to the key's allowlist.`,
  ip_unconfirmed: ({ ip }) =>
    `The holder confirms ${ip?.network ?? "the address"} by mail, or an admin approves it on the holder's page.`,
  ip_unconfirmable:
    "Nobody can confirm an address that strangers share. Call from an address of your own, or give the key an allowlist.",
  rate_limited: ({ limits: { rate } }) =>
    `Raise the rate${rate === null ? " of the holder" : today(formatRate(rate))}, or let the caller wait as Retry-After says.`,
  concurrency_limited: ({ limits }) =>
    `Raise the number of requests at the same time${today(limits.concurrency)}.`,
  uses_exhausted: ({ limits }) => `Raise the number of uses${today(limits.uses)}, or issue a new key.`,
  body_too_large: ({ limits }) => `Raise the limit of the body${today(limits.maxBodyBytes, " bytes")}.`,
  no_decision: "Nothing in a policy: the holder's object could not be asked. The caller can try again.",
  secret_unavailable: "Store the vendor key again: the stored one cannot be opened.",
  custody_key_refused:
    "Let the customer-managed key open vendor keys again: enable it, and grant its use in its key policy. Settings, Custody names what is wrong.",
  custody_key_unreachable:
    "Nothing in a policy: the KMS of the customer-managed key did not answer in time. The caller can try again.",
  upstream_not_allowed: "Correct the integration's address.",
  upstream_unreachable: VENDOR_IS_SILENT,
  upstream_timeout: VENDOR_IS_SILENT,
  upstream_encoding:
    "Switch off the search for the vendor's key in this integration's answers, if you accept what that means.",
  internal_error: "Nothing: this is a fault of the proxy. Its log has the request id.",
};

function addRule({ method, target }: Refused): string {
  const exact = target.ok ? exactRule(method, target.target) : null;
  return exact === null
    ? "Add a rule that covers this path to the key."
    : `Add the rule "${exact}" to the key, or a pattern that covers it.`;
}

/** As people count. */
function ordinal({ rule }: NearMiss): string {
  return String(rule + 1);
}

function today(limit: string | number | null, unit = ""): string {
  return limit === null ? "" : ` (${String(limit)}${unit} today)`;
}
