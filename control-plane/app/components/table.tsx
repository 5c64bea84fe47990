import { Link } from "@remix-run/react";
import type { ReactNode } from "react";

/** One column: its heading, and what a row shows there. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => ReactNode;
  /** Makes the heading a link that sorts; `direction` is there when the rows are sorted by it. */
  readonly sort?: { readonly to: string; readonly direction: "ascending" | "descending" | null };
  readonly align?: "right";
  /** The heading is for screen readers only: check boxes, menus. */
  readonly quiet?: boolean;
  /** Stands in the corner of a card, where it has no line of its own: a check box. */
  readonly corner?: boolean;
}

/**
 * A table that becomes a list of cards on a narrow screen, each value beside its heading. The roles are spelled out:
 * browsers drop them when a table is not laid out as one.
 */
export function Table<Row>(props: {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
}) {
  return (
    <table role="table" className="w-full text-left text-sm">
      <caption className="sr-only">{props.caption}</caption>
      <thead role="rowgroup" className="hidden border-b border-line text-xs text-muted md:table-header-group">
        <tr role="row">
          {props.columns.map((column) => (
            <Heading key={column.heading} column={column} />
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup" className="divide-y divide-line">
        {props.rows.map((row) => (
          <tr
            key={props.keyOf(row)}
            role="row"
            className={`relative block py-2 align-top hover:bg-sunken/50 md:static md:table-row md:p-0 ${props.columns.some(({ corner }) => corner === true) ? "pr-12" : ""}`}
          >
            {props.columns.map(({ heading, cell, align, quiet, corner }) => (
              <td
                key={heading}
                role="cell"
                className={`flex gap-3 px-4 py-1.5 md:table-cell md:py-3 ${align === "right" ? "md:text-right" : ""} ${corner === true ? "absolute top-2 right-0 md:static" : ""}`}
              >
                <span
                  aria-hidden="true"
                  className={`w-24 shrink-0 text-xs leading-5 text-muted md:hidden ${corner === true ? "hidden" : quiet === true ? "invisible" : ""}`}
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

function Heading<Row>({ column: { heading, sort, align, quiet } }: { readonly column: Column<Row> }) {
  const direction = sort?.direction ?? null;
  return (
    <th
      role="columnheader"
      scope="col"
      className={`px-4 py-2.5 font-medium ${align === "right" ? "text-right" : ""}`}
      {...(direction === null ? {} : { "aria-sort": direction })}
    >
      {sort === undefined ? (
        <span className={quiet === true ? "sr-only" : ""}>{heading}</span>
      ) : (
        <Link to={sort.to} className="inline-flex items-center gap-1 hover:text-ink hover:underline">
          {heading}
          <span aria-hidden="true">{direction === null ? "↕" : direction === "ascending" ? "↑" : "↓"}</span>
        </Link>
      )}
    </th>
  );
}
