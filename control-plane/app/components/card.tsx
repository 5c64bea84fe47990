import type { ReactNode } from "react";

/** A titled part of a page; an empty one says what to do. */
export function Card(props: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  /** Shown in place of the content. */
  readonly empty?: ReactNode;
  /** Whether the content keeps a distance from the edge: yes, unless it is a table. */
  readonly padded?: boolean;
  readonly tone?: "danger";
  readonly children?: ReactNode;
}) {
  const isEmpty = props.empty !== undefined && props.empty !== null;
  return (
    <section aria-label={props.title} className="mt-8 min-w-0 first:mt-0 [.grid>&]:mt-0">
      <div className="flex min-h-8 flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 className="text-base font-semibold">{props.title}</h2>
          {props.note !== undefined && <p className="mt-0.5 text-sm text-pretty text-muted">{props.note}</p>}
        </div>
        {props.actions !== undefined && <div className="flex flex-wrap gap-2">{props.actions}</div>}
      </div>
      <div
        className={`mt-3 overflow-hidden rounded-xl border bg-surface ${props.tone === "danger" ? "border-bad/40" : "border-line"}`}
      >
        {isEmpty ? (
          <div className="p-6 text-sm text-muted">{props.empty}</div>
        ) : (
          <div className={props.padded === false ? "" : "p-4 sm:p-6"}>{props.children}</div>
        )}
      </div>
    </section>
  );
}
