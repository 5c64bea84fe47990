/** One wrong field of an input: where it is, and what would be right. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** Why an action was refused. Refusals are values: only bugs and outages are exceptions. */
export type FailureCode =
  | "invalid_request"
  | "not_found"
  | "holder_unknown"
  | "integration_unknown"
  | "data_plane_away"
  | "billing_away"
  | "name_taken"
  | "in_use"
  | "nothing_to_restore"
  | "vendor_refuses"
  | "custody_unproven"
  | "too_varied"
  | "key_revoked"
  | "too_many_alive"
  | "changed_meanwhile"
  | "precondition_failed"
  | "plan_limit"
  | "webhook_disabled"
  | "rate_limited"
  | "authorization_pending"
  | "slow_down"
  | "access_denied"
  | "expired_token"
  | "invalid_grant"
  | "bootstrap_only"
  | "role_insufficient"
  | "people_only"
  | "token_scope"
  | "passkey_needed"
  | "passkey_refused"
  | "sign_in_failed"
  | "too_many_tries"
  | "last_admin"
  | "already_member"
  | "invitation_dead"
  | "domain_held"
  | "domain_public"
  | "deletion_pending";

export interface Failure {
  readonly code: FailureCode;
  /** Says what to do next; absent: the code's own sentence. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
}

export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

export function ok<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function fail(
  code: FailureCode,
  more: Omit<Failure, "code"> = {},
): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: { code, ...more } };
}

/** The refusal of one field. */
export function invalid(field: string, message: string): { readonly ok: false; readonly failure: Failure } {
  return fail("invalid_request", { errors: [{ field, message }] });
}
