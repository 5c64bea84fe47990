import { isRouteErrorResponse, useLocation } from "@remix-run/react";
import type { ReactNode } from "react";
import { BROKEN, DATABASE_AWAY, MISSING, OFFLINE, isShownFailure } from "./failure.ts";
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
            {failure.requestId !== undefined && (
              <p className="mt-2">
                Request <code className="font-mono text-xs break-all">{failure.requestId}</code>
              </p>
            )}
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
