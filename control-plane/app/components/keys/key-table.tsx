import { Link, useLocation } from "@remix-run/react";
import type { KeySort } from "@relaykey/core/key-sort";
import type { ShownKeyRow } from "../../.server/keys.ts";
import { Path } from "../literal.tsx";
import { Ago } from "../moment.tsx";
import { Sparkline } from "../sparkline.tsx";
import { Table } from "../table.tsx";
import type { Column } from "../table.tsx";
import { headingSort } from "./key-sorts.ts";
import { KeyStateBadges } from "./key-state.tsx";

const NAME: Column<ShownKeyRow> = {
  heading: "Key",
  cell: (key) => (
    <>
      <Link
        to={`/keys/${key.id}`}
        className="line-clamp-2 font-medium wrap-anywhere hover:underline md:min-w-36"
      >
        <Path path={key.name} />
      </Link>
      <code className="block font-mono text-xs text-muted">{key.display}</code>
    </>
  ),
};

const HOLDER: Column<ShownKeyRow> = {
  heading: "Holder",
  cell: (key) => (
    <Link to={`/holders/${key.holder.id}`} className="line-clamp-2 wrap-anywhere hover:underline md:min-w-28">
      {key.holder.name}
    </Link>
  ),
};

const INTEGRATION: Column<ShownKeyRow> = {
  heading: "Integration",
  cell: (key) => (
    <Link to={`/integrations/${key.integration}`} className="hover:underline">
      {key.integration}
    </Link>
  ),
};

/** Both in one column, where both are shown: the table has to fit beside the navigation. */
const HOLDER_AND_INTEGRATION: Column<ShownKeyRow> = {
  heading: "Holder, integration",
  cell: (key) => (
    <>
      {HOLDER.cell(key)}
      <span className="-mb-1 block text-xs text-muted">{INTEGRATION.cell(key)}</span>
    </>
  ),
};

const STATE: Column<ShownKeyRow> = {
  heading: "State",
  cell: (key) => <KeyStateBadges state={key.state} isPending={key.isPending} />,
};

const WEEK: Column<ShownKeyRow> = {
  heading: "Last 7 days",
  cell: ({ week }) => {
    const sum = week.reduce((total, requests) => total + requests, 0);
    const words = sum === 1 ? "1 request" : `${String(sum)} requests`;
    return (
      <span className="flex items-center gap-2">
        <Sparkline values={week} label={`${words} in the last 7 days: ${week.join(", ")}`} />
        <span aria-hidden="true" className="text-xs text-muted tabular-nums">
          {sum}
        </span>
      </span>
    );
  },
};

const LAST_USE: Column<ShownKeyRow> = {
  heading: "Last use",
  cell: (key) =>
    key.lastUsedAt === null ? <span className="text-muted">never</span> : <Ago iso={key.lastUsedAt} />,
};

const EXPIRY: Column<ShownKeyRow> = {
  heading: "Expires",
  cell: (key) =>
    key.expiresAt === null ? <span className="text-muted">never</span> : <Ago iso={key.expiresAt} />,
};

/** Keys, with a check box each where they can be chosen. */
export function KeyTable(props: {
  readonly caption: string;
  readonly keys: readonly ShownKeyRow[];
  /** Leaves out the column that says the same in each row. */
  readonly of?: "holder" | "integration";
  readonly selectable?: boolean;
  /** How the list is sorted, where its headings sort it. */
  readonly sort?: KeySort;
}) {
  const { search } = useLocation();
  const select: Column<ShownKeyRow> = {
    heading: "Select",
    quiet: true,
    corner: true,
    cell: (key) =>
      key.state === "revoked" ? null : (
        <input
          type="checkbox"
          name="key"
          value={key.id}
          aria-label={`Select ${key.name} (${key.display})`}
          className="size-6 accent-fill md:size-5"
        />
      ),
  };
  const columns = [
    ...(props.selectable === true ? [select] : []),
    NAME,
    props.of === undefined ? HOLDER_AND_INTEGRATION : props.of === "holder" ? INTEGRATION : HOLDER,
    STATE,
    WEEK,
    LAST_USE,
    EXPIRY,
  ];
  const { sort } = props;
  const sorted = columns.map((column) => {
    const heading = sort === undefined ? null : headingSort(column.heading, sort, search);
    return heading === null ? column : { ...column, sort: heading };
  });
  return <Table caption={props.caption} columns={sorted} rows={props.keys} keyOf={({ id }) => id} />;
}
