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
  /** Names the row: the title of its card. The first column does, unless another one says so. */
  readonly lead?: boolean;
  /** Has a line of the card to itself. */
  readonly wide?: boolean;
}

/**
 * A table that becomes a list of cards on a narrow screen: a title, and below it each value under its heading, two in a line.
 * The roles are spelled out: browsers drop them when a table is not laid out as one.
 */
export function Table<Row>(props: {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
}) {
  const cells = props.columns.filter(({ corner }) => corner !== true);
  const lead = cells.find((column) => column.lead === true) ?? cells[0];
  const hasCorner = cells.length < props.columns.length;
  return (
    <div className="max-xl:overflow-x-auto">
      <table role="table" className="w-full text-left text-sm">
        <caption className="sr-only">{props.caption}</caption>
        <thead
          role="rowgroup"
          className="hidden border-b border-line text-xs text-muted md:table-header-group"
        >
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
              className="relative grid grid-cols-2 gap-x-4 gap-y-3 p-4 align-top hover:bg-sunken/50 md:static md:table-row md:p-0"
            >
              {props.columns.map((column) => (
                <Cell
                  key={column.heading}
                  column={column}
                  row={row}
                  isLead={column === lead}
                  hasCorner={hasCorner}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell<Row>(props: {
  readonly column: Column<Row>;
  readonly row: Row;
  readonly isLead: boolean;
  /** Whether another cell stands in the corner, which a title must leave free. */
  readonly hasCorner: boolean;
}) {
  const { column, isLead } = props;
  const { heading, align, quiet, corner, wide } = column;
  const place =
    corner === true
      ? "absolute top-3 right-4 md:static"
      : isLead
        ? `order-first col-span-2 max-md:font-medium ${props.hasCorner ? "pr-10 md:pr-4" : ""}`
        : wide === true || quiet === true
          ? "col-span-2"
          : "";
  return (
    <td
      role="cell"
      className={`flex min-w-0 flex-col items-start gap-0.5 md:table-cell md:px-3 md:first:pl-4 md:last:pr-4 ${quiet === true && corner !== true ? "md:py-1.5" : "md:py-3"} ${align === "right" ? "md:text-right" : ""} ${place}`}
    >
      {quiet !== true && (
        <span className={`text-xs leading-4 text-muted md:hidden ${isLead ? "sr-only" : ""}`}>{heading}</span>
      )}
      <span className="max-w-full min-w-0 break-words">{column.cell(props.row)}</span>
    </td>
  );
}

function Heading<Row>({ column: { heading, sort, align, quiet } }: { readonly column: Column<Row> }) {
  const direction = sort?.direction ?? null;
  return (
    <th
      role="columnheader"
      scope="col"
      className={`px-3 py-2.5 font-medium first:pl-4 last:pr-4 ${align === "right" ? "text-right" : ""}`}
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
