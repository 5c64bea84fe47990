import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { isId } from "@relaykey/core/ids";
import type { Role } from "@relaykey/db/schema/people";
import {
  inviteMember,
  listInvitations,
  resendInvitation,
  revokeInvitation,
} from "../../../service/invitations.ts";
import { changeMemberRole, leaveOrganization, listMembers, removeMember } from "../../../service/members.ts";
import { fail } from "../../../service/outcome.ts";
import { redirectWith } from "../../.server/flash.ts";
import { readForm } from "../../.server/form.ts";
import { newNonce, once, toWhatWasMade } from "../../.server/once.ts";
import { enter, refuse, unwrap } from "../../.server/page.ts";
import { Badge } from "../../components/badge.tsx";
import { LinkButton, SubmitButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { fieldError } from "../../components/failure.ts";
import { SelectField, TextField } from "../../components/field.tsx";
import { FormFailure } from "../../components/form.tsx";
import { Ago } from "../../components/moment.tsx";
import { FormNonce } from "../../components/once.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pagination } from "../../components/pagination.tsx";
import { Table } from "../../components/table.tsx";
import type { Column } from "../../components/table.tsx";

export const meta: MetaFunction = () => [{ title: "Members · RelayKey" }];

const HERE = "/settings/members";
const PAGE = 50;

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "member.read");
  const members = unwrap(await listMembers(deps, caller, { limit: PAGE, cursor: cursorOf(url) }));
  const invitations = unwrap(await listInvitations(deps, caller, { limit: PAGE, cursor: null }));
  const ownId = caller.actor.kind === "user" ? caller.actor.id : null;
  return {
    nonce: newNonce(),
    isAdmin: caller.role === "admin",
    members: members.entries.map(({ id, userId, email, role, hasPasskey, createdAt }) => ({
      id,
      email,
      role,
      hasPasskey,
      isSelf: userId === ownId,
      since: createdAt.toISOString(),
    })),
    nextCursor: members.nextCursor,
    invitations: invitations.entries.map(({ id, email, role, invitedBy, expiresAt }) => ({
      id,
      email,
      role,
      invitedBy,
      expiresAt: expiresAt.toISOString(),
      isExpired: expiresAt.getTime() <= deps.now(),
    })),
    remove: url.searchParams.get("remove"),
    leave: url.searchParams.has("leave"),
  };
}

export async function action(args: ActionFunctionArgs) {
  const { deps, caller } = await enter(args, "member.read");
  const form = await readForm(args.request);
  const id = form.text("id");
  const role: Role = form.text("role") === "admin" ? "admin" : "viewer";
  const intent = form.text("intent");
  if (intent === "leave") {
    const left = await leaveOrganization(deps, caller);
    return left.ok
      ? redirectWith(deps, "/organizations", { tone: "good", text: "You have left the organization." })
      : refuse(left.failure);
  }
  if (intent === "invite") {
    const email = form.text("email");
    const invited = await once(
      { deps, caller },
      form,
      "invitation.change",
      () => inviteMember(deps, caller, { email, role }),
      (invitation) => invitation.id,
    );
    if (!invited.ok) return refuse(invited.failure);
    return invited.value.isFirst
      ? done(`${invited.value.value.email} gets a mail with the invitation.`)
      : toWhatWasMade(deps, () => HERE, HERE, invited.value.madeId);
  }
  if (!isId(id)) return refuse(fail("not_found").failure);
  switch (intent) {
    case "role": {
      const changed = await changeMemberRole(deps, caller, id, role);
      return changed.ok
        ? done(`${changed.value.email} is ${withArticle(role)} now.`)
        : refuse(changed.failure);
    }
    case "remove": {
      const removed = await removeMember(deps, caller, id);
      return removed.ok ? done(`${removed.value.email} is no member any more.`) : refuse(removed.failure);
    }
    case "resend": {
      const sent = await resendInvitation(deps, caller, id);
      return sent.ok
        ? done(`${sent.value.email} gets a new mail; the link before is dead.`)
        : refuse(sent.failure);
    }
    case "revoke": {
      const revoked = await revokeInvitation(deps, caller, id);
      return revoked.ok
        ? done(`The invitation of ${revoked.value.email} is withdrawn.`)
        : refuse(revoked.failure);
    }
    default:
      return refuse(fail("not_found").failure);
  }

  function done(text: string) {
    return redirectWith(deps, HERE, { tone: "good", text });
  }
}

function cursorOf(url: URL): string | null {
  const cursor = url.searchParams.get("cursor") ?? "";
  return isId(cursor) ? cursor : null;
}

type Shown = Awaited<ReturnType<typeof loader>>;
type ShownMember = Shown["members"][number];
type ShownInvitation = Shown["invitations"][number];

function withArticle(role: Role): string {
  return role === "admin" ? "an admin" : "a viewer";
}

export default function Members() {
  const shown = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  const removing = shown.members.find(({ id }) => id === shown.remove);
  return (
    <>
      <PageHeader
        title="Members"
        back={{ to: "/settings", label: "Settings" }}
        note="Admins change everything; viewers see everything and change nothing. There is no owner: to hand an organization over, make somebody else an admin, then leave."
        actions={
          <LinkButton to="?leave" preventScrollReset>
            Leave the organization
          </LinkButton>
        }
      />
      <FormFailure failure={failure} />
      <Card title="People" padded={false}>
        <Table
          caption="People"
          columns={memberColumns(shown.isAdmin)}
          rows={shown.members}
          keyOf={({ id }) => id}
        />
      </Card>
      <Pagination nextCursor={shown.nextCursor} />
      {shown.isAdmin && <Invite nonce={shown.nonce} failure={failure} />}
      <Card
        title="Open invitations"
        padded={false}
        empty={shown.invitations.length === 0 ? "Nobody is invited at the moment." : null}
      >
        <Table
          caption="Open invitations"
          columns={invitationColumns(shown.isAdmin)}
          rows={shown.invitations}
          keyOf={({ id }) => id}
        />
      </Card>
      {removing !== undefined && (
        <ConfirmDialog
          title={`Remove ${removing.email}?`}
          confirm="Remove"
          pending="Removing …"
          closeTo={HERE}
          intent="remove"
          failure={failure}
        >
          <p>
            They see nothing of this organization any more, at once. Keys and management tokens that they made
            stay: look whether those should go too.
          </p>
          <input type="hidden" name="id" value={removing.id} />
        </ConfirmDialog>
      )}
      {shown.leave && (
        <ConfirmDialog
          title="Leave this organization?"
          confirm="Leave"
          pending="Leaving …"
          closeTo={HERE}
          intent="leave"
          failure={failure}
        >
          <p>To come back, you need an invitation. The last admin cannot leave.</p>
        </ConfirmDialog>
      )}
    </>
  );
}

function Invite(props: { readonly nonce: string; readonly failure: Parameters<typeof fieldError>[0] }) {
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
