import { and, asc, eq } from "drizzle-orm";
import type { Database } from "../client.ts";
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

/** The role of a person in an organization; null when they are no member. */
export async function findRole(db: Database, organizationId: string, userId: string): Promise<Role | null> {
  const [row] = await db
    .select({ role: memberships.role })
    .from(memberships)
    .where(and(eq(memberships.organizationId, organizationId), eq(memberships.userId, userId)));
  return row?.role ?? null;
}

/** Organizations that a person is a member of, the oldest membership first. */
export async function listMembershipsOf(
  db: Database,
  userId: string,
): Promise<{ organizationId: string; role: Role }[]> {
  return db
    .select({ organizationId: memberships.organizationId, role: memberships.role })
    .from(memberships)
    .where(eq(memberships.userId, userId))
    .orderBy(asc(memberships.id));
}
