import type { ShownReceipt } from "../../.server/keys.ts";
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

/** What the proxy confirmed of a key, newest first. */
export function Receipts({ receipts }: { readonly receipts: readonly ShownReceipt[] }) {
  return (
    <Table caption="Receipts" columns={COLUMNS} rows={receipts} keyOf={({ version }) => String(version)} />
  );
}
