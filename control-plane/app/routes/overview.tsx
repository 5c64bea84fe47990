import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { useLoaderData } from "@remix-run/react";
import { readOverview } from "../.server/overview.ts";
import type { Overview } from "../.server/overview.ts";
import { enter } from "../.server/page.ts";
import { RangeLinks } from "../components/audit-filters.tsx";
import { AuditTable } from "../components/audit-table.tsx";
import { LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { Histogram } from "../components/histogram.tsx";
import { Attention, Figure, Reasons, TopKeys } from "../components/overview.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { useRepeatedLook } from "../components/repeated-look.ts";
import { EmptyState } from "../components/states.tsx";

export const meta: MetaFunction = () => [{ title: "Overview · RelayKey" }];

export async function loader(args: LoaderFunctionArgs): Promise<Overview> {
  return readOverview(await enter(args, "audit.read"));
}

export default function OverviewPage() {
  const overview = useLoaderData<typeof loader>();
  const { chart, range, activeKeys, integrations, latest } = overview;
  useRepeatedLook(overview.waiting.pendingKeys > 0);
  const total = chart.allowed + chart.blocked;
  return (
    <>
      <PageHeader title="Overview" actions={<RangeLinks fallback="24h" />} />
      {integrations === 0 && <Welcome />}
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Figure
          to={`/audit?decision=allowed&range=${range}`}
          label="Allowed"
          value={chart.allowed.toLocaleString("en")}
        />
        <Figure
          to={`/audit?decision=blocked&range=${range}`}
          label="Blocked"
          value={chart.blocked.toLocaleString("en")}
          note={total === 0 ? "" : `${((chart.blocked / total) * 100).toFixed(1)} % of all`}
        />
        <Figure to="/keys?state=active" label="Active keys" value={activeKeys.toLocaleString("en")} />
        <Figure to="/integrations" label="Integrations" value={integrations.toLocaleString("en")} />
      </div>
      <div className="mt-4 rounded-xl border border-line bg-surface p-4">
        <Histogram
          label="Requests over time; choose a bar, or drag over several, to see their rows"
          series={chart.series}
          bars={chart.bars}
          per={chart.per}
        />
      </div>
      <Card title="Needs attention" padded={false}>
        <Attention overview={overview} />
      </Card>
      <div className="mt-8 grid gap-x-6 gap-y-8 lg:grid-cols-2">
        <Card
          title="Busiest keys"
          note="Of the last 24 hours."
          padded={false}
          empty={overview.topKeys.length > 0 ? null : "No key was used."}
        >
          <TopKeys overview={overview} />
        </Card>
        <Card
          title="Why requests were blocked"
          note="Of the time above."
          padded={false}
          empty={chart.reasons.length > 0 ? null : "None was blocked."}
        >
          <Reasons overview={overview} />
        </Card>
      </div>
      <Card
        title="Latest requests"
        actions={
          <LinkButton to="/audit" size="sm">
            All requests
          </LinkButton>
        }
        padded={false}
        empty={
          latest.length > 0 ? null : "No requests yet. Send one with a key; it shows here within seconds."
        }
      >
        <AuditTable caption="Latest requests" entries={latest} />
      </Card>
    </>
  );
}

function Welcome() {
  return (
    <div className="mb-6">
      <EmptyState
        title="Put a vendor's key behind the proxy"
        action={
          <LinkButton to="/start" variant="primary">
            Take the first steps
          </LinkButton>
        }
      >
        Store the real key once, sealed. Then issue keys that are limited, watched, and dead the moment you
        revoke them.
      </EmptyState>
    </div>
  );
}
