import type { ShownEvent } from "../../.server/keys.ts";
import { Badge, reasonTitle } from "../badge.tsx";
import { Address, Path } from "../literal.tsx";
import { Ago } from "../moment.tsx";
import { Table } from "../table.tsx";
import type { Column } from "../table.tsx";

const COLUMNS: readonly Column<ShownEvent>[] = [
  {
    heading: "When",
    cell: ({ at, ip }) => (
      <>
        <span className="whitespace-nowrap">
          <Ago iso={at} />
        </span>
        <span className="block text-muted">
          <Address ip={ip} />
        </span>
      </>
    ),
  },
  {
    heading: "Decision",
    cell: ({ decision, reason }) => (
      <>
        <Badge tone={decision === "allowed" ? "good" : "bad"}>{decision}</Badge>
        {reason !== null && <span className="mt-1 block text-xs text-muted">{reasonTitle(reason)}</span>}
      </>
    ),
  },
  {
    heading: "Request",
    lead: true,
    cell: ({ method, path }) => (
      <code className="line-clamp-3 font-mono text-xs leading-5 md:min-w-44">
        {method} <Path path={path} />
      </code>
    ),
  },
  { heading: "Status", align: "right", cell: ({ status }) => <span className="tabular-nums">{status}</span> },
  {
    heading: "Took",
    align: "right",
    cell: ({ durationMs }) => <span className="whitespace-nowrap tabular-nums">{durationMs} ms</span>,
  },
];

/** The latest requests of one key. */
export function Events({ events }: { readonly events: readonly ShownEvent[] }) {
  return (
    <Table caption="Latest requests" columns={COLUMNS} rows={events} keyOf={({ requestId }) => requestId} />
  );
}
