import type { ReactNode } from "react";

/** One column: its heading, and what a row shows there. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => ReactNode;
}

/** A table that becomes a list of cards on a narrow screen, each value beside its heading. */
export function Table<Row>(props: {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
}) {
  return (
    <table className="w-full text-left text-sm">
      <caption className="sr-only">{props.caption}</caption>
      <thead className="hidden border-b border-slate-200 text-xs text-slate-600 md:table-header-group dark:border-slate-800 dark:text-slate-400">
        <tr>
          {props.columns.map(({ heading }) => (
            <th key={heading} scope="col" className="px-4 py-3 font-medium">
              {heading}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="divide-y divide-slate-200 dark:divide-slate-800">
        {props.rows.map((row) => (
          <tr key={props.keyOf(row)} className="block py-2 align-top md:table-row md:py-0">
            {props.columns.map(({ heading, cell }) => (
              <td key={heading} className="flex gap-3 px-4 py-1.5 md:table-cell md:py-3">
                <span
                  aria-hidden="true"
                  className="w-24 shrink-0 text-xs leading-5 text-slate-600 md:hidden dark:text-slate-400"
                >
                  {heading}
                </span>
                <span className="min-w-0 break-words">{cell(row)}</span>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
