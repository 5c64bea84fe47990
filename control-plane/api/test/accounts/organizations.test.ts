import { and, eq, isNull } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { domainClaims, memberships, publicMailDomains } from "@relaykey/db/schema/people";
import { switchOrganization, listOwnOrganizations } from "../../../service/account/sessions.ts";
import { askToJoin, domainStanding, openOwnOrganization } from "../../../service/account/sign-up.ts";
import { cancelDeletion, requestDeletion } from "../../../service/deletion.ts";
import { claimOwnDomain, listDomains, releaseDomain } from "../../../service/domains.ts";
import {
  acceptInvitation,
  inviteMember,
  listInvitations,
  lookAtInvitation,
  resendInvitation,
  revokeInvitation,
} from "../../../service/invitations.ts";
import { changeMemberRole, leaveOrganization, listMembers, removeMember } from "../../../service/members.ts";
import { newId } from "@relaykey/core/ids";
import { showOrganization } from "../../../service/organizations.ts";
import { createWorld } from "../world.ts";
import type { World } from "../world.ts";
import { again, callerOf, founder, refusal, signIn, unique, value } from "./people.ts";

let world: World;
const PAGE = { limit: 50, cursor: null };

beforeAll(async () => {
  world = await createWorld();
  await world.db.insert(publicMailDomains).values([
    { domain: "gmail.com", kind: "free" },
    { domain: "mailinator.com", kind: "disposable" },
  ]);
}, 120_000);

afterAll(() => world.close());

function domain(): string {
  return `d${crypto.randomUUID().slice(0, 8)}.example`;
}

function invitationToken(email: string): string {
  const mail = world.mails.filter((sent) => sent.kind === "invitation" && sent.to === email).at(-1);
  if (mail?.kind !== "invitation") throw new Error("No invitation was mailed.");
  return mail.link.slice(mail.link.lastIndexOf("/") + 1);
}

/** Invites somebody and has them join. */
async function join(caller: ReturnType<typeof callerOf>, role: "admin" | "viewer", email = unique()) {
  value(await inviteMember(world.deps, caller, { email, role }));
  const { person, token } = await signIn(world, email);
  value(await acceptInvitation(world.deps, person, invitationToken(email)));
  const joined = await again(world, token);
  return { person: joined, caller: callerOf(joined), token };
}

async function actionsOf(organizationId: string): Promise<string[]> {
  const rows = await world.db
    .select({ action: adminAuditEvents.action })
    .from(adminAuditEvents)
    .where(eq(adminAuditEvents.organizationId, organizationId))
    .orderBy(adminAuditEvents.id);
  return rows.map(({ action }) => action);
}

