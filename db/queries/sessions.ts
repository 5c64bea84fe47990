import { and, eq, gt, isNull } from "drizzle-orm";
import type { Database } from "../client.ts";
import { sessions, signInLinks } from "../schema/access.ts";

export type Session = typeof sessions.$inferSelect;

/** Stores a one-time link into the dashboard. `tokenHash` is the SHA-256 (hex) of the link's token. */
export async function createSignInLink(
  db: Database,
  link: {
    readonly id: string;
    readonly organizationId: string;
    readonly tokenHash: string;
    readonly expiresAt: Date;
  },
): Promise<void> {
  await db.insert(signInLinks).values(link);
}

/**
 * Uses a link up. Of several attempts at once exactly one succeeds.
 *
 * @returns the organization it leads into, or null when the link is unknown, used or expired.
 */
export async function useSignInLink(
  db: Database,
  tokenHash: string,
  now: Date,
): Promise<{ readonly organizationId: string } | null> {
  const [row] = await db
    .update(signInLinks)
    .set({ usedAt: now })
    .where(
      and(eq(signInLinks.tokenHash, tokenHash), isNull(signInLinks.usedAt), gt(signInLinks.expiresAt, now)),
    )
    .returning({ organizationId: signInLinks.organizationId });
  return row ?? null;
}

/** Stores a signed-in browser. `tokenHash` is the SHA-256 (hex) of its cookie. */
export async function createSession(
  db: Database,
  session: {
    readonly id: string;
    readonly organizationId: string;
    readonly tokenHash: string;
    readonly expiresAt: Date;
  },
): Promise<void> {
  await db.insert(sessions).values(session);
}

/** @returns null when the session is unknown or expired. */
export async function findSession(db: Database, tokenHash: string, now: Date): Promise<Session | null> {
  const [row] = await db
    .select()
    .from(sessions)
    .where(and(eq(sessions.tokenHash, tokenHash), gt(sessions.expiresAt, now)));
  return row ?? null;
}

/** Signs a browser out; doing it twice changes nothing. */
export async function deleteSession(db: Database, tokenHash: string): Promise<void> {
  await db.delete(sessions).where(eq(sessions.tokenHash, tokenHash));
}
