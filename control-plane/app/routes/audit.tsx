import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Link, useLoaderData, useSearchParams } from "@remix-run/react";
import { readShownChain } from "../.server/audit-chain.ts";
import type { ShownChain } from "../.server/audit-chain.ts";
import { readAuditLog } from "../.server/audit-log.ts";
import type { AuditLog } from "../.server/audit-log.ts";
import { enter } from "../.server/page.ts";
import { AuditFilters, RangeLinks } from "../components/audit-filters.tsx";
import { AuditTable } from "../components/audit-table.tsx";
import { LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { ChainState } from "../components/chain-state.tsx";
import { Histogram } from "../components/histogram.tsx";
import { LiveTail } from "../components/live-tail.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { Pagination } from "../components/pagination.tsx";

export const meta: MetaFunction = () => [{ title: "Audit log · RelayKey" }];

export async function loader(args: LoaderFunctionArgs): Promise<AuditLog & { readonly chain: ShownChain }> {
  const visit = await enter(args, "audit.read");
  const [log, chain] = await Promise.all([readAuditLog(visit), readShownChain(visit)]);
  return { ...log, chain };
}

export default function Audit() {
  const { entries, nextCursor, chart, choices, errors, chain } = useLoaderData<typeof loader>();
  return (
    <>
      <PageHeader
        title="Audit log"
        note="Every request that was made with a key, allowed or blocked, newest first."
        actions={
          <>
            <LiveTail />
            <RangeLinks fallback="24h" />
          </>
        }
      />
      <ChainState chain={chain} />
      <AuditFilters choices={choices} errors={errors} />
      <div className="mt-4 rounded-xl border border-line bg-surface p-4">
        <ShownTime />
        <Histogram
          label="Requests over time; choose a bar, or drag over several, to look into them"
          series={chart.series}
          bars={chart.bars}
          per={chart.per}
        />
      </div>
      <Card
        title="Requests"
        padded={false}
        actions={<ExportLinks />}
        empty={
          entries.length > 0
            ? null
            : "No request matches. Widen the time, or clear the filters; a new request shows here within seconds."
        }
      >
        <AuditTable caption="Requests" entries={entries} />
      </Card>
      <Pagination nextCursor={nextCursor} />
    </>
  );
}

/** The time that was chosen in the picture or by the filters, and the way back. */
function ShownTime() {
  const [search] = useSearchParams();
  const [from, to] = [search.get("from"), search.get("to")];
  if (from === null && to === null) return null;
  const rest = new URLSearchParams(search);
  for (const name of ["from", "to", "cursor"]) rest.delete(name);
  return (
    <p className="mb-2 flex flex-wrap items-center gap-x-3 text-sm">
      <span className="tabular-nums">
        {readable(from) ?? "24 hours"} – {readable(to) ?? "now"} UTC
      </span>
      <Link to={`?${rest.toString()}`} preventScrollReset className="text-accent underline">
        Reset the time
      </Link>
    </p>
  );
}

/** A moment as the address has it, without what says nothing. */
function readable(moment: string | null): string | null {
  return moment === null || moment === ""
    ? null
    : moment
        .slice(0, 19)
        .replace("T", " ")
        .replace(/(:\d\d):00$/, "$1");
}

const EXPORT_WORDS = { csv: "Export CSV", ndjson: "Export NDJSON", proof: "Export proof" } as const;

/** What the page shows, all of it, as a file. */
function ExportLinks() {
  const [search] = useSearchParams();
  return (["csv", "ndjson", "proof"] as const).map((format) => {
    const wanted = new URLSearchParams(search);
    wanted.delete("cursor");
    wanted.set("format", format);
    return (
      <LinkButton key={format} to={`/audit/export?${wanted.toString()}`} reloadDocument size="sm">
        {EXPORT_WORDS[format]}
      </LinkButton>
    );
  });
}
