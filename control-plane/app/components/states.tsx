import type { ReactNode } from "react";
import type { ShownFailure } from "./failure.ts";
import { LinkButton } from "./button.tsx";
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
  return (
    <>
      <PageHeader title={failure.title} note={failure.detail} />
      <LinkButton to="/">Overview</LinkButton>
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
