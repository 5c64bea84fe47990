import { Form, Link } from "@remix-run/react";
import type { HolderPage } from "../../.server/holder-page.ts";
import { SubmitButton } from "../button.tsx";
import { Card } from "../card.tsx";
import { fieldError } from "../failure.ts";
import type { ShownFailure } from "../failure.ts";
import { TextField } from "../field.tsx";
import { Ago } from "../moment.tsx";
import { Notice } from "../notice.tsx";
import { Table } from "../table.tsx";
import type { Column } from "../table.tsx";
import { NetworkMap } from "./network-map.tsx";

type Trusted = NonNullable<HolderPage["networks"]>["trusted"][number];
type Pending = NonNullable<HolderPage["networks"]>["pending"][number];

const SOURCES: Readonly<Record<Trusted["source"], string>> = {
  first_use: "its first use",
  confirmed: "the holder, by mail",
  approved: "an admin",
};

/** From where a holder's keys may be used, and what waits for the holder's word: on a map, and as lists. */
export function Networks(props: {
  readonly page: HolderPage;
  readonly failure: ShownFailure | undefined;
  readonly values: Readonly<Record<string, string>>;
  readonly isPerson: boolean;
}) {
  const { page, failure, values, isPerson } = props;
  if (page.networks === null) {
    return (
      <Notice tone="waiting" title="Networks cannot be shown just now">
        The proxy did not answer. What it trusts stays as it is; reload the page to ask again.
      </Notice>
    );
  }
  const { map, trusted, pending } = page.networks;
  return (
    <>
      {pending.length > 0 && (
        <Card
          title="Waiting for its word"
          note="Calls from these networks are refused until they are confirmed."
          padded={false}
        >
          <Table
            caption="Waiting for its word"
            columns={pendingColumns(page)}
            rows={pending}
            keyOf={({ id }) => id}
          />
        </Card>
      )}
      <Card
        title="Trusted networks"
        note={
          isPerson
            ? "From where keys that ask for confirmation may be used."
            : "Only keys that ask for confirmation look at these; those of machines usually do not."
        }
        padded={false}
        empty={
          trusted.length === 0 && map === null
            ? "None yet. The first network that a key is used from is trusted; others are confirmed or approved."
            : undefined
        }
      >
        {map !== null && <NetworkMap map={map} />}
        <Table
          caption="Trusted networks"
          columns={trustedColumns(page)}
          rows={trusted}
          keyOf={({ network }) => network}
        />
      </Card>
      {page.canChangeNetworks && (
        <Form method="post" className="mt-4 flex flex-wrap items-start gap-3">
          <input type="hidden" name="intent" value="approve" />
          <div className="min-w-60 flex-1">
            <TextField
              name="network"
              label="Approve an address or a range"
              placeholder="203.0.113.0/24"
              hint="Its keys can be used from there without a mail."
              defaultValue={values["intent"] === "approve" ? (values["network"] ?? "") : ""}
              error={fieldError(failure, "network")}
              spellCheck={false}
            />
          </div>
          <div className="pt-[1.625rem]">
            <SubmitButton variant="secondary" pending="Approving …">
              Approve
            </SubmitButton>
          </div>
        </Form>
      )}
    </>
  );
}

function trustedColumns({ canChangeNetworks }: HolderPage): readonly Column<Trusted>[] {
  return [
    {
      heading: "Network",
      cell: ({ network }) => <code className="font-mono text-xs break-all">{network}</code>,
    },
    { heading: "Place", cell: Whereabouts },
    { heading: "Trusted by", cell: ({ source }) => SOURCES[source] },
    { heading: "First seen", cell: ({ firstSeen }) => <Ago iso={firstSeen} /> },
    { heading: "Last seen", cell: ({ lastSeen }) => <Ago iso={lastSeen} /> },
    ...(canChangeNetworks
      ? [
          {
            heading: "Actions",
            quiet: true,
            cell: ({ network }: Trusted) => (
              <NetworkButton intent="remove" network={network} label={`Remove ${network}`}>
                Remove
              </NetworkButton>
            ),
          },
        ]
      : []),
  ];
}

function pendingColumns({ canChangeNetworks }: HolderPage): readonly Column<Pending>[] {
  return [
    {
      heading: "Network",
      cell: ({ network }) => <code className="font-mono text-xs break-all">{network}</code>,
    },
    { heading: "Place", cell: Whereabouts },
    {
      heading: "First request",
      cell: ({ request, userAgent }) => (
        <>
          <code className="font-mono text-xs break-all">{request}</code>
          {userAgent !== null && <span className="block text-xs break-all text-muted">{userAgent}</span>}
        </>
      ),
    },
    {
      heading: "Key",
      cell: ({ key, keyId }) => (
        <Link to={`/keys/${keyId}`} className="hover:underline">
          {key}
        </Link>
      ),
    },
    {
      heading: "Since",
      cell: ({ since, attempts, mailed }) => (
        <>
          <Ago iso={since} />
          <span className="block text-xs text-muted">
            {attempts} {attempts === 1 ? "attempt" : "attempts"}, {mailed ? "mailed" : "no mail was sent"}
          </span>
        </>
      ),
    },
    ...(canChangeNetworks
      ? [
          {
            heading: "Actions",
            quiet: true,
            cell: ({ id, network }: Pending) => (
              <span className="flex flex-wrap gap-2">
                <NetworkButton intent="approve" network={network} label={`Approve ${network}`}>
                  Approve
                </NetworkButton>
                <NetworkButton intent="dismiss" network={id} label={`Dismiss ${network}`}>
                  Dismiss
                </NetworkButton>
              </span>
            ),
          },
        ]
      : []),
  ];
}

/** Where a network is, and who runs it, as the edge tells it. */
function Whereabouts({ place, operator }: Pick<Trusted, "place" | "operator">) {
  if (place === null && operator === null) return <span className="text-muted">not known</span>;
  return (
    <>
      {place ?? "Place not known"}
      {operator !== null && <span className="block text-xs text-muted">{operator}</span>}
    </>
  );
}

function NetworkButton(props: {
  readonly intent: "approve" | "remove" | "dismiss";
  readonly network: string;
  readonly label: string;
  readonly children: string;
}) {
  return (
    <Form method="post" preventScrollReset>
      <input type="hidden" name="network" value={props.network} />
      <SubmitButton name="intent" value={props.intent} size="sm" variant="secondary" aria-label={props.label}>
        {props.children}
      </SubmitButton>
    </Form>
  );
}
