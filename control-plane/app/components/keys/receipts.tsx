import type { ShownReceipt } from "../../.server/keys.ts";
import { Badge } from "../badge.tsx";
import { Moment } from "../moment.tsx";
import { Table } from "../table.tsx";
import type { Column } from "../table.tsx";

const COLUMNS: readonly Column<ShownReceipt>[] = [
  { heading: "Version", cell: ({ version }) => <span className="tabular-nums">{version}</span> },
  { heading: "In force since (UTC)", cell: ({ enforcedAt }) => <Moment iso={enforcedAt} /> },
  {
    heading: "Waited for leases",
    cell: ({ waitedMs }) => <span className="tabular-nums">{waitedMs} ms</span>,
  },
  {
    heading: "Last request before it",
    cell: ({ lastAdmittedAt }) => (lastAdmittedAt === null ? "none" : <Moment iso={lastAdmittedAt} />),
  },
  { heading: "Streams cut", cell: ({ streamsCut }) => <span className="tabular-nums">{streamsCut}</span> },
];

/** What the proxy confirmed of a key, newest first; above it the change that it has not confirmed, if there is one. */
export function Receipts(props: {
  readonly receipts: readonly ShownReceipt[];
  readonly pendingVersion: number | null;
}) {
  const { receipts, pendingVersion } = props;
  return (
    <>
      {pendingVersion !== null && (
        <p className="flex flex-wrap items-center gap-3 border-b border-line px-4 py-3 text-sm">
          <span className="tabular-nums">Version {pendingVersion}</span>
          <Badge tone="waiting">pending, not enforced yet: no receipt</Badge>
        </p>
      )}
      {receipts.length > 0 && (
        <Table
          caption="Receipts"
          columns={COLUMNS}
          rows={receipts}
          keyOf={({ version }) => String(version)}
        />
      )}
    </>
  );
}
