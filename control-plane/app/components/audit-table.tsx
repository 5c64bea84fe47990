import { Link } from "@remix-run/react";
import type { AuditEntry } from "../.server/audit-log.ts";
import { Badge, reasonTitle } from "./badge.tsx";
import { Address, Path } from "./literal.tsx";
import { Moment } from "./moment.tsx";
import { Table } from "./table.tsx";
import type { Column } from "./table.tsx";

const COLUMNS: readonly Column<AuditEntry>[] = [
  { heading: "Time (UTC)", cell: (entry) => <Moment iso={entry.at} /> },
  {
    heading: "Decision",
    cell: (entry) => (
      <>
        <Badge tone={entry.decision === "allowed" ? "good" : "bad"}>{entry.decision}</Badge>
        {entry.reason !== null && (
          <span className="mt-1 block text-xs text-muted md:min-w-28">{reasonTitle(entry.reason)}</span>
        )}
      </>
    ),
  },
  {
    heading: "Request",
    lead: true,
    cell: (entry) => (
      <Link
        to={`/audit/${entry.requestId}`}
        className="line-clamp-3 font-mono text-xs leading-5 text-accent hover:underline md:min-w-44 xl:min-w-62"
      >
        {entry.method} {entry.integration}:<Path path={entry.path} />
      </Link>
    ),
  },
  {
    heading: "Key, from",
    wide: true,
    cell: (entry) => (
      <>
        {entry.keyId === null ? (
          "—"
        ) : (
          <Link
            to={`/keys/${entry.keyId}`}
            className="line-clamp-2 wrap-anywhere hover:underline md:min-w-36 xl:min-w-40"
          >
            {entry.key === null ? "deleted key" : <Path path={entry.key} />}
          </Link>
        )}
        <span className="block text-muted">
          <Address ip={entry.ip} />
        </span>
      </>
    ),
  },
  {
    heading: "Status",
    align: "right",
    cell: (entry) => <span className="tabular-nums">{entry.status}</span>,
  },
  {
    heading: "Took",
    align: "right",
    cell: (entry) => (
      <span className="whitespace-nowrap tabular-nums">{entry.durationMs.toLocaleString("en")} ms</span>
    ),
  },
];

/** Requests, newest first. */
export function AuditTable({
  caption,
  entries,
}: {
  readonly caption: string;
  readonly entries: readonly AuditEntry[];
}) {
  return <Table caption={caption} columns={COLUMNS} rows={entries} keyOf={({ requestId }) => requestId} />;
}
