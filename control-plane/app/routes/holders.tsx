import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Link, useLoaderData } from "@remix-run/react";
import { listHolders } from "../../service/holders.ts";
import { countKeysBy } from "../../service/inventory.ts";
import { may } from "../.server/keys.ts";
import { enter, readCursor, unwrap } from "../.server/page.ts";
import { Badge } from "../components/badge.tsx";
import { LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { Pagination } from "../components/pagination.tsx";
import { EmptyState } from "../components/states.tsx";
import { Table } from "../components/table.tsx";
import type { Column } from "../components/table.tsx";

export const meta: MetaFunction = () => [{ title: "Holders · RelayKey" }];

const PER_PAGE = 50;

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "holder.read");
  const [page, counts] = await Promise.all([
    listHolders(deps, caller, { limit: PER_PAGE, cursor: readCursor(url.searchParams) }),
    countKeysBy(deps, caller, "holder"),
  ]);
  const { entries, nextCursor } = unwrap(page);
  const keys = unwrap(counts);
  return {
    canChange: may(caller, "holder.change"),
    nextCursor,
    holders: entries.map(({ id, name, kind, email, frozen, mailState }) => ({
      id,
      name,
      kind,
      email,
      isFrozen: frozen,
      mailState,
      keys: keys.get(id)?.live ?? 0,
    })),
  };
}

type Row = Awaited<ReturnType<typeof loader>>["holders"][number];

const COLUMNS: readonly Column<Row>[] = [
  {
    heading: "Holder",
    cell: ({ id, name, email }) => (
      <>
        <Link to={`/holders/${id}`} className="font-medium hover:underline">
          {name}
        </Link>
        {email !== null && <span className="block text-xs break-all text-muted">{email}</span>}
      </>
    ),
  },
  { heading: "It is", cell: ({ kind }) => kind },
  {
    heading: "Live keys",
    cell: ({ id, keys }) => (
      <Link to={`/keys?holder=${id}`} className="tabular-nums hover:underline">
        {keys}
      </Link>
    ),
  },
  {
    heading: "State",
    cell: ({ isFrozen, mailState }) => (
      <span className="inline-flex flex-wrap gap-1">
        {isFrozen ? <Badge tone="waiting">frozen</Badge> : <Badge tone="good">active</Badge>}
        {mailState !== "ok" && <Badge tone="bad">mail {mailState}</Badge>}
      </span>
    ),
  },
];

export default function Holders() {
  const { holders, canChange, nextCursor } = useLoaderData<typeof loader>();
  const add = canChange ? (
    <LinkButton to="/holders/new" variant="primary">
      New holder
    </LinkButton>
  ) : undefined;
  return (
    <>
      <PageHeader
        title="Holders"
        note="Who holds keys: people and machines. Freezing one stops all of its keys at once."
        {...(add === undefined ? {} : { actions: add })}
      />
      {holders.length === 0 ? (
        <EmptyState title="No holders yet" action={add}>
          A holder is who a key is given to. People confirm new networks by mail; machines do not have to.
        </EmptyState>
      ) : (
        <>
          <Card title="All holders" padded={false}>
            <Table caption="Holders" columns={COLUMNS} rows={holders} keyOf={({ id }) => id} />
          </Card>
          <Pagination nextCursor={nextCursor} />
        </>
      )}
    </>
  );
}
