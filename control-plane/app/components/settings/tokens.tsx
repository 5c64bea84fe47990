import { Link } from "@remix-run/react";
import type { TokenRow } from "../../.server/tokens.ts";
import { Badge } from "../badge.tsx";
import { SubmitButton } from "../button.tsx";
import { fieldError } from "../failure.ts";
import type { ShownFailure } from "../failure.ts";
import { RadioGroup, TextArea, TextField } from "../field.tsx";
import { FormActions, FormFailure } from "../form.tsx";
import { Ago, Moment } from "../moment.tsx";
import { Table } from "../table.tsx";
import type { Column } from "../table.tsx";

const TONES = { active: "good", expired: "quiet", revoked: "bad" } as const;

const COLUMNS: readonly Column<TokenRow>[] = [
  {
    heading: "Token",
    cell: ({ name, display }) => (
      <>
        <span className="font-medium break-words">{name}</span>
        <br />
        <code className="font-mono text-xs text-muted">{display}</code>
      </>
    ),
  },
  {
    heading: "May",
    cell: ({ kind, role, rules, ipCidrs }) => (
      <>
        {kind === "standard" ? role : kind}
        {rules.length > 0 && <span className="block font-mono text-xs text-muted">{rules.join(", ")}</span>}
        {ipCidrs.length > 0 && (
          <span className="block font-mono text-xs text-muted">from {ipCidrs.join(", ")}</span>
        )}
      </>
    ),
  },
  { heading: "State", cell: ({ state }) => <Badge tone={TONES[state]}>{state}</Badge> },
  {
    heading: "Expires",
    cell: ({ expiresAt }) => (expiresAt === null ? "never" : <Moment iso={expiresAt} />),
  },
  {
    heading: "Last used",
    cell: ({ lastUsedAt }) => (lastUsedAt === null ? "never" : <Ago iso={lastUsedAt} />),
  },
];

const REVOKE: Column<TokenRow> = {
  heading: "Actions",
  quiet: true,
  align: "right",
  cell: ({ id, name, state }) =>
    state === "active" && (
      <Link
        to={`?revoke=${id}`}
        preventScrollReset
        aria-label={`Revoke ${name}`}
        className="text-bad hover:underline"
      >
        Revoke …
      </Link>
    ),
};

export function TokenTable({
  tokens,
  mayChange,
}: {
  readonly tokens: readonly TokenRow[];
  readonly mayChange: boolean;
}) {
  return (
    <Table
      caption="Management tokens"
      columns={mayChange ? [...COLUMNS, REVOKE] : COLUMNS}
      rows={tokens}
      keyOf={({ id }) => id}
    />
  );
}

/** The fields of a new token. */
export function NewTokenForm({
  failure,
  values,
}: {
  readonly failure: ShownFailure | undefined;
  readonly values: Readonly<Record<string, string>>;
}) {
  return (
    <div className="flex flex-col gap-6">
      <FormFailure failure={failure} />
      <div className="grid gap-6 sm:grid-cols-2">
        <TextField
          name="name"
          label="Name"
          hint="Where it is used."
          required
          maxLength={100}
          defaultValue={values["name"] ?? ""}
          error={fieldError(failure, "name")}
        />
        <TextField
          name="days"
          label="Days until it expires"
          hint="Empty: never."
          inputMode="numeric"
          defaultValue={values["days"] ?? "90"}
          error={fieldError(failure, "days") ?? fieldError(failure, "expires_at")}
        />
      </div>
      <RadioGroup
        name="role"
        label="What it may do"
        defaultValue={values["role"] ?? "viewer"}
        choices={[
          { value: "viewer", label: "Look", hint: "Read keys, integrations and the audit log." },
          {
            value: "admin",
            label: "Look and change",
            hint: "Also issue, change and revoke keys, and what else an admin may.",
          },
        ]}
      />
      <div className="grid gap-6 sm:grid-cols-2">
        <TextArea
          mono
          rows={3}
          name="allow"
          label="Only these calls"
          hint='One rule a line, such as "GET /api/v1/audit-events". Empty: all that its role may.'
          defaultValue={values["allow"] ?? ""}
          error={fieldError(failure, "allow")}
        />
        <TextArea
          mono
          rows={3}
          name="ips"
          label="Only from these addresses"
          hint="One block a line, such as 203.0.113.0/24. Empty: from anywhere."
          defaultValue={values["ips"] ?? ""}
          error={fieldError(failure, "ips")}
        />
      </div>
      <FormActions>
        <SubmitButton pending="Making it …">Make the token</SubmitButton>
      </FormActions>
    </div>
  );
}
