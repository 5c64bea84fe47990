import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../client.ts";
import { passkeys, sessions } from "../schema/access.ts";
import { organizations } from "../schema/organizations.ts";
import { memberships, users } from "../schema/people.ts";
import type { Role } from "../schema/people.ts";
import { adminEventCte } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { revisionGuard } from "./revisions.ts";

/** A person in an organization. */
export interface Member {
  /** Of the membership. */
  readonly id: string;
  readonly userId: string;
  readonly email: string;
  readonly role: Role;
  readonly hasPasskey: boolean;
  readonly revision: number;
  readonly createdAt: Date;
}

const columns = {
  id: memberships.id,
  userId: memberships.userId,
  email: users.email,
  role: memberships.role,
  hasPasskey: sql<boolean>`EXISTS (SELECT 1 FROM ${passkeys} WHERE ${passkeys.userId} = ${memberships.userId})`,
  revision: memberships.revision,
  createdAt: memberships.createdAt,
};

/** Members by the time they joined. `after` is the id of the last one of the page before. */
export async function listMembers(
  db: Database,
  organizationId: string,
  page: { readonly limit: number; readonly after: string | null },
): Promise<Member[]> {
  return db
    .select(columns)
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(
      and(
        eq(memberships.organizationId, organizationId),
        page.after === null ? undefined : gt(memberships.id, page.after),
      ),
    )
    .orderBy(asc(memberships.id))
    .limit(page.limit);
}

/** @param which a membership by its id, or by the person. */
export async function findMember(
  db: Database,
  organizationId: string,
  which: { readonly id: string } | { readonly userId: string } | { readonly email: string },
): Promise<Member | null> {
  const named =
    "id" in which
      ? eq(memberships.id, which.id)
      : "userId" in which
        ? eq(memberships.userId, which.userId)
        : eq(users.email, which.email);
  const [row] = await db
    .select(columns)
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(and(eq(memberships.organizationId, organizationId), named));
  return row ?? null;
}

/**
 * Changes a role. The last admin stays one: the organization's row is locked first, so that the statement after it
 * counts admins that nobody else is changing.
 *
 * @param change.expected the revision that it must be at; null = any.
 * @returns its revision now; null when nothing was changed: no such member, the role already, or the last admin.
 * @throws what `isStale` knows when the revision is another.
 */
export async function changeRole(
  db: Database,
  organizationId: string,
  change: {
    readonly id: string;
    readonly role: Role;
    readonly expected: number | null;
    readonly event: AdminEvent;
  },
): Promise<number | null> {
  const [, , , changed] = await db.batch([
    lockOrganization(db, organizationId),
    ...revisionGuard(db, memberships, organizationId, change.id, change.expected),
    db.execute<{ revision: number }>(sql`
      WITH changed AS (
        UPDATE ${memberships} SET role = ${change.role}, revision = ${memberships.revision} + 1
        WHERE ${memberships.organizationId} = ${organizationId}::uuid AND ${memberships.id} = ${change.id}::uuid
          AND ${memberships.role} <> ${change.role}
          AND (${change.role} = 'admin' OR ${hasOtherAdmin(organizationId, change.id)})
        RETURNING revision
      ), ${adminEventCte(change.event)}
      SELECT revision FROM changed`),
  ]);
  return changed.rows[0]?.revision ?? null;
}

/**
 * Ends a membership, and turns the sessions that show the organization away from it. The last admin stays.
 *
 * @param change.expected the revision that it must be at; null = any.
 * @returns false when nothing was changed: no such member, or the last admin.
 * @throws what `isStale` knows when the revision is another.
 */
export async function removeMember(
  db: Database,
  organizationId: string,
  change: { readonly id: string; readonly expected: number | null; readonly event: AdminEvent },
): Promise<boolean> {
  const [, , , changed] = await db.batch([
    lockOrganization(db, organizationId),
    ...revisionGuard(db, memberships, organizationId, change.id, change.expected),
    db.execute<{ id: string }>(sql`
      WITH changed AS (
        DELETE FROM ${memberships}
        WHERE ${memberships.organizationId} = ${organizationId}::uuid AND ${memberships.id} = ${change.id}::uuid
          AND (${memberships.role} <> 'admin' OR ${hasOtherAdmin(organizationId, change.id)})
        RETURNING id, user_id
      ), turned_away AS (
        UPDATE ${sessions} SET organization_id = NULL
        WHERE organization_id = ${organizationId}::uuid AND user_id IN (SELECT user_id FROM changed)
      ), ${adminEventCte(change.event)}
      SELECT id FROM changed`),
  ]);
  return changed.rows.length > 0;
}

/** A statement that makes changes of an organization's members happen one after the other. */
function lockOrganization(db: Database, organizationId: string) {
  return db
    .select({ id: organizations.id })
    .from(organizations)
    .where(eq(organizations.id, organizationId))
    .for("no key update");
}

function hasOtherAdmin(organizationId: string, membershipId: string): SQL {
  return sql`EXISTS (SELECT 1 FROM ${memberships} AS other WHERE other.organization_id = ${organizationId}::uuid
    AND other.role = 'admin' AND other.id <> ${membershipId}::uuid)`;
}
