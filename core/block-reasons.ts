/** One way in which a request can be refused. */
export interface BlockReasonRow {
  readonly status: number;
  /** What the caller is told. Several reasons share one where the difference would help an attacker. */
  readonly code: string;
  readonly title: string;
  /** What to do next, in one or two sentences. */
  readonly detail: string;
  /** The same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** Seconds for `Retry-After`, unless the refusal itself knows better; null = no such field. */
  readonly retryAfterSeconds: number | null;
  /**
   * "event": an audit event. "log": one structured log line, because no organization can be named and an attacker must
   * not be able to cause storage or queue operations (G9).
   */
  readonly audited: "event" | "log";
}

const TOKEN_INVALID = {
  status: 401,
  code: "token_invalid",
  title: "The RelayKey is not valid",
  detail: "Check that the whole key was copied, or ask your administrator for a new one.",
  retryable: false,
  retryAfterSeconds: null,
} as const;

const SCOPE_DENIED = {
  status: 403,
  code: "scope_denied",
  title: "Outside the key's scope",
  detail: "This key does not allow this request. Ask your administrator to allow its method, path and query.",
  retryable: false,
  retryAfterSeconds: null,
  audited: "event",
} as const;

/**
 * The closed table of refusals: the single source of HTTP status, public code, audit enum, badge and documentation.
 * The order is the order in which a request is judged.
 */
