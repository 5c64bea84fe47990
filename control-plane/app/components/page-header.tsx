import { Link } from "@remix-run/react";
import type { ReactNode } from "react";

/** Where a page is an entry of, and the link back to it. */
export interface Back {
  readonly to: string;
  readonly label: string;
}

/** The one h1 of a page, what it is about, the way back, and what can be done. */
export function PageHeader(props: {
  readonly title: ReactNode;
  readonly note?: ReactNode;
  readonly back?: Back;
  readonly actions?: ReactNode;
}) {
  return (
    <div className="mb-8">
      {props.back !== undefined && (
        <p className="mb-2 text-sm">
          <Link to={props.back.to} className="text-muted hover:text-ink hover:underline">
            <span aria-hidden="true">← </span>
            {props.back.label}
          </Link>
        </p>
      )}
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <h1 className="min-w-0 flex-[1_1_11rem] text-xl leading-9 font-semibold tracking-tight break-words sm:text-2xl sm:leading-9">
          {props.title}
        </h1>
        {props.actions !== undefined && <div className="flex flex-wrap gap-2">{props.actions}</div>}
      </div>
      {props.note !== undefined && (
        <div className="mt-1 max-w-3xl text-sm text-pretty text-muted">{props.note}</div>
      )}
    </div>
  );
}
