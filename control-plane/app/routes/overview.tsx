import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { useLoaderData } from "@remix-run/react";
import { readOverview } from "../.server/overview.ts";
import type { Overview } from "../.server/overview.ts";
import { enter } from "../.server/page.ts";
import { Badge } from "../components/badge.tsx";
import type { Tone } from "../components/badge.tsx";
import { Card } from "../components/card.tsx";
import { Moment } from "../components/moment.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { Table } from "../components/table.tsx";
import type { Column } from "../components/table.tsx";

export const meta: MetaFunction = () => [{ title: "Overview · RelayKey" }];

export async function loader(args: LoaderFunctionArgs): Promise<Overview> {
  const { deps, caller } = await enter(args, "audit.read");
  return readOverview(deps, caller.organizationId);
}

type Key = Overview["keys"][number];
type Event = Overview["events"][number];

const STATE_TONES: Record<Key["state"], Tone> = {
  active: "good",
  revoked: "bad",
  frozen: "waiting",
  expired: "quiet",
};

const KEY_COLUMNS: readonly Column<Key>[] = [
  {
    heading: "Key",
    cell: (key) => (
      <>
        <span className="font-medium">{key.name}</span>
        <br />
        <code className="font-mono text-xs text-muted">{key.display}</code>
      </>
    ),
  },
  { heading: "Holder", cell: (key) => key.holder },
  { heading: "Integration", cell: (key) => key.integration },
  {
    heading: "Allows",
    cell: (key) => (
      <ul className="font-mono text-xs leading-5">
        {key.allow.map((rule) => (
          <li key={rule}>{rule}</li>
        ))}
      </ul>
    ),
  },
  {
    heading: "State",
    cell: (key) => (
      <span className="flex flex-wrap gap-1">
        <Badge tone={STATE_TONES[key.state]}>{key.state}</Badge>
        {key.isPending && <Badge tone="waiting">change pending</Badge>}
      </span>
    ),
  },
  { heading: "Expires", cell: (key) => (key.expiresAt === null ? "never" : <Moment iso={key.expiresAt} />) },
  { heading: "Last use", cell: (key) => (key.lastUsedAt === null ? "—" : <Moment iso={key.lastUsedAt} />) },
];

const EVENT_COLUMNS: readonly Column<Event>[] = [
  { heading: "Time (UTC)", cell: (event) => <Moment iso={event.at} /> },
  {
    heading: "Decision",
    cell: (event) => (
      <>
        <Badge tone={event.decision === "allowed" ? "good" : "bad"}>{event.decision}</Badge>
        {event.reason !== null && <span className="mt-1 block text-xs text-muted">{event.reason}</span>}
      </>
    ),
  },
  {
    heading: "Request",
    cell: (event) => (
      <code className="font-mono text-xs leading-5 break-all">
        {event.method} {event.integration}:{event.path}
      </code>
    ),
  },
  { heading: "Key", cell: (event) => event.key ?? "—" },
  { heading: "Status", cell: (event) => <span className="tabular-nums">{event.status}</span> },
  { heading: "IP", cell: (event) => <span className="font-mono text-xs">{event.ip ?? "—"}</span> },
  { heading: "Took", cell: (event) => <span className="tabular-nums">{event.durationMs} ms</span> },
  {
    heading: "Request id",
    cell: (event) => <code className="font-mono text-xs break-all text-muted">{event.requestId}</code>,
  },
];

export default function OverviewPage() {
  const { organization, keys, events } = useLoaderData<typeof loader>();
  return (
    <>
      <PageHeader title={organization} />
      <Card
        title="Keys"
        note="What people and programs hold instead of the vendor's key."
        padded={false}
        empty={keys.length > 0 ? null : "No keys yet. Create the first one: npm run rk -- keys create --help"}
      >
        <Table caption="Keys" columns={KEY_COLUMNS} rows={keys} keyOf={({ id }) => id} />
      </Card>
      <Card
        title="Latest requests"
        note="Every request, allowed or blocked, newest first."
        padded={false}
        empty={
          events.length > 0
            ? null
            : "No requests yet. Send one with a key from above; it shows here within seconds."
        }
      >
        <Table
          caption="Latest requests"
          columns={EVENT_COLUMNS}
          rows={events}
          keyOf={({ requestId }) => requestId}
        />
      </Card>
    </>
  );
}
