import type { ReactNode } from "react";

/** A titled part of a page; an empty one says what to do. */
export function Card(props: {
  readonly title: string;
  readonly note: string;
  readonly empty: ReactNode | null;
  readonly children: ReactNode;
}) {
  return (
    <section aria-label={props.title} className="mt-10">
      <h2 className="text-lg font-semibold">{props.title}</h2>
      <p className="mt-1 text-sm text-slate-600 dark:text-slate-400">{props.note}</p>
      <div className="mt-4 overflow-hidden rounded-xl border border-slate-200 bg-white dark:border-slate-800 dark:bg-slate-900">
        {props.empty === null ? (
          props.children
        ) : (
          <p className="p-6 text-sm text-slate-600 dark:text-slate-400">{props.empty}</p>
        )}
      </div>
    </section>
  );
}