export const BLOCK_REASONS = {
  token_missing: {
    status: 401,
    code: "token_missing",
    title: "No RelayKey in the request",
    detail: "Send your RelayKey (rk_proxy_…) where the vendor's SDK puts its API key.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "log",
  },
  token_malformed: { ...TOKEN_INVALID, audited: "log" },
  token_forged: { ...TOKEN_INVALID, audited: "log" },
  token_ambiguous: {
    status: 400,
    code: "token_ambiguous",
    title: "More than one RelayKey in the request",
    detail: "Two different RelayKeys were sent in one request. Send one.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  token_unknown: { ...TOKEN_INVALID, audited: "event" },
  token_revoked: {
    status: 401,
    code: "token_revoked",
    title: "The RelayKey was revoked",
    detail: "Ask your administrator for a new key.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  key_frozen: {
    status: 403,
    code: "key_frozen",
    title: "The RelayKey is frozen",
    detail:
      "An administrator, or the key's holder, has stopped this key. Ask your administrator to unfreeze it.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  token_expired: {
    status: 401,
    code: "token_expired",
    title: "The RelayKey has expired",
    detail: "Ask your administrator for a new key or a later expiry.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  token_not_yet_valid: {
    status: 401,
    code: "token_not_yet_valid",
    title: "The RelayKey is not valid yet",
    detail: "Use the key from the time your administrator set for it.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  integration_unknown: {
    status: 404,
    code: "integration_unknown",
    title: "No such integration for this key",
    detail: "Check the base URL: it must name the integration that this key was made for.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  integration_disabled: {
    status: 403,
    code: "integration_disabled",
    title: "The integration is disabled",
    detail: "An administrator has switched this integration off. Ask your administrator to enable it.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  method_invalid: {
    status: 400,
    code: "method_invalid",
    title: "The method cannot be relayed",
    detail: "Use a method of the vendor's API, in upper case. CONNECT, TRACE and TRACK are never relayed.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  path_ambiguous: {
    status: 400,
    code: "path_ambiguous",
    title: "The path or query could be read in two ways",
    detail: "Send the path as the vendor documents it: no dot segments, empty segments or double encoding.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  scope_path: SCOPE_DENIED,
  scope_method: SCOPE_DENIED,
  scope_query: SCOPE_DENIED,
  client_ip_unknown: {
    status: 503,
    code: "no_decision",
    title: "No decision could be made",
    detail: "The proxy could not tell where this request comes from, so it was not sent. Try again shortly.",
    retryable: true,
    retryAfterSeconds: 1,
    audited: "event",
  },
  ip_not_allowed: {
    status: 403,
    code: "ip_not_allowed",
    title: "The address is not allowed",
    detail: "This key may not be used from your IP address. Ask your administrator to allow it.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  ip_unconfirmable: {
    status: 403,
    code: "ip_unconfirmable",
    title: "The address is shared by strangers",
    detail:
      "Nobody can confirm this IP address as theirs, because others call from it as well. Call from another network, or ask your administrator.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  ip_unconfirmed: {
    status: 423,
    code: "ip_unconfirmed",
    title: "A new address waits for confirmation",
    detail:
      "This key is locked on a new IP address until its holder confirms it. Then send the request again.",
    retryable: false,
    retryAfterSeconds: 60,
    audited: "event",
  },
  rate_limited: {
    status: 429,
    code: "rate_limited",
    title: "The key's rate limit is reached",
    detail: "Wait as long as Retry-After says, then send the request again.",
    retryable: true,
    retryAfterSeconds: 1,
    audited: "event",
  },
  concurrency_limited: {
    status: 429,
    code: "concurrency_limited",
    title: "Too many requests at the same time",
    detail: "As many requests of this key are under way as it may have. Retry when one of them has ended.",
    retryable: true,
    retryAfterSeconds: 1,
    audited: "event",
  },
  uses_exhausted: {
    status: 403,
    code: "uses_exhausted",
    title: "The key is used up",
    detail: "This key was made for a fixed number of requests and has made them all. Ask for a new one.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  body_too_large: {
    status: 413,
    code: "body_too_large",
    title: "The request body is too large",
    detail: "Send a smaller body, or ask your administrator to raise this key's limit.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  no_decision: {
    status: 503,
    code: "no_decision",
    title: "No decision could be made",
    detail: "The proxy could not check this key just now, so the request was not sent. Try again shortly.",
    retryable: true,
    retryAfterSeconds: 1,
    audited: "event",
  },
  secret_unavailable: {
    status: 503,
    code: "secret_unavailable",
    title: "The vendor key cannot be opened",
    detail:
      "The stored vendor key does not open for this integration's upstream and settings, so nothing was sent. Ask your administrator to enter the vendor key again.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  custody_key_refused: {
    status: 503,
    code: "custody_key_refused",
    title: "The customer-managed key is not available",
    detail:
      "The organization's own key in its KMS refuses to open the vendor key, so nothing was sent. Ask your administrator: Settings, Custody says why.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  custody_key_unreachable: {
    status: 503,
    code: "custody_key_unreachable",
    title: "The customer-managed key does not answer",
    detail:
      "The organization's own key in its KMS could not be asked just now, so nothing was sent. Try again shortly.",
    retryable: true,
    retryAfterSeconds: 1,
    audited: "event",
  },
  upstream_not_allowed: {
    status: 502,
    code: "upstream_not_allowed",
    title: "The vendor's address is not allowed",
    detail:
      "The integration points at an address that keys are never sent to. Ask your administrator to correct it.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  upstream_unreachable: {
    status: 502,
    code: "upstream_unreachable",
    title: "The vendor cannot be reached",
    detail:
      "The connection to the vendor failed. The request may or may not have arrived; retry if it is safe to.",
    retryable: true,
    retryAfterSeconds: 1,
    audited: "event",
  },
  upstream_timeout: {
    status: 504,
    code: "upstream_timeout",
    title: "The vendor did not answer in time",
    detail: "The vendor sent no answer within the integration's time limit. Retry if it is safe to.",
    retryable: true,
    retryAfterSeconds: 1,
    audited: "event",
  },
  upstream_encoding: {
    status: 502,
    code: "upstream_encoding",
    title: "The vendor's answer cannot be checked",
    detail:
      "The vendor compressed its answer in a way that was not asked for and cannot be searched for its key. Tell your administrator.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
  internal_error: {
    status: 500,
    code: "internal_error",
    title: "The proxy failed",
    detail: "This is a fault of the proxy, and it was recorded. Tell your administrator the request id.",
    retryable: false,
    retryAfterSeconds: null,
    audited: "event",
  },
} as const satisfies Record<string, BlockReasonRow>;

export type BlockReason = keyof typeof BLOCK_REASONS;

export function isBlockReason(text: string): text is BlockReason {
  return Object.hasOwn(BLOCK_REASONS, text);
}
