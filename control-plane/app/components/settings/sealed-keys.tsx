import { Form, Link } from "@remix-run/react";
import { Badge } from "../badge.tsx";
import { SubmitButton } from "../button.tsx";
import { Card } from "../card.tsx";
import { Moment } from "../moment.tsx";
import { Notice } from "../notice.tsx";
import { Table } from "../table.tsx";
import type { Column } from "../table.tsx";

export interface SealedKey {
  readonly slug: string;
  readonly name: string;
  readonly version: number;
  readonly versions: number;
  readonly provider: string | null;
  readonly keyId: string | null;
  readonly sealedAt: string | null;
  readonly state: "current" | "pending" | "failed";
  /** Why it could not be rewrapped, in words. */
  readonly problem: string | null;
}

const TONES = { current: "good", pending: "waiting", failed: "bad" } as const;

const COLUMNS: readonly Column<SealedKey>[] = [
  {
    heading: "Integration",
    cell: ({ slug, name }) => (
      <Link to={`/integrations/${slug}`} className="text-accent hover:underline">
        {name}
      </Link>
    ),
  },
  {
    heading: "In force",
    cell: ({ version }) => <span className="whitespace-nowrap">version {version}</span>,
  },
  {
    heading: "Provider",
    cell: ({ provider }) => <span className="whitespace-nowrap">{provider ?? "—"}</span>,
  },
  { heading: "Key id", cell: ({ keyId }) => <code className="font-mono text-xs">{keyId ?? "—"}</code> },
  {
    heading: "Sealed since (UTC)",
    cell: ({ sealedAt }) => (sealedAt === null ? "—" : <Moment iso={sealedAt} />),
  },
  {
    heading: "State",
    cell: ({ state, problem }) => (
      <>
        <Badge tone={TONES[state]}>{state}</Badge>
        {problem !== null && <span className="mt-1 block text-xs text-muted">{problem}</span>}
      </>
    ),
  },
  { heading: "Versions kept", align: "right", cell: ({ versions }) => versions },
];

export function SealedKeys({ keys }: { readonly keys: readonly SealedKey[] }) {
  return (
    <Card
      title="Sealed vendor keys"
      note="To replace one, open its integration."
      padded={false}
      empty={keys.length > 0 ? null : "None yet. Each integration that is added seals one."}
    >
      <Table caption="Sealed vendor keys" columns={COLUMNS} rows={keys} keyOf={({ slug }) => slug} />
    </Card>
  );
}

/** How far rewrapping is, while it is under way. It goes on each minute, and by a button. */
export function RewrapNotice(props: {
  readonly progress: { readonly total: number; readonly current: number; readonly failed: number };
  readonly mayChange: boolean;
  readonly action: string;
}) {
  const { total, current, failed } = props.progress;
  if (current === total) return null;
  return (
    <Notice
      tone="waiting"
      title={`${String(current)} of ${String(total)} vendor keys rewrapped`}
      aside={
        props.mayChange && (
          <Form method="post" action={props.action}>
            <input type="hidden" name="intent" value="continue" />
            <SubmitButton size="sm" variant="secondary" pending="Going on …">
              Go on now
            </SubmitButton>
          </Form>
        )
      }
    >
      <progress
        className="my-2 block h-2 w-full max-w-md appearance-none overflow-hidden rounded-full bg-surface [&::-moz-progress-bar]:bg-fill [&::-webkit-progress-bar]:bg-surface [&::-webkit-progress-value]:bg-fill"
        max={total}
        value={current}
        aria-label="Vendor keys rewrapped"
      />
      The others are under a former key, and need it until they are rewrapped: keep it enabled. That goes on
      each minute, also when this page is closed.
      {failed > 0 && ` ${String(failed)} could not be rewrapped the last time; the table says why.`}
    </Notice>
  );
}
