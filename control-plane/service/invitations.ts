import { mailboxOf, maskEmail, parseEmail } from "@relaykey/core/email";
import { newId } from "@relaykey/core/ids";
import * as queries from "@relaykey/db/queries/invitations";
import type { Invitation } from "@relaykey/db/queries/invitations";
import { findMember } from "@relaykey/db/queries/members";
import { findOrganization } from "@relaykey/db/queries/organizations";
import { findUserById } from "@relaykey/db/queries/people";
import type { Role } from "@relaykey/db/schema/people";
import type { Person } from "./account/person.ts";
import { hashOf, newToken } from "./account/secrets.ts";
import { authorize } from "./authorization.ts";
import { adminEvent, creationEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { withinPlan } from "./plan-limit.ts";
import { unlessStale } from "./stale.ts";
import { takeAll } from "./throttle.ts";
import { toPage } from "./page.ts";
import type { Page, PageRequest } from "./page.ts";

const VALID_MS = 7 * 86_400_000;
const DAY = 86_400;

/** Invitations that were neither accepted nor revoked, the newest first. */
export async function listInvitations(
  deps: ServiceDependencies,
  caller: Caller,
  page: PageRequest,
): Promise<Outcome<Page<Invitation>>> {
  const allowed = authorize(caller, "invitation.read");
  if (!allowed.ok) return allowed;
  const rows = await queries.listInvitations(deps.db, caller.organizationId, {
    limit: page.limit + 1,
    before: page.cursor,
  });
  return ok(toPage(rows, page.limit, ({ id }) => id));
}

/** An invitation that was neither accepted nor revoked. */
export async function showInvitation(
  deps: ServiceDependencies,
  caller: Caller,
  id: string,
): Promise<Outcome<Invitation>> {
  const allowed = authorize(caller, "invitation.read");
  if (!allowed.ok) return allowed;
  const invitation = await queries.findInvitation(deps.db, caller.organizationId, id);
  return invitation === null ? fail("not_found") : ok(invitation);
}

/** Mails a link that makes its reader a member. A second invitation of an address replaces the first. */
export async function inviteMember(
  deps: ServiceDependencies,
  caller: Caller,
  input: { readonly email: string; readonly role: Role },
): Promise<Outcome<Invitation>> {
  const allowed = mayInvite(caller, input.role);
  if (!allowed.ok) return allowed;
  const parsed = parseEmail(input.email);
  if (parsed === null) return invalid("email", "Give an e-mail address such as ada@example.com.");
  const { organizationId } = caller;
  const email = parsed.address;
  if ((await findMember(deps.db, organizationId, { email })) !== null) {
    return fail("already_member", { detail: `${email} is a member already: change their role instead.` });
  }
  const spared = await sparePeople(deps, organizationId, email);
  if (!spared.ok) return spared;
  const id = newId();
  const token = newToken();
  const now = deps.now();
  const invitation = { id, email, role: input.role, expiresAt: new Date(now + VALID_MS) };
  const stored = await withinPlan(deps, caller, "members", async () =>
    queries.insertInvitation(
      deps.db,
      {
        ...invitation,
        organizationId,
        tokenHash: await hashOf(token),
        invitedBy: caller.actor.kind === "user" ? caller.actor.id : null,
      },
      await creationEvent(
        caller,
        "invitation.created",
        { kind: "invitation", id },
        { after: { email, role: input.role } },
      ),
      new Date(now),
    ),
  );
  if (!stored.ok) return stored;
  const invitedBy = await inviter(deps, caller);
  await mail(deps, caller, { ...invitation, invitedBy }, token);
  return ok({ ...invitation, invitedBy, revision: 1, createdAt: new Date(now) });
}

/**
 * Mails a new link, which works for seven days again; the one before is dead.
 *
 * @param expected the revision that the invitation must be at; null = any.
 */
export async function resendInvitation(
  deps: ServiceDependencies,
  caller: Caller,
  id: string,
  expected: number | null = null,
): Promise<Outcome<Invitation>> {
  const allowed = authorize(caller, "invitation.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const invitation = await queries.findInvitation(deps.db, organizationId, id);
  if (invitation === null) return fail("not_found");
  const mayStill = mayInvite(caller, invitation.role);
  if (!mayStill.ok) return mayStill;
  const spared = await sparePeople(deps, organizationId, invitation.email);
  if (!spared.ok) return spared;
  const token = newToken();
  const tokenHash = await hashOf(token);
  const expiresAt = new Date(deps.now() + VALID_MS);
  const event = adminEvent(
    caller,
    "invitation.resent",
    { kind: "invitation", id },
    { metadata: { email: invitation.email } },
  );
  return unlessStale(async () => {
    const renewal = { id, tokenHash, expiresAt, expected, event };
    const revision = await queries.renewInvitation(deps.db, organizationId, renewal);
    if (revision === null) return fail("not_found");
    const fresh = { ...invitation, expiresAt, revision };
    await mail(deps, caller, fresh, token);
    return ok(fresh);
  });
}

/**
 * Makes an invitation's link dead.
 *
 * @param expected the revision that the invitation must be at; null = any.
 */
export async function revokeInvitation(
  deps: ServiceDependencies,
  caller: Caller,
  id: string,
  expected: number | null = null,
): Promise<Outcome<Invitation>> {
  const allowed = authorize(caller, "invitation.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const invitation = await queries.findInvitation(deps.db, organizationId, id);
  if (invitation === null) return fail("not_found");
  const event = adminEvent(
    caller,
    "invitation.revoked",
    { kind: "invitation", id },
    { before: { email: invitation.email, role: invitation.role } },
  );
  return unlessStale(async () => {
    const revocation = { id, now: new Date(deps.now()), expected, event };
    const revoked = await queries.revokeInvitation(deps.db, organizationId, revocation);
    return revoked ? ok(invitation) : fail("not_found");
  });
}

/** What the reader of an invitation's link is shown. */
export interface Offer {
  readonly organization: string;
  readonly role: Role;
  readonly invitedBy: string | null;
  /** Whom it is for; masked for everybody else. */
  readonly email: string;
  readonly isForReader: boolean;
}

/** Looks at an invitation; changes nothing. null: nothing can be accepted with this link. */
export async function lookAtInvitation(
  deps: ServiceDependencies,
  person: Person | null,
  token: string,
): Promise<Offer | null> {
  const offer = await queries.findOffer(deps.db, await hashOf(token), new Date(deps.now()));
  if (offer === null) return null;
  const isForReader = person?.email === offer.email;
  return {
    organization: offer.organizationName,
    role: offer.role,
    invitedBy: offer.invitedBy,
    email: isForReader ? offer.email : maskEmail(offer.email),
    isForReader,
  };
}

/** Joins the organization that invited the person's own address, and looks at it. */
export async function acceptInvitation(
  deps: ServiceDependencies,
  person: Person,
  token: string,
): Promise<Outcome<{ readonly organization: string }>> {
  const now = new Date(deps.now());
  const tokenHash = await hashOf(token);
  const offer = await queries.findOffer(deps.db, tokenHash, now);
  if (offer === null) return fail("invitation_dead");
  if (offer.email !== person.email) {
    return fail("invitation_dead", {
      detail: `It is for ${maskEmail(offer.email)}: sign in with that address to accept it.`,
    });
  }
  const membershipId = newId();
  const accepted = await queries.acceptInvitation(deps.db, {
    tokenHash,
    email: person.email,
    userId: person.userId,
    sessionId: person.sessionId,
    membershipId,
    now,
    event: {
      organizationId: offer.organizationId,
      actor: { kind: "user", id: person.userId },
      via: "dashboard",
      ip: person.ip,
      action: "invitation.accepted",
      subjectKind: "invitation",
      subjectId: offer.id,
      after: { email: person.email, role: offer.role },
      metadata: { membership: membershipId },
    },
  });
  return accepted ? ok({ organization: offer.organizationName }) : fail("invitation_dead");
}

/** To invite an admin is to make one: it takes what changing a role takes. */
function mayInvite(caller: Caller, role: Role): Outcome<null> {
  const allowed = authorize(caller, "invitation.change");
  return allowed.ok && role === "admin" ? authorize(caller, "member.change") : allowed;
}

/** An organization cannot be used to flood mailboxes. */
async function sparePeople(
  deps: ServiceDependencies,
  organizationId: string,
  email: string,
): Promise<Outcome<null>> {
  const wait = await takeAll(deps, [
    { bucket: `invitation:organization:${organizationId}`, limit: 100, seconds: DAY },
    { bucket: `invitation:address:${await hashOf(mailboxOf(email))}`, limit: 5, seconds: DAY },
  ]);
  if (wait === 0) return ok(null);
  return fail("too_many_tries", {
    detail: "A hundred invitations of an organization, and five to an address, are the most in a day.",
  });
}

async function inviter(deps: ServiceDependencies, { actor }: Caller): Promise<string | null> {
  return actor.kind === "user" ? ((await findUserById(deps.db, actor.id))?.email ?? null) : null;
}

async function mail(
  deps: ServiceDependencies,
  caller: Caller,
  invitation: Pick<Invitation, "email" | "role" | "invitedBy" | "expiresAt">,
  token: string,
): Promise<void> {
  const organization = await findOrganization(deps.db, caller.organizationId);
  await deps.sendMail({
    v: 1,
    kind: "invitation",
    id: newId(),
    to: invitation.email,
    link: `${deps.controlUrl}/invitations/${token}`,
    organization: organization?.name ?? "",
    invitedBy: invitation.invitedBy,
    role: invitation.role,
    expiresAt: invitation.expiresAt.getTime(),
  });
}