describe("sign-up", () => {
  test("the first of a business domain opens an organization that holds it; the next one needs an invitation", async () => {
    const at = domain();
    const { caller, person } = await founder(world, `ada@${at}`);
    expect(caller.role).toBe("admin");
    expect(value(await listDomains(world.deps, caller)).map((claim) => claim.domain)).toEqual([at]);
    expect(await actionsOf(caller.organizationId)).toEqual(["organization.created", "domain.claimed"]);
    const next = await signIn(world, `eve@${at}`);
    expect(await domainStanding(world.deps, next.person)).toEqual({ state: "held", domain: at });
    const refused = await openOwnOrganization(world.deps, next.person, { name: "Shadow" });
    expect(refusal(refused)).toBe("domain_held");
    // Of the organization itself nothing is told.
    expect(JSON.stringify(refused)).not.toContain(person.email);
    expect(JSON.stringify(refused)).not.toContain("Organization of");
    expect(await listOwnOrganizations(world.deps, next.person)).toEqual([]);
  });

  test("an admin of the holder may open another, which claims nothing", async () => {
    const at = domain();
    const { person, token } = await founder(world, `ada@${at}`);
    value(await openOwnOrganization(world.deps, person, { name: "Second" }));
    const second = callerOf(await again(world, token));
    expect(second.organizationId).not.toBe(person.organizationId);
    expect(value(await listDomains(world.deps, second))).toEqual([]);
  });

  test.each(["gmail.com", "sub.gmail.com", "mailinator.com", "a.b.mailinator.com"])(
    "%s is nobody's: everybody there may open an organization",
    async (at) => {
      for (const email of [unique(at), unique(at)]) {
        const { caller } = await founder(world, email);
        expect(value(await listDomains(world.deps, caller))).toEqual([]);
      }
    },
  );

  test("of many colleagues who sign up at the same time one gets the domain", async () => {
    const at = domain();
    const people = await Promise.all(Array.from({ length: 8 }, () => signIn(world, unique(at))));
    const opened = await Promise.all(
      people.map(({ person }) => openOwnOrganization(world.deps, person, { name: "Race" })),
    );
    expect(opened.filter(({ ok }) => ok)).toHaveLength(1);
    for (const outcome of opened) if (!outcome.ok) expect(outcome.failure.code).toBe("domain_held");
    const claims = await world.db
      .select()
      .from(domainClaims)
      .where(and(eq(domainClaims.domain, at), isNull(domainClaims.releasedAt)));
    expect(claims).toHaveLength(1);
  });

  test("a domain below, or one that looks the same, is another domain: neither holds for the other", async () => {
    const at = domain();
    await founder(world, `ada@${at}`);
    for (const other of [`mail.${at}`, `xn--${at}`]) {
      const { caller } = await founder(world, `eve@${other}`);
      expect(value(await listDomains(world.deps, caller)).map((claim) => claim.domain)).toEqual([other]);
      const { person } = await signIn(world, `bob@${other}`);
      expect(await domainStanding(world.deps, person)).toEqual({ state: "held", domain: other });
    }
    const { person } = await signIn(world, `bob@${at}`);
    expect(await domainStanding(world.deps, person)).toEqual({ state: "held", domain: at });
  });

  test("somebody outside can have the admins told, once a day, and learns nothing", async () => {
    const at = domain();
    const { person: admin } = await founder(world, `ada@${at}`);
    const { person } = await signIn(world, `eve@${at}`);
    const before = world.mails.length;
    for (let count = 0; count < 3; count += 1) expect(value(await askToJoin(world.deps, person))).toBeNull();
    expect(world.mails.slice(before)).toMatchObject([{ kind: "alert", to: admin.email }]);
  });

  test("a domain that was released can be claimed by the next one, and claimed back only when it is free", async () => {
    const at = domain();
    const { caller, person } = await founder(world, `ada@${at}`);
    const stranger = await founder(world);
    expect(refusal(await releaseDomain(world.deps, stranger.caller, at))).toBe("not_found");
    value(await releaseDomain(world.deps, caller, at));
    expect(refusal(await releaseDomain(world.deps, caller, at))).toBe("not_found");
    value(await claimOwnDomain(world.deps, caller, person));
    value(await releaseDomain(world.deps, caller, at));
    const next = await founder(world, `eve@${at}`);
    expect(value(await listDomains(world.deps, next.caller)).map((claim) => claim.domain)).toEqual([at]);
    expect(refusal(await claimOwnDomain(world.deps, caller, person))).toBe("domain_held");
    expect(await actionsOf(caller.organizationId)).toEqual([
      "organization.created",
      "domain.claimed",
      "domain.released",
      "domain.claimed",
      "domain.released",
    ]);
  });
});

