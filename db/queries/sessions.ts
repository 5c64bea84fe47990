import { and, eq, gt, isNull } from "drizzle-orm";
import type { Database } from "../client.ts";
import { sessions, signInAttempts } from "../schema/access.ts";

export type Session = typeof sessions.$inferSelect;

/**
 * Uses a one-time link up. Of several attempts at once exactly one succeeds.
 *
 * @param browserHash SHA-256 (hex) of the cookie of the browser that opened the link; null without one.
 * @returns the address it was mailed to, or null when the link is unknown, used, expired, or another browser's.
 */
export async function useSignInLink(
  db: Database,
  linkHash: string,
  browserHash: string | null,
  now: Date,
): Promise<{ readonly email: string } | null> {
  const [row] = await db
    .update(signInAttempts)
    .set({ usedAt: now })
    .where(
      and(
        eq(signInAttempts.linkHash, linkHash),
        isNull(signInAttempts.usedAt),
        gt(signInAttempts.expiresAt, now),
        browserHash === null ? isNull(signInAttempts.browserHash) : undefined,
      ),
    )
    .returning({ email: signInAttempts.email });
  return row ?? null;
}

/** Stores a signed-in browser. `tokenHash` is the SHA-256 (hex) of its cookie. */
export async function createSession(db: Database, session: typeof sessions.$inferInsert): Promise<void> {
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
