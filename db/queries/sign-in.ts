import { and, eq, gt, isNull, lt, or, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { signInAttempts } from "../schema/access.ts";

export type SignInAttempt = typeof signInAttempts.$inferSelect;

/** Stores a try to sign in: hashes only. */
export async function insertSignInAttempt(
  db: Database,
  attempt: typeof signInAttempts.$inferInsert,
): Promise<void> {
  await db.insert(signInAttempts).values(attempt);
}

/** Looks at a link and changes nothing; null when it is unknown, used or expired. */
export async function findSignInLink(
  db: Database,
  linkHash: string,
  now: Date,
): Promise<Pick<SignInAttempt, "email" | "browserHash"> | null> {
  const [row] = await db
    .select({ email: signInAttempts.email, browserHash: signInAttempts.browserHash })
    .from(signInAttempts)
    .where(and(eq(signInAttempts.linkHash, linkHash), isLive(now)));
  return row ?? null;
}

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
): Promise<string | null> {
  const [row] = await db
    .update(signInAttempts)
    .set({ usedAt: now })
    .where(
      and(
        eq(signInAttempts.linkHash, linkHash),
        isLive(now),
        or(
          isNull(signInAttempts.browserHash),
          browserHash === null ? undefined : eq(signInAttempts.browserHash, browserHash),
        ),
      ),
    )
    .returning({ email: signInAttempts.email });
  return row?.email ?? null;
}

/**
 * Tries a typed code on the live attempts of a browser. Each try counts against each of them, right or wrong, in the
 * statement that compares: no number of tries at the same time gets past the limit, and a code works once.
 *
 * @returns the address it was mailed to; null when no live attempt of this browser has this code.
 */
export async function useSignInCode(
  db: Database,
  tried: { readonly browserHash: string; readonly codeHash: string; readonly maxTries: number },
  now: Date,
): Promise<string | null> {
  const rows = await db
    .update(signInAttempts)
    .set({
      codeTries: sql`${signInAttempts.codeTries} + 1`,
      usedAt: sql`CASE WHEN ${signInAttempts.codeHash} = ${tried.codeHash} THEN ${now.toISOString()}::timestamptz END`,
    })
    .where(
      and(
        eq(signInAttempts.browserHash, tried.browserHash),
        isLive(now),
        lt(signInAttempts.codeTries, tried.maxTries),
      ),
    )
    .returning({ email: signInAttempts.email, usedAt: signInAttempts.usedAt });
  return rows.find(({ usedAt }) => usedAt !== null)?.email ?? null;
}

function isLive(now: Date) {
  return and(isNull(signInAttempts.usedAt), gt(signInAttempts.expiresAt, now));
}
