import { isRouteErrorResponse, useLocation } from "@remix-run/react";
import type { ReactNode } from "react";
import { isShownFailure } from "./failure.ts";
import type { ShownFailure } from "./failure.ts";
import { LinkButton } from "./button.tsx";
import { PasskeyLink } from "./form.tsx";
import { PageHeader } from "./page-header.tsx";

/** Nothing is here yet: why that is, and the next step. */
export function EmptyState(props: {
  readonly title: string;
  readonly action?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <div className="rounded-xl border border-dashed border-edge/60 px-6 py-12 text-center">
      <p className="font-medium">{props.title}</p>
      <div className="mx-auto mt-1 max-w-prose text-sm text-muted">{props.children}</div>
      {props.action !== undefined && <div className="mt-4 flex justify-center gap-2">{props.action}</div>}
    </div>
  );
}

/** A refusal in place of the page: not allowed, not there, not reachable. */
export function FailurePage({ failure }: { readonly failure: ShownFailure }) {
  const { pathname, search } = useLocation();
  return (
    <>
      <PageHeader
        title={failure.title}
        note={
          <>
            {failure.detail} <PasskeyLink code={failure.code} />
          </>
        }
      />
      <div className="flex flex-wrap gap-3">
        {PASSING.has(failure.code) && (
          <LinkButton to={`${pathname}${search}`} reloadDocument variant="primary">
            Try again
          </LinkButton>
        )}
        <LinkButton to="/">Overview</LinkButton>
      </div>
    </>
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

export const OFFLINE: ShownFailure = {
  code: "offline",
  title: "You are offline",
  detail: "This page could not be loaded. Nothing was changed.",
  errors: [],
};

/** What may be over in a moment. */
const PASSING: ReadonlySet<string> = new Set([
  DATABASE_AWAY.code,
  OFFLINE.code,
  BROKEN.code,
  "data_plane_away",
  "rate_limited",
]);

/** The page for whatever a loader, an action or a component threw. */
export function failureOf(error: unknown): ShownFailure {
  const thrown: unknown = isRouteErrorResponse(error) ? error.data : null;
  if (isShownFailure(thrown)) return thrown;
  if (isRouteErrorResponse(error)) return error.status === 404 ? MISSING : BROKEN;
  // Only a browser can be offline: a server has rendered nothing but refusals and bugs.
  return typeof document !== "undefined" && !navigator.onLine ? OFFLINE : BROKEN;
}
