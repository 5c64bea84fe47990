import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Link, useLoaderData } from "@remix-run/react";
import { listIntegrations } from "../../service/integrations.ts";
import { countKeysBy } from "../../service/inventory.ts";
import { may } from "../.server/keys.ts";
import { enter, readCursor, unwrap } from "../.server/page.ts";
import { LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { HealthBadges } from "../components/integrations/health.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { Pagination } from "../components/pagination.tsx";
import { EmptyState } from "../components/states.tsx";
import { Table } from "../components/table.tsx";
import type { Column } from "../components/table.tsx";

export const meta: MetaFunction = () => [{ title: "Integrations · RelayKey" }];

const PER_PAGE = 50;

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "integration.read");
  const [page, counts] = await Promise.all([
    listIntegrations(deps, caller, { limit: PER_PAGE, cursor: readCursor(url.searchParams) }),
    countKeysBy(deps, caller, "integration"),
  ]);
  const keys = unwrap(counts);
  const { entries, nextCursor } = unwrap(page);
  return {
    canChange: may(caller, "integration.change"),
    nextCursor,
    integrations: entries.map(({ id, slug, name, enabled, health, upstreamOrigin, upstreamBasePath }) => ({
      slug,
      name,
      enabled,
      health,
      upstream: `${upstreamOrigin}${upstreamBasePath}`,
      keys: keys.get(id)?.live ?? 0,
    })),
  };
}

type Row = Awaited<ReturnType<typeof loader>>["integrations"][number];

const COLUMNS: readonly Column<Row>[] = [
  {
    heading: "Integration",
    cell: ({ slug, name }) => (
      <>
        <Link to={`/integrations/${slug}`} className="font-medium hover:underline">
          {name}
        </Link>
        <code className="block font-mono text-xs text-muted">{slug}</code>
      </>
    ),
  },
  {
    heading: "Upstream",
    cell: ({ upstream }) => <code className="font-mono text-xs break-all">{upstream}</code>,
  },
  {
    heading: "Vendor key",
    cell: ({ enabled, health }) => <HealthBadges enabled={enabled} health={health} />,
  },
  {
    heading: "Live keys",
    cell: ({ slug, keys }) => (
      <Link to={`/keys?integration=${slug}`} className="tabular-nums hover:underline">
        {keys}
      </Link>
    ),
  },
];

export default function Integrations() {
  const { integrations, canChange, nextCursor } = useLoaderData<typeof loader>();
  const add = canChange ? (
    <LinkButton to="/integrations/new" variant="primary">
      Add integration
    </LinkButton>
  ) : undefined;
  return (
    <>
      <PageHeader
        title="Integrations"
        note="The vendors whose keys are stored here, sealed. Callers address one by its name."
        {...(add === undefined ? {} : { actions: add })}
      />
      {integrations.length === 0 ? (
        <EmptyState title="No integrations yet" action={add}>
          Store a vendor's key once. After that, nobody needs it any more.
        </EmptyState>
      ) : (
        <>
          <Card title="All integrations" padded={false}>
            <Table caption="Integrations" columns={COLUMNS} rows={integrations} keyOf={({ slug }) => slug} />
          </Card>
          <Pagination nextCursor={nextCursor} />
        </>
      )}
    </>
  );
}