describe("invitations", () => {
  test("make their address a member with their role, once, and show the organization", async () => {
    const { caller } = await founder(world);
    const email = unique();
    const invitation = value(
      await inviteMember(world.deps, caller, { email: email.toUpperCase(), role: "viewer" }),
    );
    expect(invitation.email).toBe(email);
    const token = invitationToken(email);
    expect(JSON.stringify(await actionsOf(caller.organizationId))).not.toContain(token);
    expect(await lookAtInvitation(world.deps, null, token)).toMatchObject({
      role: "viewer",
      isForReader: false,
      email: expect.not.stringContaining(email) as unknown,
    });
    const invited = await signIn(world, email);
    expect(await lookAtInvitation(world.deps, invited.person, token)).toMatchObject({
      isForReader: true,
      email,
    });
    value(await acceptInvitation(world.deps, invited.person, token));
    expect(await again(world, invited.token)).toMatchObject({
      organizationId: caller.organizationId,
      role: "viewer",
    });
    expect(refusal(await acceptInvitation(world.deps, invited.person, token))).toBe("invitation_dead");
    expect(value(await listInvitations(world.deps, caller, PAGE)).entries).toEqual([]);
    expect(refusal(await inviteMember(world.deps, caller, { email, role: "admin" }))).toBe("already_member");
  });

  test("accepted many times at once make one membership and one event", async () => {
    const { caller } = await founder(world);
    const email = unique();
    value(await inviteMember(world.deps, caller, { email, role: "viewer" }));
    const { person } = await signIn(world, email);
    const token = invitationToken(email);
    const tries = await Promise.all(
      Array.from({ length: 8 }, () => acceptInvitation(world.deps, person, token)),
    );
    expect(tries.filter(({ ok }) => ok)).toHaveLength(1);
    const actions = await actionsOf(caller.organizationId);
    expect(actions.filter((action) => action === "invitation.accepted")).toHaveLength(1);
  });

  test("are for their address only", async () => {
    const { caller } = await founder(world);
    const email = unique();
    value(await inviteMember(world.deps, caller, { email, role: "admin" }));
    const thief = await signIn(world, unique());
    const refused = await acceptInvitation(world.deps, thief.person, invitationToken(email));
    expect(refusal(refused)).toBe("invitation_dead");
    expect(JSON.stringify(refused)).not.toContain(email);
    expect((await again(world, thief.token)).organizationId).toBeNull();
  });

  test("are dead when replaced, resent, revoked or seven days old", async () => {
    const { caller } = await founder(world);
    const email = unique();
    const { person } = await signIn(world, email);
    const dead: string[] = [];
    value(await inviteMember(world.deps, caller, { email, role: "admin" }));
    dead.push(invitationToken(email));
    const second = value(await inviteMember(world.deps, caller, { email, role: "viewer" }));
    dead.push(invitationToken(email));
    value(await resendInvitation(world.deps, caller, second.id));
    for (const token of dead) {
      expect(await lookAtInvitation(world.deps, person, token)).toBeNull();
      expect(refusal(await acceptInvitation(world.deps, person, token))).toBe("invitation_dead");
    }
    world.advance(7 * 86_400_000 + 1_000);
    expect(refusal(await acceptInvitation(world.deps, person, invitationToken(email)))).toBe(
      "invitation_dead",
    );
    const [open] = value(await listInvitations(world.deps, caller, PAGE)).entries;
    expect(open?.id).toBe(second.id);
    value(await resendInvitation(world.deps, caller, second.id));
    expect(await lookAtInvitation(world.deps, person, invitationToken(email))).not.toBeNull();
    value(await revokeInvitation(world.deps, caller, second.id));
    expect(refusal(await acceptInvitation(world.deps, person, invitationToken(email)))).toBe(
      "invitation_dead",
    );
    expect(refusal(await resendInvitation(world.deps, caller, second.id))).toBe("not_found");
    expect(refusal(await revokeInvitation(world.deps, caller, second.id))).toBe("not_found");
  });

  test("make nobody who is a member already anything else", async () => {
    const { caller } = await founder(world);
    const email = unique();
    value(await inviteMember(world.deps, caller, { email, role: "admin" }));
    const { person, token } = await signIn(world, email);
    const { organizationId } = caller;
    await world.db
      .insert(memberships)
      .values({ id: newId(), organizationId, userId: person.userId, role: "viewer" });
    await acceptInvitation(world.deps, person, invitationToken(email));
    value(await switchOrganization(world.deps, await again(world, token), organizationId));
    expect(await again(world, token)).toMatchObject({ role: "viewer" });
  });

  test("into an organization that is being deleted are dead, until it is kept", async () => {
    const { caller } = await founder(world);
    const email = unique();
    value(await inviteMember(world.deps, caller, { email, role: "viewer" }));
    const { person } = await signIn(world, email);
    const { name } = value(await showOrganization(world.deps, caller));
    value(await requestDeletion(world.deps, caller, name));
    expect(refusal(await acceptInvitation(world.deps, person, invitationToken(email)))).toBe(
      "invitation_dead",
    );
    value(await cancelDeletion(world.deps, caller));
    value(await acceptInvitation(world.deps, person, invitationToken(email)));
  });

  test("cannot flood a mailbox", async () => {
    const { caller } = await founder(world);
    const email = unique();
    const outcomes = [];
    for (let count = 0; count < 7; count += 1) {
      outcomes.push(await inviteMember(world.deps, caller, { email, role: "viewer" }));
    }
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(5);
    expect(outcomes.at(-1)).toMatchObject({ failure: { code: "too_many_tries" } });
  });

  test("of an admin take what changing a role takes", async () => {
    const { caller } = await founder(world);
    const weak = { ...caller, isStrong: false };
    const email = unique();
    expect(refusal(await inviteMember(world.deps, weak, { email, role: "admin" }))).toBe("passkey_needed");
    const made = value(await inviteMember(world.deps, caller, { email, role: "admin" }));
    expect(refusal(await resendInvitation(world.deps, weak, made.id))).toBe("passkey_needed");
    value(await inviteMember(world.deps, weak, { email: unique(), role: "viewer" }));
  });

  test("of another organization are not there", async () => {
    const [one, other] = [await founder(world), await founder(world)];
    const made = value(await inviteMember(world.deps, one.caller, { email: unique(), role: "viewer" }));
    expect(refusal(await resendInvitation(world.deps, other.caller, made.id))).toBe("not_found");
    expect(refusal(await revokeInvitation(world.deps, other.caller, made.id))).toBe("not_found");
    expect(value(await listInvitations(world.deps, other.caller, PAGE)).entries).toEqual([]);
  });
});

