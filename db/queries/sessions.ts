import { and, desc, eq, gt, isNotNull, isNull, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../client.ts";
import { managementTokens, passkeys, sessions, signInAttempts } from "../schema/access.ts";
import { memberships, users } from "../schema/people.ts";
import type { Role } from "../schema/people.ts";
import { adminEventCtes, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";

/** A signed-in browser, whose it is, and what they may do in the organization that it shows. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly email: string;
  readonly organizationId: string | null;
  /** null when they are no member (any more) of that organization. */
  readonly role: Role | null;
  readonly lastSeenAt: Date | null;
  readonly strongUntil: Date | null;
  readonly hasPasskey: boolean;
}

/**
 * Signs a person in: makes them known at their first time, ends the session that the browser had (a session id never
 * outlives a sign-in), ends other mailed links and codes for the address, and stores the new session.
 *
 * @param session `tokenHash` is the SHA-256 (hex) of its cookie.
 */
export async function createSession(
  db: Database,
  session: typeof sessions.$inferInsert,
  more: {
    readonly email: string;
    readonly formerTokenHash: string | null;
    readonly events: readonly AdminEvent[];
    readonly now: Date;
  },
): Promise<void> {
  await db.batch([
    db.insert(users).values({ id: session.userId, email: more.email }).onConflictDoNothing(),
    db
      .update(signInAttempts)
      .set({ usedAt: more.now })
      .where(
        and(
          eq(signInAttempts.email, more.email),
          isNull(signInAttempts.usedAt),
          isNotNull(signInAttempts.browserHash),
        ),
      ),
    db.delete(sessions).where(eq(sessions.tokenHash, more.formerTokenHash ?? "")),
    // Somebody who signs in twice at the same time for the first time is one person: the row says which id they have.
    db.insert(sessions).values({
      ...session,
      userId: sql`(SELECT ${users.id} FROM ${users} WHERE ${users.email} = ${more.email})`,
    }),
    ...more.events.map((event) => insertAdminEvent(db, event)),
  ]);
}

/** @returns null when the session is unknown or expired. */
export async function findSession(db: Database, tokenHash: string, now: Date): Promise<Session | null> {
  const [row] = await db
    .select({
      id: sessions.id,
      userId: sessions.userId,
      email: users.email,
      organizationId: sessions.organizationId,
      role: memberships.role,
      lastSeenAt: sessions.lastSeenAt,
      strongUntil: sessions.strongUntil,
      hasPasskey: sql<boolean>`EXISTS (SELECT 1 FROM ${passkeys} WHERE ${passkeys.userId} = ${sessions.userId})`,
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .leftJoin(
      memberships,
      and(eq(memberships.organizationId, sessions.organizationId), eq(memberships.userId, sessions.userId)),
    )
    .where(and(eq(sessions.tokenHash, tokenHash), gt(sessions.expiresAt, now)));
  return row ?? null;
}

/** Notes that a session is in use, from where, and with what. */
export async function touchSession(
  db: Database,
  id: string,
  seen: { readonly lastSeenAt: Date; readonly ip: string | null; readonly userAgent: string | null },
): Promise<void> {
  await db.update(sessions).set(seen).where(eq(sessions.id, id));
}

/** A signed-in browser as its owner sees it. */
export type ListedSession = Pick<
  typeof sessions.$inferSelect,
  "id" | "ip" | "userAgent" | "lastSeenAt" | "createdAt" | "expiresAt"
>;

/** Those of a person that have not expired, the latest first. */
export async function listSessions(db: Database, userId: string, now: Date): Promise<ListedSession[]> {
  return db
    .select({
      id: sessions.id,
      ip: sessions.ip,
      userAgent: sessions.userAgent,
      lastSeenAt: sessions.lastSeenAt,
      createdAt: sessions.createdAt,
      expiresAt: sessions.expiresAt,
    })
    .from(sessions)
    .where(and(eq(sessions.userId, userId), gt(sessions.expiresAt, now)))
    .orderBy(desc(sessions.id));
}

/**
 * Ends sessions of a person: one, all but one, or everything that is signed in as them, command lines too.
 *
 * @returns how many browsers that were.
 */
export async function deleteSessionsOf(
  db: Database,
  userId: string,
  which: { readonly only: string } | { readonly except: string } | { readonly everythingAt: Date },
  events: readonly AdminEvent[],
): Promise<number> {
  const more: SQL | undefined =
    "everythingAt" in which
      ? undefined
      : "only" in which
        ? eq(sessions.id, which.only)
        : ne(sessions.id, which.except);
  const { rows } = await db.execute(sql`
    WITH changed AS (
      DELETE FROM ${sessions} WHERE ${and(eq(sessions.userId, userId), more)} RETURNING id
    )${"everythingAt" in which ? commandLinesEnded(userId, which.everythingAt) : sql``}${adminEventCtes(events)}
    SELECT id FROM changed`);
  return rows.length;
}

function commandLinesEnded(userId: string, at: Date): SQL {
  return sql`, command_lines AS (
      UPDATE ${managementTokens} SET revoked_at = ${at.toISOString()}::timestamptz
      WHERE user_id = ${userId}::uuid AND revoked_at IS NULL
    )`;
}

/** Shows another organization in a session, if its owner is a member there. @returns whether they are. */
export async function setSessionOrganization(
  db: Database,
  sessionId: string,
  organizationId: string,
): Promise<boolean> {
  const rows = await db
    .update(sessions)
    .set({ organizationId })
    .where(
      and(
        eq(sessions.id, sessionId),
        sql`EXISTS (SELECT 1 FROM ${memberships} WHERE ${memberships.organizationId} = ${organizationId}::uuid
          AND ${memberships.userId} = ${sessions.userId})`,
      ),
    )
    .returning({ id: sessions.id });
  return rows.length > 0;
}
