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

export const MISSING: ShownFailure = {
  code: "page_missing",
  title: "There is no such page",
  detail: "Check the address, or go back to the overview.",
  errors: [],
};

export const BROKEN: ShownFailure = {
  code: "page_broken",
  title: "Something went wrong",
  detail:
    "Nothing was changed that is not shown as changed. Try again; if it stays, look at the control plane's log.",
  errors: [],
};

export const DATABASE_AWAY: ShownFailure = {
  code: "database_away",
  title: "The database cannot be reached",
  detail:
    "Keys go on working as they are: the proxy needs no database. If you were changing something, look whether it was stored before you try again.",
  errors: [],
};

export const FORM_UNREADABLE: ShownFailure = {
  code: "form_unreadable",
  title: "The form did not arrive whole",
  detail: "Nothing was changed. Go back and send it again.",
  errors: [],
};

export const FORM_TOO_LARGE: ShownFailure = {
  code: "form_too_large",
  title: "The form is too large",
  detail: "Nothing was changed. Go back and send less than 1 MiB at once.",
  errors: [],
};

export const OFFLINE: ShownFailure = {
  code: "offline",
  title: "You are offline",
  detail: "This page could not be loaded. Nothing was changed.",
  errors: [],
};
