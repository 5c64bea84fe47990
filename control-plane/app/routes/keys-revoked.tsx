import { isId } from "@relaykey/core/ids";
import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Link, useLoaderData } from "@remix-run/react";
import { continueEnforcement } from "../../service/organizations.ts";
import { showRun } from "../../service/revocation-run.ts";
import type { Redirect } from "../.server/flash.ts";
import { may, showReceipt } from "../.server/keys.ts";
import { enter, missing, readCursor, unwrap } from "../.server/page.ts";
import { Badge } from "../components/badge.tsx";
import { Card } from "../components/card.tsx";
import { GoOn } from "../components/go-on.tsx";
import { Moment } from "../components/moment.tsx";
import { Notice } from "../components/notice.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { Pagination } from "../components/pagination.tsx";
import { Table } from "../components/table.tsx";
import type { Column } from "../components/table.tsx";

export const meta: MetaFunction = () => [{ title: "Revoked keys · RelayKey" }];

const PER_PAGE = 50;

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "key.read");
  const run = args.params["run"] ?? "";
  if (!isId(run)) missing();
  const page = { limit: PER_PAGE, cursor: readCursor(url.searchParams) };
  const { total, pending, firstAt, lastAt, keys } = unwrap(await showRun(deps, caller, run, page));
  return {
    here: `/keys/revoked/${run}`,
    total,
    pending,
    firstAt: firstAt?.toISOString() ?? null,
    lastAt: lastAt?.toISOString() ?? null,
    mayChange: may(caller, "organization.enforce"),
    nextCursor: keys.nextCursor,
    keys: keys.entries.map(({ key, receipt }) => ({
      id: key.id,
      name: key.name,
      display: key.display,
      receipt:
        receipt === null || key.enforcedVersion < key.policyVersion || receipt.version < key.policyVersion
          ? null
          : showReceipt(receipt),
    })),
  };
}

export async function action(args: ActionFunctionArgs): Promise<Redirect> {
  const { deps, caller } = await enter(args, "organization.enforce");
  unwrap(await continueEnforcement(deps, caller));
  const run = args.params["run"] ?? "";
  return redirect(isId(run) ? `/keys/revoked/${run}` : "/keys");
}

type Row = Awaited<ReturnType<typeof loader>>["keys"][number];

const COLUMNS: readonly Column<Row>[] = [
  {
    heading: "Key",
    cell: ({ id, name, display }) => (
      <>
        <Link to={`/keys/${id}`} className="font-medium hover:underline">
          {name}
        </Link>
        <code className="block font-mono text-xs text-muted">{display}</code>
      </>
    ),
  },
  {
    heading: "In force since (UTC)",
    cell: ({ receipt }) =>
      receipt === null ? (
        <Badge tone="waiting">pending, not in force yet</Badge>
      ) : (
        <Moment iso={receipt.enforcedAt} />
      ),
  },
  {
    heading: "Last request before it",
    cell: ({ receipt }) =>
      receipt === null ? (
        ""
      ) : receipt.lastAdmittedAt === null ? (
        "none"
      ) : (
        <Moment iso={receipt.lastAdmittedAt} />
      ),
  },
  {
    heading: "Streams cut",
    cell: ({ receipt }) => (
      <span className="tabular-nums">{receipt === null ? "" : String(receipt.streamsCut)}</span>
    ),
  },
];

/** What became of a revocation of many keys. Its address can be kept: the page says the same to whoever opens it later. */
export default function RevokedKeys() {
  const { here, total, pending, firstAt, lastAt, mayChange, nextCursor, keys } =
    useLoaderData<typeof loader>();
  const count = total === 1 ? "1 key" : `${String(total)} keys`;
  return (
    <>
      <PageHeader
        title={`${count} revoked`}
        back={{ to: "/keys", label: "Keys" }}
        note="A revoked key stays in the list and in the audit log, and never works again."
      />
      {pending > 0 ? (
        <GoOn pending={pending} total={total} mayChange={mayChange} action={here} />
      ) : (
        <Notice tone="good" title="In force everywhere">
          The proxy has confirmed each revocation
          {firstAt !== null && lastAt !== null && (
            <>
              , the first <Moment iso={firstAt} /> and the last <Moment iso={lastAt} /> UTC
            </>
          )}
          . The receipts are below.
        </Notice>
      )}
      <Card title="Receipts" padded={false}>
        <Table caption="Receipts" columns={COLUMNS} rows={keys} keyOf={({ id }) => id} />
      </Card>
      <Pagination nextCursor={nextCursor} />
    </>
  );
}
