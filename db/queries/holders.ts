import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { holders } from "../schema/holders.ts";
import { relayKeys } from "../schema/keys.ts";
import { adminEventCte, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { bumpKeys } from "./outbox.ts";
import { revisionGuard } from "./revisions.ts";

export type Holder = typeof holders.$inferSelect;
export type NewHolder = typeof holders.$inferInsert;
export type HolderChange = Partial<
  Pick<Holder, "name" | "kind" | "email" | "frozen" | "limits" | "confirmation" | "mailState" | "mailStateAt">
>;

/** Names of the index that keeps names unique within an organization, and of the constraint between keys and holders. */
export const HOLDER_NAME_INDEX = "holders_name";
export const KEY_HOLDER = "relay_keys_holder_id_holders_id_fk";

export async function findHolder(
  db: Database,
  organizationId: string,
  which: { readonly id: string } | { readonly name: string },
): Promise<Holder | null> {
  const match = "id" in which ? eq(holders.id, which.id) : eq(holders.name, which.name);
  const [row] = await db
    .select()
    .from(holders)
    .where(and(eq(holders.organizationId, organizationId), match));
  return row ?? null;
}

/** By id, which is the order of creation; `after` is the last id of the page before. */
export async function listHolders(
  db: Database,
  organizationId: string,
  page: { readonly limit: number; readonly after: string | null },
): Promise<Holder[]> {
  const after = page.after === null ? undefined : gt(holders.id, page.after);
  return db
    .select()
    .from(holders)
    .where(and(eq(holders.organizationId, organizationId), after))
    .orderBy(asc(holders.id))
    .limit(page.limit);
}

/** @throws a unique violation of HOLDER_NAME_INDEX when the name is taken. */
export async function createHolder(db: Database, holder: NewHolder, event: AdminEvent): Promise<Holder> {
  const [created] = await db.batch([
    db.insert(holders).values(holder).returning(),
    insertAdminEvent(db, event),
  ]);
  const [row] = created;
  if (row === undefined) throw new Error("The inserted holder was not returned.");
  return row;
}

/**
 * Changes a holder. Its keys carry its name and state, so each gets a new policy version.
 *
 * @returns the ids of the keys that now wait to be enforced.
 * @param expected the revision that it must be at; null = any.
 * @throws a unique violation of HOLDER_NAME_INDEX when the name is taken; what `isStale` knows when the revision is another.
 */
export async function changeHolder(
  db: Database,
  organizationId: string,
  holderId: string,
  change: HolderChange,
  event: AdminEvent,
  expected: number | null,
): Promise<{ readonly holder: Holder; readonly keyIds: string[] } | null> {
  const [lock, bump] = bumpKeys(db, organizationId, sql`${relayKeys.holderId} = ${holderId}`);
  const [, , updated, , bumped] = await db.batch([
    ...revisionGuard(db, holders, organizationId, holderId, expected),
    db
      .update(holders)
      .set({ ...change, revision: sql`${holders.revision} + 1` })
      .where(and(eq(holders.organizationId, organizationId), eq(holders.id, holderId)))
      .returning(),
    lock,
    bump,
    insertAdminEvent(db, event),
  ]);
  const [holder] = updated;
  return holder === undefined ? null : { holder, keyIds: bumped.rows.map((row) => row.key_id) };
}

/**
 * Deletes a holder that was never issued a key: those of the past are part of the audit log.
 *
 * @param expected the revision that it must be at; null = any.
 * @returns false when there is no such holder.
 * @throws a foreign key violation of KEY_HOLDER when keys were issued to it; what `isStale` knows when the revision is another.
 */
export async function deleteHolder(
  db: Database,
  organizationId: string,
  holderId: string,
  event: AdminEvent,
  expected: number | null,
): Promise<boolean> {
  const [, , deleted] = await db.batch([
    ...revisionGuard(db, holders, organizationId, holderId, expected),
    db.execute<{ id: string }>(sql`
      WITH changed AS (
        DELETE FROM ${holders} WHERE organization_id = ${organizationId}::uuid AND id = ${holderId}::uuid RETURNING id
      ), ${adminEventCte(event)}
      SELECT id FROM changed`),
  ]);
  return deleted.rows.length > 0;
}
