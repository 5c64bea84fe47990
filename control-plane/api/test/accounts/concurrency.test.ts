import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memberships } from "@relaykey/db/schema/people";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { newId } from "@relaykey/core/ids";
import { openPostgres } from "../../../../local/sql/postgres.ts";
import { startPostgres } from "../../../../local/sql/test-postgres.ts";
import { newCode, newToken } from "../../../service/account/secrets.ts";
import { askToSignIn, signInByCode, signInByLink } from "../../../service/account/sign-in.ts";
import { openOwnOrganization } from "../../../service/account/sign-up.ts";
import type { Caller } from "../../../service/caller.ts";
import {
  inviteMember,
  resendInvitation,
  revokeInvitation,
  showInvitation,
} from "../../../service/invitations.ts";
import { changeMemberRole, leaveOrganization, removeMember, showMember } from "../../../service/members.ts";
import type { Outcome } from "../../../service/outcome.ts";
import { createWorld } from "../world.ts";
import type { World } from "../world.ts";
import {
  callerOf,
  founder,
  refusal,
  signIn,
  signInMails,
  somewhere,
  tokenOf,
  unique,
  value,
} from "./people.ts";

/** PGlite is one session and does one thing at a time: races need a server that does many. */
const postgres = await startPostgres();
if (postgres === null) console.warn("PostgreSQL's server is not installed here: races run on PGlite only.");

let world: World;

beforeAll(async () => {
  world = await (postgres === null
    ? createWorld()
    : createWorld(() => Promise.resolve(openPostgres(postgres.url))));
}, 120_000);

afterAll(async () => {
  await world.close();
  postgres?.stop();
});

/** An organization in which everybody is an admin. */
async function admins(count: number) {
  const { caller } = await founder(world);
  const { organizationId } = caller;
  const people = [];
  for (let index = 1; index < count; index += 1) {
    const { person } = await signIn(world, unique());
    await world.db
      .insert(memberships)
      .values({ id: newId(), organizationId, userId: person.userId, role: "admin" });
    people.push({ ...person, organizationId, role: "admin" as const });
  }
  return { organizationId, callers: [caller, ...people.map(callerOf)] };
}

async function adminsOf(organizationId: string) {
  return world.db
    .select()
    .from(memberships)
    .where(and(eq(memberships.organizationId, organizationId), eq(memberships.role, "admin")));
}

async function idOf(organizationId: string, userId: string | null): Promise<string> {
  const rows = await adminsOf(organizationId);
  return rows.find((row) => row.userId === userId)?.id ?? "";
}

test.each([2, 3, 6])("of %i admins who all leave at once one stays", async (count) => {
  for (let round = 0; round < 5; round += 1) {
    const { organizationId, callers } = await admins(count);
    const outcomes = await Promise.all(callers.map((caller) => leaveOrganization(world.deps, caller)));
    expect(await adminsOf(organizationId)).toHaveLength(1);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(count - 1);
    const [left] = outcomes.filter(({ ok }) => !ok);
    expect(left).toMatchObject({ failure: { code: "last_admin" } });
    const events = await world.db
      .select()
      .from(adminAuditEvents)
      .where(
        and(eq(adminAuditEvents.organizationId, organizationId), eq(adminAuditEvents.action, "member.left")),
      );
    expect(events).toHaveLength(count - 1);
  }
});

test("of admins who demote and remove each other at once one stays", async () => {
  for (let round = 0; round < 5; round += 1) {
    const { organizationId, callers } = await admins(4);
    const ids = await Promise.all(callers.map(({ actor }) => idOf(organizationId, actor.id)));
    await Promise.all(
      callers.map((caller, index) => {
        const victim = ids[(index + 1) % ids.length] ?? "";
        return index % 2 === 0
          ? changeMemberRole(world.deps, caller, victim, "viewer")
          : removeMember(world.deps, caller, victim);
      }),
    );
    expect((await adminsOf(organizationId)).length).toBeGreaterThanOrEqual(1);
  }
});

/** What happened to a membership at once: how often each outcome came about. */
function tally(outcomes: readonly Outcome<unknown>[]): Record<string, number> {
  const names = outcomes.map((outcome) => (outcome.ok ? "done" : outcome.failure.code));
  return Object.fromEntries(
    [...new Set(names)].sort().map((name) => [name, names.filter((each) => each === name).length]),
  );
}

