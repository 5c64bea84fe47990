import { and, asc, eq, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { holders } from "../schema/holders.ts";
import { relayKeys } from "../schema/keys.ts";
import { adminEventCte } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { bumpKeys } from "./outbox.ts";

/**
 * Notes that mail to a holder's address is unwelcome, if it is still the holder's address. Reported again, it changes
 * nothing but the versions of keys.
 *
 * @returns the ids of the keys that now wait to be enforced.
 */
export async function stopMail(
  db: Database,
  failure: {
    readonly organizationId: string;
    readonly holderId: string;
    readonly reason: "bounced" | "complained";
    readonly address: string;
    readonly at: Date;
  },
  event: AdminEvent,
): Promise<string[]> {
  const { organizationId, holderId, reason, address, at } = failure;
  const moment = sql`${at.toISOString()}::timestamptz`;
  const [lock, bump] = bumpKeys(
    db,
    organizationId,
    sql`${relayKeys.holderId} IN (SELECT id FROM ${holders}
      WHERE id = ${holderId} AND mail_state = ${reason} AND mail_state_at = ${moment})`,
  );
  const [, , bumped] = await db.batch([
    db.execute(sql`
      WITH changed AS (
        UPDATE ${holders} SET mail_state = ${reason}, mail_state_at = ${moment}, revision = revision + 1
        WHERE id = ${holderId} AND organization_id = ${organizationId} AND lower(email) = lower(${address})
          AND mail_state = 'ok'
        RETURNING id
      ), ${adminEventCte(event)}
      SELECT id FROM changed`),
    lock,
    bump,
  ]);
  return bumped.rows.map(({ key_id }) => key_id);
}

/**
 * Locators of the people whose keys' mail goes to an address, in all organizations.
 *
 * @param address in lower case.
 */
export async function locatorsMailedAt(db: Database, address: string, limit: number): Promise<string[]> {
  const rows = await db
    .select({ locator: holders.locator })
    .from(holders)
    .where(and(sql`lower(${holders.email}) = ${address}`, eq(holders.mailState, "ok")))
    .orderBy(asc(holders.id))
    .limit(limit);
  return rows.map(({ locator }) => locator);
}
