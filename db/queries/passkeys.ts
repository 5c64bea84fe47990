import { and, asc, eq, gt, isNull, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { challenges, passkeys, sessions } from "../schema/access.ts";
import { adminEventCtes, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";

export type Passkey = typeof passkeys.$inferSelect;
export type ChallengePurpose = (typeof challenges.$inferSelect)["purpose"];

/** Of a person, by the time they were enrolled. */
export async function listPasskeys(db: Database, userId: string): Promise<Passkey[]> {
  return db.select().from(passkeys).where(eq(passkeys.userId, userId)).orderBy(asc(passkeys.id));
}

export async function findPasskey(
  db: Database,
  userId: string,
  credentialId: string,
): Promise<Passkey | null> {
  const [row] = await db
    .select()
    .from(passkeys)
    .where(and(eq(passkeys.userId, userId), eq(passkeys.credentialId, credentialId)));
  return row ?? null;
}

export async function insertChallenge(
  db: Database,
  challenge: typeof challenges.$inferInsert,
): Promise<void> {
  await db.insert(challenges).values(challenge);
}

/** Uses a challenge up. Of several uses at once exactly one succeeds. */
export async function useChallenge(
  db: Database,
  used: {
    readonly userId: string;
    readonly purpose: ChallengePurpose;
    readonly challengeHash: string;
    readonly now: Date;
  },
): Promise<boolean> {
  const rows = await db
    .update(challenges)
    .set({ usedAt: used.now })
    .where(
      and(
        eq(challenges.userId, used.userId),
        eq(challenges.purpose, used.purpose),
        eq(challenges.challenge, used.challengeHash),
        isNull(challenges.usedAt),
        gt(challenges.expiresAt, used.now),
      ),
    )
    .returning({ id: challenges.id });
  return rows.length > 0;
}

/** Stores a passkey; the session that enrolled it has shown it just now. */
export async function insertPasskey(
  db: Database,
  passkey: typeof passkeys.$inferInsert,
  enrolled: {
    readonly sessionId: string;
    readonly strongUntil: Date;
    readonly events: readonly AdminEvent[];
  },
): Promise<void> {
  await db.batch([
    db.insert(passkeys).values(passkey),
    db.update(sessions).set({ strongUntil: enrolled.strongUntil }).where(eq(sessions.id, enrolled.sessionId)),
    ...enrolled.events.map((event) => insertAdminEvent(db, event)),
  ]);
}

/**
 * Notes that a passkey was shown in a session. An authenticator that counts must have gone on counting: the same answer
 * twice, or that of a copy, changes nothing.
 *
 * @returns whether it was accepted.
 */
export async function acceptAssertion(
  db: Database,
  shown: {
    readonly passkeyId: string;
    readonly counter: number;
    readonly sessionId: string;
    readonly strongUntil: Date;
    readonly now: Date;
  },
): Promise<boolean> {
  const { rows } = await db.execute(sql`
    WITH changed AS (
      UPDATE ${passkeys} SET counter = ${shown.counter}::bigint, last_used_at = ${shown.now.toISOString()}::timestamptz
      WHERE ${passkeys.id} = ${shown.passkeyId}::uuid
        AND (${passkeys.counter} < ${shown.counter}::bigint OR (${passkeys.counter} = 0 AND ${shown.counter}::bigint = 0))
      RETURNING user_id
    )
    UPDATE ${sessions} SET strong_until = ${shown.strongUntil.toISOString()}::timestamptz FROM changed
    WHERE ${sessions.id} = ${shown.sessionId}::uuid AND ${sessions.userId} = changed.user_id
    RETURNING ${sessions.id}`);
  return rows.length > 0;
}

/** @returns whether the person has it. */
export async function renamePasskey(
  db: Database,
  userId: string,
  change: { readonly id: string; readonly name: string; readonly events: readonly AdminEvent[] },
): Promise<boolean> {
  const { rows } = await db.execute(sql`
    WITH changed AS (
      UPDATE ${passkeys} SET name = ${change.name} WHERE ${ownPasskey(userId, change.id)} RETURNING id
    )${adminEventCtes(change.events)}
    SELECT id FROM changed`);
  return rows.length > 0;
}

export async function deletePasskey(
  db: Database,
  userId: string,
  id: string,
  events: readonly AdminEvent[],
): Promise<boolean> {
  const { rows } = await db.execute(sql`
    WITH changed AS (DELETE FROM ${passkeys} WHERE ${ownPasskey(userId, id)} RETURNING id)${adminEventCtes(events)}
    SELECT id FROM changed`);
  return rows.length > 0;
}

function ownPasskey(userId: string, id: string) {
  return and(eq(passkeys.userId, userId), eq(passkeys.id, id));
}