describe("members", () => {
  test("viewers see and change nothing, but may leave", async () => {
    const { caller } = await founder(world);
    const viewer = await join(caller, "viewer");
    const [member] = value(await listMembers(world.deps, viewer.caller, PAGE)).entries;
    const id = member?.id ?? "";
    const input = { email: unique(), role: "viewer" } as const;
    expect(refusal(await changeMemberRole(world.deps, viewer.caller, id, "viewer"))).toBe(
      "role_insufficient",
    );
    expect(refusal(await removeMember(world.deps, viewer.caller, id))).toBe("role_insufficient");
    expect(refusal(await inviteMember(world.deps, viewer.caller, input))).toBe("role_insufficient");
    expect(refusal(await releaseDomain(world.deps, viewer.caller, "x.example"))).toBe("role_insufficient");
    value(await leaveOrganization(world.deps, viewer.caller));
    expect(await again(world, viewer.token)).toMatchObject({ organizationId: null, role: null });
    expect(await actionsOf(caller.organizationId)).toContain("member.left");
  });

  test("the last admin cannot be demoted, be removed or leave; with another one they can", async () => {
    const { caller } = await founder(world);
    const own = value(await listMembers(world.deps, caller, PAGE)).entries[0]?.id ?? "";
    const viewer = await join(caller, "viewer");
    expect(refusal(await changeMemberRole(world.deps, caller, own, "viewer"))).toBe("last_admin");
    expect(refusal(await removeMember(world.deps, caller, own))).toBe("last_admin");
    expect(refusal(await leaveOrganization(world.deps, caller))).toBe("last_admin");
    expect(await actionsOf(caller.organizationId)).not.toContain("member.role_changed");
    const members = value(await listMembers(world.deps, caller, PAGE)).entries;
    const other = members.find(({ userId }) => userId === viewer.person.userId)?.id ?? "";
    value(await changeMemberRole(world.deps, caller, other, "admin"));
    value(await leaveOrganization(world.deps, caller));
    expect(
      value(await listMembers(world.deps, callerOf(await again(world, viewer.token)), PAGE)).entries,
    ).toMatchObject([{ id: other, role: "admin" }]);
  });

  test("one who is removed sees nothing any more, at once", async () => {
    const { caller } = await founder(world);
    const admin = await join(caller, "admin");
    const members = value(await listMembers(world.deps, caller, PAGE)).entries;
    const id = members.find(({ userId }) => userId === admin.person.userId)?.id ?? "";
    value(await removeMember(world.deps, caller, id));
    expect(await again(world, admin.token)).toMatchObject({ organizationId: null, role: null });
    expect(refusal(await switchOrganization(world.deps, admin.person, caller.organizationId))).toBe(
      "not_found",
    );
  });

  test("of another organization are not there", async () => {
    const [one, other] = [await founder(world), await founder(world)];
    const id = value(await listMembers(world.deps, one.caller, PAGE)).entries[0]?.id ?? "";
    await join(one.caller, "admin");
    expect(refusal(await changeMemberRole(world.deps, other.caller, id, "viewer"))).toBe("not_found");
    expect(refusal(await removeMember(world.deps, other.caller, id))).toBe("not_found");
  });

  test("are in several organizations and switch between them, each browser on its own", async () => {
    const [one, other] = [await founder(world), await founder(world)];
    const member = await join(one.caller, "viewer");
    value(await inviteMember(world.deps, other.caller, { email: member.person.email, role: "admin" }));
    value(await acceptInvitation(world.deps, member.person, invitationToken(member.person.email)));
    const elsewhere = await signIn(world, member.person.email);
    const seen = await again(world, member.token);
    expect(seen).toMatchObject({ organizationId: other.caller.organizationId, role: "admin" });
    value(await switchOrganization(world.deps, seen, one.caller.organizationId));
    expect(await again(world, member.token)).toMatchObject({
      organizationId: one.caller.organizationId,
      role: "viewer",
    });
    expect(
      (await listOwnOrganizations(world.deps, seen)).map(({ organizationId }) => organizationId),
    ).toEqual([one.caller.organizationId, other.caller.organizationId]);
    expect((await again(world, elsewhere.token)).organizationId).toBe(one.caller.organizationId);
  });

  test("every role of a session is read from the membership as it is", async () => {
    const { caller } = await founder(world);
    const admin = await join(caller, "admin");
    await world.db
      .update(memberships)
      .set({ role: "viewer" })
      .where(eq(memberships.userId, admin.person.userId));
    expect((await again(world, admin.token)).role).toBe("viewer");
  });
});
