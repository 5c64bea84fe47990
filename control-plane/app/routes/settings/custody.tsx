import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Link, useLoaderData } from "@remix-run/react";
import { enter, unwrap } from "../../.server/page.ts";
import { showCustody } from "../../../service/custody.ts";
import { Card } from "../../components/card.tsx";
import { Facts } from "../../components/facts.tsx";
import { Moment } from "../../components/moment.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Table } from "../../components/table.tsx";
import type { Column } from "../../components/table.tsx";

export const meta: MetaFunction = () => [{ title: "Custody · RelayKey" }];

interface Shown {
  readonly fingerprint: string;
  readonly integrations: readonly {
    readonly slug: string;
    readonly name: string;
    readonly version: number;
    readonly versions: number;
    readonly storedAt: string | null;
  }[];
}

export async function loader(args: LoaderFunctionArgs): Promise<Shown> {
  const { deps, caller } = await enter(args, "integration.read");
  const { fingerprint, integrations } = unwrap(await showCustody(deps, caller));
  return {
    fingerprint: fingerprint.match(/.{4}/g)?.join(" ") ?? "",
    integrations: integrations.map(({ slug, name, version, versions, storedAt }) => ({
      slug,
      name,
      version,
      versions,
      storedAt: storedAt?.toISOString() ?? null,
    })),
  };
}

const COLUMNS: readonly Column<Shown["integrations"][number]>[] = [
  {
    heading: "Integration",
    cell: ({ slug, name }) => (
      <Link to={`/integrations/${slug}`} className="text-accent hover:underline">
        {name}
      </Link>
    ),
  },
  { heading: "In force", cell: ({ version }) => `version ${String(version)}` },
  { heading: "Stored (UTC)", cell: ({ storedAt }) => (storedAt === null ? "—" : <Moment iso={storedAt} />) },
  { heading: "Versions kept", align: "right", cell: ({ versions }) => versions },
];

export default function Custody() {
  const { fingerprint, integrations } = useLoaderData<typeof loader>();
  return (
    <>
      <PageHeader
        back={{ to: "/settings", label: "Settings" }}
        title="Custody"
        note="This dashboard can seal a vendor key and never open one: the opening half of the pair exists only in the proxy."
      />
      <Card title="The pair that vendor keys are sealed for">
        <Facts
          facts={[
            ["Provider", "local: derived from the proxy's master key"],
            [
              "Key id",
              <code key="id" className="font-mono text-xs">
                {fingerprint.replaceAll(" ", "").slice(0, 16)}
              </code>,
            ],
            [
              "Sealed with",
              "AES-256-GCM under a fresh data key per version; the data key wrapped with HPKE (X25519)",
            ],
            [
              "Sealing key",
              <span key="fingerprint">
                <span className="block text-muted">SHA-256 of its public half</span>
                <code className="font-mono text-xs leading-6">{fingerprint}</code>
              </span>,
            ],
          ]}
        />
      </Card>
      <Card
        title="Sealed vendor keys"
        note="To replace one, open its integration."
        padded={false}
        empty={integrations.length > 0 ? null : "None yet."}
      >
        <Table
          caption="Sealed vendor keys"
          columns={COLUMNS}
          rows={integrations}
          keyOf={({ slug }) => slug}
        />
      </Card>
    </>
  );
}
