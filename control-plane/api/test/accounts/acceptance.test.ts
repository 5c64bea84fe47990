import { and, eq, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Database } from "@relaykey/db/client";
import { adminAuditEvents, organizations } from "@relaykey/db/schema/organizations";
import { invitations, memberships } from "@relaykey/db/schema/people";
import { acceptInvitation, inviteMember } from "../../../service/invitations.ts";
import { createWorld } from "../world.ts";
import type { World } from "../world.ts";
import { again, founder, refusal, signIn, unique, value } from "./people.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

async function invited() {
  const { caller } = await founder(world);
  const email = unique();
  const { id } = value(await inviteMember(world.deps, caller, { email, role: "admin" }));
  const mail = world.mails.filter((sent) => sent.kind === "invitation" && sent.to === email).at(-1);
  const { person, token } = await signIn(world, email);
  const link = mail?.kind === "invitation" ? mail.link.slice(mail.link.lastIndexOf("/") + 1) : "";
  return { organizationId: caller.organizationId, id, person, session: token, link };
}

/** A database in which something happens between the look at an invitation and the statement that accepts it. */
function meanwhile(change: SQL): Database {
  return new Proxy(world.db, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name !== "execute") return member.bind(target) as unknown;
      return async (statement: SQL) => {
        await target.execute(change);
        return target.execute(statement);
      };
    },
  });
}

/** What can become of an invitation while somebody accepts it. */
const CHANGES: Readonly<Record<string, (of: { id: string; organizationId: string }) => SQL>> = {
  "is for another address": ({ id }) =>
    sql`UPDATE ${invitations} SET email = 'somebody@else.example' WHERE id = ${id}::uuid`,
  "has expired": ({ id }) =>
    sql`UPDATE ${invitations} SET expires_at = now() - interval '1 minute' WHERE id = ${id}::uuid`,
  "was withdrawn": ({ id }) => sql`UPDATE ${invitations} SET revoked_at = now() WHERE id = ${id}::uuid`,
  "was accepted": ({ id }) => sql`UPDATE ${invitations} SET accepted_at = now() WHERE id = ${id}::uuid`,
  "was sent again with another link": ({ id }) =>
    sql`UPDATE ${invitations} SET token_hash = ${crypto.randomUUID()} WHERE id = ${id}::uuid`,
  "leads to an organization that is to be deleted": ({ organizationId }) =>
    sql`UPDATE ${organizations} SET delete_after = now() WHERE id = ${organizationId}::uuid`,
};

test.each(Object.entries(CHANGES))(
  "an invitation that %s by the time it is accepted lets nobody in",
  async (_, changeOf) => {
    const { person, session, link, ...of } = await invited();
    const change = changeOf(of);
    const outcome = await acceptInvitation({ ...world.deps, db: meanwhile(change) }, person, link);
    expect(refusal(outcome)).toBe("invitation_dead");
    const joined = await world.db.select().from(memberships).where(eq(memberships.userId, person.userId));
    expect(joined).toEqual([]);
    expect(await again(world, session)).toMatchObject({ organizationId: null, role: null });
    const told = await world.db
      .select()
      .from(adminAuditEvents)
      .where(
        and(
          eq(adminAuditEvents.organizationId, of.organizationId),
          eq(adminAuditEvents.action, "invitation.accepted"),
        ),
      );
    expect(told).toEqual([]);
  },
);

test("one that nothing happens to lets its reader in", async () => {
  const { person, session, link, organizationId } = await invited();
  value(await acceptInvitation({ ...world.deps, db: meanwhile(sql`SELECT 1`) }, person, link));
  expect(await again(world, session)).toMatchObject({ organizationId, role: "admin" });
});
