import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { useActionData, useLoaderData } from "@remix-run/react";
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
import { LinkButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { FormFailure } from "../../components/form.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pagination } from "../../components/pagination.tsx";
import { InvitationTable, Invite, MemberTable } from "../../components/settings/people.tsx";

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
        <MemberTable members={shown.members} isAdmin={shown.isAdmin} />
      </Card>
      <Pagination nextCursor={shown.nextCursor} />
      {shown.isAdmin && <Invite nonce={shown.nonce} failure={failure} />}
      <Card
        title="Open invitations"
        padded={false}
        empty={shown.invitations.length === 0 ? "Nobody is invited at the moment." : null}
      >
        <InvitationTable invitations={shown.invitations} isAdmin={shown.isAdmin} />
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
