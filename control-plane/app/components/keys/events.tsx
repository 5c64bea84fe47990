import type { ShownEvent } from "../../.server/keys.ts";
import { Badge, reasonTitle } from "../badge.tsx";
import { Ago } from "../moment.tsx";
import { Table } from "../table.tsx";
import type { Column } from "../table.tsx";

const COLUMNS: readonly Column<ShownEvent>[] = [
  { heading: "When", cell: ({ at }) => <Ago iso={at} /> },
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
    cell: ({ method, path }) => (
      <code className="font-mono text-xs leading-5 break-all">
        {method} {path}
      </code>
    ),
  },
  { heading: "Status", cell: ({ status }) => <span className="tabular-nums">{status}</span> },
  { heading: "From", cell: ({ ip }) => <span className="font-mono text-xs">{ip ?? "—"}</span> },
  { heading: "Took", cell: ({ durationMs }) => <span className="tabular-nums">{durationMs} ms</span> },
];

/** The latest requests of one key. */
export function Events({ events }: { readonly events: readonly ShownEvent[] }) {
  return (
    <Table caption="Latest requests" columns={COLUMNS} rows={events} keyOf={({ requestId }) => requestId} />
  );
}
