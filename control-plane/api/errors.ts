import type { Failure, FailureCode, FieldError } from "../service/outcome.ts";

interface ErrorRow {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 410 | 412 | 413 | 415 | 422 | 429 | 500 | 503;
  readonly title: string;
  /** What to do next, when the occurrence has nothing more exact to say. */
  readonly detail: string;
}

/** Every error the management API can answer with: the one source of status, code and wording. */
export const API_ERRORS = {
  invalid_request: {
    status: 400,
    title: "The request is not valid",
    detail: "Correct the fields named in errors and send the request again.",
  },
  malformed_json: {
    status: 400,
    title: "The body is not a JSON object",
    detail: "Send one JSON object in UTF-8.",
  },
  authorization_pending: {
    status: 400,
    title: "Nobody has answered yet",
    detail: "Ask again after the interval that came with the code (RFC 8628).",
  },
  slow_down: {
    status: 400,
    title: "Asked too soon",
    detail: "Wait five seconds more between questions from here on (RFC 8628).",
  },
  access_denied: {
    status: 400,
    title: "The sign-in was denied",
    detail: "Somebody denied it, or may not approve it any more. Begin again if that was a mistake.",
  },
  expired_token: {
    status: 400,
    title: "The code has expired",
    detail: "Nobody approved it in time: begin again.",
  },
  invalid_grant: {
    status: 400,
    title: "The device code is not known",
    detail: "It was used already, or is of another installation: begin again.",
  },
  token_missing: {
    status: 401,
    title: "A management token is needed",
    detail: "Send it as Authorization: Bearer rk_mgmt_…",
  },
  token_invalid: {
    status: 401,
    title: "The management token is not valid",
    detail: "Check that the whole token was copied, and that it belongs to this installation.",
  },
  token_expired: {
    status: 401,
    title: "The management token has expired",
    detail: "Ask an admin of the organization for a new one.",
  },
  token_revoked: {
    status: 401,
    title: "The management token was revoked",
    detail: "Ask an admin of the organization for a new one.",
  },
  bootstrap_only: {
    status: 403,
    title: "Only the bootstrap token may do this",
    detail: "Organizations are created with the token that was made when RelayKey was installed.",
  },
  role_insufficient: {
    status: 403,
    title: "Your role may not do this",
    detail: "Ask an admin of the organization to do it, or to make you an admin.",
  },
  people_only: {
    status: 403,
    title: "Only a person may do this",
    detail: "Do it in the dashboard: no token may.",
  },
  token_scope: {
    status: 403,
    title: "Outside what the token may do",
    detail: "Use a token whose scope and bounds cover this, or ask an admin for one.",
  },
  token_address: {
    status: 403,
    title: "The token may not be used from this address",
    detail: "Call from an address on the token's list, or ask an admin for a token that lists this one.",
  },
  passkey_needed: {
    status: 403,
    title: "A passkey is needed",
    detail: "Confirm with your passkey in the dashboard, then do it again.",
  },
  passkey_refused: {
    status: 403,
    title: "The passkey was not accepted",
    detail: "Use a passkey that is enrolled for your account, and try again.",
  },
  sign_in_failed: {
    status: 403,
    title: "That did not work",
    detail: "It is mistyped, was used already, or has expired. Ask for a new mail.",
  },
  too_many_tries: {
    status: 429,
    title: "Too many tries",
    detail: "Wait some minutes and try again.",
  },
  last_admin: {
    status: 409,
    title: "The organization needs an admin",
    detail: "This is the last one: make somebody else an admin first.",
  },
  already_member: {
    status: 409,
    title: "They are a member already",
    detail: "Change their role instead.",
  },
  invitation_dead: {
    status: 410,
    title: "This invitation cannot be accepted",
    detail: "It was accepted or withdrawn, has expired, or is not complete. Ask for a new one.",
  },
  domain_held: {
    status: 409,
    title: "An organization holds this domain",
    detail: "Ask one of its admins to invite you.",
  },
  domain_public: {
    status: 422,
    title: "The domain cannot be claimed",
    detail: "Anybody can have an address there.",
  },
  deletion_pending: {
    status: 409,
    title: "The organization is waiting for its deletion",
    detail: "Take the deletion back first.",
  },
  not_found: {
    status: 404,
    title: "There is no such thing in your organization",
    detail: "Check the id or name, or list what is there.",
  },
  route_unknown: {
    status: 404,
    title: "The API has no such path",
    detail: "Check the path; all paths begin with /api/v1/.",
  },
  method_not_allowed: {
    status: 405,
    title: "The path does not answer this method",
    detail: "The Allow header names the methods it answers.",
  },
  name_taken: {
    status: 409,
    title: "The name is taken",
    detail: "Choose another name.",
  },
  in_use: {
    status: 409,
    title: "It is in use",
    detail: "What keys were issued for or to stays, because the audit log names it.",
  },
  nothing_to_restore: {
    status: 409,
    title: "There is no former vendor key to restore",
    detail: "A replaced vendor key can be restored for the time that was chosen, then it is destroyed.",
  },
  too_varied: {
    status: 409,
    title: "The key is used in too many different ways",
    detail: "More kinds of requests are in the log than can be looked at: choose fewer days.",
  },
  key_revoked: {
    status: 409,
    title: "The key is revoked",
    detail: "A revocation is final: create a new key.",
  },
  too_many_alive: {
    status: 409,
    title: "Too many keys of this token are alive",
    detail: "Revoke keys that are no longer needed, or wait until some expire.",
  },
  changed_meanwhile: {
    status: 409,
    title: "Somebody else is changing the same thing",
    detail: "Nothing was changed by this request: look at it again and repeat.",
  },
  idempotency_key_malformed: {
    status: 400,
    title: "The Idempotency-Key is malformed",
    detail: "Give 1 to 255 visible ASCII characters, such as a UUID.",
  },
  idempotency_in_progress: {
    status: 409,
    title: "The first request with this Idempotency-Key is still under way",
    detail: "Wait as long as Retry-After says, then send the same request again.",
  },
  idempotency_answer_lost: {
    status: 409,
    title: "What the first request with this Idempotency-Key made is gone",
    detail:
      "It was done and not answered, and what it made was deleted since. Use another key to make it anew.",
  },
  precondition_failed: {
    status: 412,
    title: "It has been changed since you read it",
    detail:
      "Nothing was changed by this request: read it again, and repeat the change if it is still wanted.",
  },
  plan_limit: {
    status: 403,
    title: "The plan allows no more",
    detail: "Remove some, or change to a larger plan.",
  },
  webhook_disabled: {
    status: 409,
    title: "The endpoint is disabled",
    detail: "Enable it first: PATCH it with enabled: true.",
  },
  body_too_large: {
    status: 413,
    title: "The body is too large",
    detail: "Send at most 256 KiB.",
  },
  media_type: {
    status: 415,
    title: "The body is not JSON",
    detail: "Send the body as Content-Type: application/json.",
  },
  idempotency_key_reused: {
    status: 422,
    title: "The Idempotency-Key was used for another request",
    detail: "Use a new key for each request; send the same key only to repeat the very same request.",
  },
  holder_unknown: {
    status: 422,
    title: "There is no such holder",
    detail: "Create the holder first: POST /api/v1/holders.",
  },
  integration_unknown: {
    status: 422,
    title: "There is no such integration",
    detail: "Create the integration first: POST /api/v1/integrations.",
  },
  rate_limited: {
    status: 429,
    title: "Too many calls",
    detail: "Wait as long as Retry-After says, then go on.",
  },
  vendor_refuses: {
    status: 422,
    title: "The vendor does not accept the new key",
    detail: "Nothing was changed. Check that the whole key was copied, and that it is active at the vendor.",
  },
  custody_unproven: {
    status: 422,
    title: "The proxy cannot use this key",
    detail: "Nothing was changed. Check the key's policy, and that the public key is of this key.",
  },
  data_plane_away: {
    status: 503,
    title: "The proxy cannot be asked",
    detail: "The proxy did not answer. What was stored before is in force or pending as before; try again.",
  },
  billing_away: {
    status: 503,
    title: "Stripe cannot be asked",
    detail: "Stripe did not answer as it should. Nothing has changed; try again.",
  },
  internal_error: {
    status: 500,
    title: "Something went wrong here",
    detail: "Nothing more can be said. Try again; if it stays, quote the request_id.",
  },
} as const satisfies Record<FailureCode, ErrorRow> & Record<string, ErrorRow>;

