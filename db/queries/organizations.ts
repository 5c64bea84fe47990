import { eq, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { relayKeys } from "../schema/keys.ts";
import { organizations } from "../schema/organizations.ts";
import { insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { bumpKeys } from "./outbox.ts";
import { revisionGuard } from "./revisions.ts";
import { insertManagementToken } from "./tokens.ts";
import type { NewManagementToken } from "./tokens.ts";

export type Organization = typeof organizations.$inferSelect;

export async function findOrganization(db: Database, organizationId: string): Promise<Organization | null> {
  const [row] = await db.select().from(organizations).where(eq(organizations.id, organizationId));
  return row ?? null;
}

/** Creates an organization together with the first token that may act in it. */
export async function createOrganization(
  db: Database,
  change: {
    readonly organization: { readonly id: string; readonly name: string };
    readonly token: NewManagementToken;
    readonly event: AdminEvent;
  },
): Promise<Organization> {
  const [created] = await db.batch([
    db.insert(organizations).values(change.organization).returning(),
    insertManagementToken(db, change.token),
    insertAdminEvent(db, change.event),
  ]);
  const [row] = created;
  if (row === undefined) throw new Error("The inserted organization was not returned.");
  return row;
}

/**
 * Changes an organization. Its keys that are confirmed on new addresses get a new policy version when that is what changes.
 *
 * @param expected the revision that it must be at; null = any.
 * @returns how many keys now wait to be enforced; null when there is no such organization.
 * @throws what `isStale` knows when the revision is another.
 */
export async function changeOrganization(
  db: Database,
  organizationId: string,
  change: Partial<Pick<Organization, "name" | "confirmation">>,
  event: AdminEvent,
  expected: number | null,
): Promise<{ readonly organization: Organization; readonly keys: number } | null> {
  const follows = change.confirmation === undefined ? sql`false` : sql`${relayKeys.ipMode} = 'confirm'`;
  const [lock, bump] = bumpKeys(db, organizationId, follows);
  const [, , updated, , bumped] = await db.batch([
    ...revisionGuard(db, organizations, organizationId, organizationId, expected),
    db
      .update(organizations)
      .set({ ...change, revision: sql`${organizations.revision} + 1` })
      .where(eq(organizations.id, organizationId))
      .returning(),
    lock,
    bump,
    insertAdminEvent(db, event),
  ]);
  const [organization] = updated;
  return organization === undefined ? null : { organization, keys: bumped.rows.length };
}

/**
 * Freezes an organization, or ends that: each of its keys gets a new policy version.
 *
 * @returns how many keys now wait to be enforced; null when there is no such organization.
 */
export async function setFrozen(
  db: Database,
  organizationId: string,
  change: { readonly frozen: boolean; readonly event: AdminEvent },
): Promise<{ readonly organization: Organization; readonly keys: number } | null> {
  const [lock, bump] = bumpKeys(db, organizationId, sql`true`);
  const [updated, , bumped] = await db.batch([
    db
      .update(organizations)
      .set({ frozen: change.frozen, revision: sql`${organizations.revision} + 1` })
      .where(eq(organizations.id, organizationId))
      .returning(),
    lock,
    bump,
    insertAdminEvent(db, change.event),
  ]);
  const [organization] = updated;
  return organization === undefined ? null : { organization, keys: bumped.rows.length };
}
