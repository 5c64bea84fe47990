/** The closed table of what the management API can refuse. */
export const API_ERRORS = {
  unauthenticated: { status: 401, title: "Not signed in" },
  forbidden: { status: 403, title: "Not allowed" },
  not_found: { status: 404, title: "Not found" },
  invalid_request: { status: 400, title: "The request is not valid" },
  conflict: { status: 409, title: "In conflict with what exists" },
  key_revoked: { status: 409, title: "The key is revoked" },
  internal_error: { status: 500, title: "The control plane failed" },
  not_configured: { status: 503, title: "The control plane is not configured" },
} as const;

export type ApiErrorCode = keyof typeof API_ERRORS;

/** What is wrong with one field, and what would be right. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A refusal of the service layer. The detail says what to do next and holds no secret. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly fields: readonly FieldError[];

  constructor(code: ApiErrorCode, detail: string, fields: readonly FieldError[] = []) {
    super(detail);
    this.code = code;
    this.fields = fields;
  }
}

/** A refusal that is about one field. */
export function invalid(field: string, message: string): ApiError {
  return new ApiError("invalid_request", `${field}: ${message}`, [{ field, message }]);
}
