import { Form } from "@remix-run/react";
import type { Role } from "@relaykey/db/schema/people";
import { Badge } from "../badge.tsx";
import { LinkButton, SubmitButton } from "../button.tsx";
import { Card } from "../card.tsx";
import { fieldError } from "../failure.ts";
import type { ShownFailure } from "../failure.ts";
import { SelectField, TextField } from "../field.tsx";
import { Ago } from "../moment.tsx";
import { FormNonce } from "../once.tsx";
import { Table } from "../table.tsx";
import type { Column } from "../table.tsx";

interface ShownMember {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  readonly hasPasskey: boolean;
  readonly isSelf: boolean;
  readonly since: string;
}

interface ShownInvitation {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  /** null: a management token. */
  readonly invitedBy: string | null;
  readonly expiresAt: string;
  readonly isExpired: boolean;
}

export function MemberTable(props: { readonly members: readonly ShownMember[]; readonly isAdmin: boolean }) {
  const columns = memberColumns(props.isAdmin);
  return <Table caption="People" columns={columns} rows={props.members} keyOf={({ id }) => id} />;
}

export function InvitationTable(props: {
  readonly invitations: readonly ShownInvitation[];
  readonly isAdmin: boolean;
}) {
  const columns = invitationColumns(props.isAdmin);
  return (
    <Table caption="Open invitations" columns={columns} rows={props.invitations} keyOf={({ id }) => id} />
  );
}

export function Invite(props: { readonly nonce: string; readonly failure: ShownFailure | undefined }) {
  return (
    <Card
      title="Invite somebody"
      note="They get a mail with a link that works for seven days, for that address only."
    >
      <Form method="post" className="grid items-start gap-4 sm:grid-cols-[1fr_10rem_auto]">
        <FormNonce nonce={props.nonce} />
        <TextField
          label="E-mail address"
          name="email"
          type="email"
          required
          maxLength={254}
          error={fieldError(props.failure, "email")}
        />
        <SelectField
          label="Role"
          name="role"
          choices={[
            { value: "viewer", label: "Viewer" },
            { value: "admin", label: "Admin" },
          ]}
        />
        <SubmitButton name="intent" value="invite" pending="Inviting …" className="sm:mt-6.5">
          Invite
        </SubmitButton>
      </Form>
    </Card>
  );
}

function memberColumns(isAdmin: boolean): readonly Column<ShownMember>[] {
  const actions: Column<ShownMember> = {
    heading: "Actions",
    quiet: true,
    align: "right",
    cell: ({ id, role, email }) => (
      <Form method="post" className="inline-flex flex-wrap justify-end gap-2">
        <input type="hidden" name="id" value={id} />
        <input type="hidden" name="role" value={role === "admin" ? "viewer" : "admin"} />
        <SubmitButton variant="secondary" size="sm" name="intent" value="role" pending="Changing …">
          {role === "admin" ? "Make a viewer" : "Make an admin"}
          <span className="sr-only">: {email}</span>
        </SubmitButton>
        <LinkButton size="sm" variant="quiet" to={`?remove=${id}`} preventScrollReset>
          Remove<span className="sr-only"> {email}</span>
        </LinkButton>
      </Form>
    ),
  };
  return [
    {
      heading: "Address",
      cell: ({ email, isSelf }) => (
        <span className="break-all">
          {email} {isSelf && <Badge tone="quiet">you</Badge>}
        </span>
      ),
    },
    { heading: "Role", cell: ({ role }) => role },
    {
      heading: "Passkey",
      cell: ({ hasPasskey }) =>
        hasPasskey ? <Badge tone="good">enrolled</Badge> : <span className="text-muted">none</span>,
    },
    { heading: "Joined", cell: ({ since }) => <Ago iso={since} /> },
    ...(isAdmin ? [actions] : []),
  ];
}

function invitationColumns(isAdmin: boolean): readonly Column<ShownInvitation>[] {
  const actions: Column<ShownInvitation> = {
    heading: "Actions",
    quiet: true,
    align: "right",
    cell: ({ id, email }) => (
      <Form method="post" className="inline-flex flex-wrap justify-end gap-2">
        <input type="hidden" name="id" value={id} />
        <SubmitButton variant="secondary" size="sm" name="intent" value="resend" pending="Sending …">
          Send again<span className="sr-only"> to {email}</span>
        </SubmitButton>
        <SubmitButton variant="quiet" size="sm" name="intent" value="revoke" pending="Withdrawing …">
          Withdraw<span className="sr-only"> {email}</span>
        </SubmitButton>
      </Form>
    ),
  };
  return [
    { heading: "Address", cell: ({ email }) => <span className="break-all">{email}</span> },
    { heading: "Role", cell: ({ role }) => role },
    { heading: "Invited by", cell: ({ invitedBy }) => invitedBy ?? "a management token" },
    {
      heading: "Expires",
      cell: ({ expiresAt, isExpired }) =>
        isExpired ? <Badge tone="waiting">expired</Badge> : <Ago iso={expiresAt} />,
    },
    ...(isAdmin ? [actions] : []),
  ];
}