test("of admins who decide on a member from what all of them read, one does", async () => {
  for (let round = 0; round < 5; round += 1) {
    const { organizationId, callers } = await admins(6);
    const [one, other] = callers.slice(1).map(({ actor }) => actor.id);
    for (const [victim, decide] of [
      [
        one,
        (caller: Caller, id: string, at: number) => changeMemberRole(world.deps, caller, id, "viewer", at),
      ],
      [other, (caller: Caller, id: string, at: number) => removeMember(world.deps, caller, id, at)],
    ] as const) {
      const id = await idOf(organizationId, victim ?? null);
      const { revision } = value(await showMember(world.deps, callers[0] ?? expect.unreachable(), id));
      const outcomes = await Promise.all(callers.map((caller) => decide(caller, id, revision)));
      const { done = 0, precondition_failed = 0, not_found = 0 } = tally(outcomes);
      expect([done, precondition_failed + not_found]).toEqual([1, callers.length - 1]);
    }
  }
});

test("of a removal and a change of role from the same reading one is made, and the last admin stays", async () => {
  for (let round = 0; round < 10; round += 1) {
    const { organizationId, callers } = await admins(2);
    const [left = expect.unreachable(), right = expect.unreachable()] = callers;
    const ids = await Promise.all([left, right].map(({ actor }) => idOf(organizationId, actor.id)));
    const revisions = await Promise.all(
      ids.map(async (id) => value(await showMember(world.deps, left, id)).revision),
    );
    const outcomes = await Promise.all([
      changeMemberRole(world.deps, right, ids[0] ?? "", "viewer", revisions[0]),
      removeMember(world.deps, right, ids[0] ?? "", revisions[0]),
      removeMember(world.deps, left, ids[1] ?? "", revisions[1]),
      changeMemberRole(world.deps, left, ids[1] ?? "", "viewer", revisions[1]),
    ]);
    expect(tally(outcomes)["done"]).toBe(1);
    expect(await adminsOf(organizationId)).toHaveLength(1);
  }
});

test("of those who send an invitation again or withdraw it from the same reading, one does", async () => {
  for (let round = 0; round < 5; round += 1) {
    const { callers } = await admins(2);
    const [left = expect.unreachable(), right = expect.unreachable()] = callers;
    const email = unique();
    const { id, revision } = value(await inviteMember(world.deps, left, { email, role: "viewer" }));
    const outcomes = await Promise.all([
      resendInvitation(world.deps, left, id, revision),
      revokeInvitation(world.deps, right, id, revision),
      resendInvitation(world.deps, right, id, revision),
    ]);
    expect(tally(outcomes)["done"]).toBe(1);
    const mails = world.mails.filter((mail) => mail.kind === "invitation" && mail.to === email);
    const isWithdrawn = !(await showInvitation(world.deps, left, id)).ok;
    expect(mails).toHaveLength(isWithdrawn ? 1 : 2);
  }
});

test("a link opened, a code typed and wrong codes tried at once: one session, five tries", async () => {
  for (let round = 0; round < 5; round += 1) {
    const email = unique();
    const origin = somewhere();
    const browserToken = newToken();
    value(await askToSignIn(world.deps, origin, { email, browserToken }));
    const [mail] = signInMails(world, email);
    const browser = { ...origin, browserToken, formerToken: null };
    const outcomes = await Promise.all([
      ...Array.from({ length: 4 }, () => signInByLink(world.deps, browser, tokenOf(mail ?? { link: "" }))),
      ...Array.from({ length: 4 }, () => signInByCode(world.deps, browser, mail?.code ?? "")),
      ...Array.from({ length: 4 }, () => signInByCode(world.deps, browser, newCode())),
    ]);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
  }
});

test("colleagues who sign up at once: one organization holds the domain, the others are not made", async () => {
  for (let round = 0; round < 3; round += 1) {
    const domain = `d${crypto.randomUUID().slice(0, 8)}.example`;
    const people = await Promise.all(Array.from({ length: 6 }, () => signIn(world, unique(domain))));
    const outcomes = await Promise.all(
      people.map(({ person }) => openOwnOrganization(world.deps, person, { name: "Race" })),
    );
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    for (const outcome of outcomes) if (!outcome.ok) expect(refusal(outcome)).toBe("domain_held");
  }
});

test("a mailbox gets five mails also when thirty are asked for at once", async () => {
  const email = unique();
  const quarter = 15 * 60_000;
  world.advance(quarter - (world.deps.now() % quarter));
  await Promise.all(
    Array.from({ length: 30 }, () =>
      askToSignIn(world.deps, somewhere(), { email, browserToken: newToken() }),
    ),
  );
  expect(signInMails(world, email)).toHaveLength(5);
});
