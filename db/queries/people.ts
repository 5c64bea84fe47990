import { and, asc, eq } from "drizzle-orm";
import type { Database } from "../client.ts";
import { organizations } from "../schema/organizations.ts";
import { memberships, users } from "../schema/people.ts";
import type { Role } from "../schema/people.ts";

/** @param email lower case. */
export async function findUser(db: Database, email: string): Promise<typeof users.$inferSelect | null> {
  const [row] = await db.select().from(users).where(eq(users.email, email));
  return row ?? null;
}

export async function findUserById(db: Database, userId: string): Promise<typeof users.$inferSelect | null> {
  const [row] = await db.select().from(users).where(eq(users.id, userId));
  return row ?? null;
}

/** An organization as one of its members sees it from outside. */
export interface OwnMembership {
  readonly organizationId: string;
  readonly organizationName: string;
  readonly role: Role;
}

/** Organizations that a person is a member of, the oldest membership first. */
export async function listMembershipsOf(db: Database, userId: string): Promise<OwnMembership[]> {
  return db
    .select({
      organizationId: memberships.organizationId,
      organizationName: organizations.name,
      role: memberships.role,
    })
    .from(memberships)
    .innerJoin(organizations, eq(organizations.id, memberships.organizationId))
    .where(eq(memberships.userId, userId))
    .orderBy(asc(memberships.id));
}

/** Addresses of the admins of an organization: whom mail about it goes to. */
export async function listAdminAddresses(db: Database, organizationId: string): Promise<string[]> {
  const rows = await db
    .select({ email: users.email })
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(and(eq(memberships.organizationId, organizationId), eq(memberships.role, "admin")))
    .orderBy(asc(memberships.id));
  return rows.map(({ email }) => email);
}
