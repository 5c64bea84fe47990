/** A refusal of the service layer as pages show it. */
export interface ShownFailure {
  readonly code: string;
  readonly title: string;
  /** Says what to do next. */
  readonly detail: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

/** What is wrong with one field of a form that came back, if anything. Members of it count: `ip` has `ip.cidrs.0`. */
export function fieldError(failure: ShownFailure | undefined, name: string): string | undefined {
  return failure?.errors.find(({ field }) => field === name || field.startsWith(`${name}.`))?.message;
}

/** What a loader throws to show a refusal instead of its page. */
export function isShownFailure(value: unknown): value is ShownFailure {
  return (
    typeof value === "object" && value !== null && "code" in value && "title" in value && "detail" in value
  );
}