export type ApiErrorCode = keyof typeof API_ERRORS;

/** Thrown by the layers in front of the service: authentication, body, schema. The app's one handler renders it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly errors: readonly FieldError[];
  readonly headers: readonly (readonly [name: string, value: string])[];

  constructor(
    code: ApiErrorCode,
    errors: readonly FieldError[] = [],
    headers: readonly (readonly [name: string, value: string])[] = [],
  ) {
    super(API_ERRORS[code].title);
    this.code = code;
    this.errors = errors;
    this.headers = headers;
  }
}

/**
 * An error answer (RFC 9457). `type` points at the list of errors that this API publishes.
 *
 * @param url of the request.
 */
export function problem(
  failure: Omit<Failure, "code"> & { readonly code: ApiErrorCode },
  request: { readonly url: string; readonly requestId: string },
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { code, errors = [] } = failure;
  const { status, title, detail } = API_ERRORS[code];
  const body = {
    type: new URL(`/api/v1/errors#${code}`, request.url).href,
    title,
    status,
    detail: failure.detail ?? detail,
    code,
    request_id: request.requestId,
    ...(errors.length === 0 ? {} : { errors }),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      ...(status === 401 ? { "WWW-Authenticate": 'Bearer realm="RelayKey management API"' } : {}),
      ...headers,
    },
  });
}
