import { eq, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { organizations } from "../schema/organizations.ts";
import { insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { bumpKeys } from "./outbox.ts";
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

/** @returns null when there is no such organization. */
export async function renameOrganization(
  db: Database,
  organizationId: string,
  change: { readonly name: string; readonly event: AdminEvent },
): Promise<Organization | null> {
  const [updated] = await db.batch([
    db
      .update(organizations)
      .set({ name: change.name })
      .where(eq(organizations.id, organizationId))
      .returning(),
    insertAdminEvent(db, change.event),
  ]);
  return updated[0] ?? null;
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
      .set({ frozen: change.frozen })
      .where(eq(organizations.id, organizationId))
      .returning(),
    lock,
    bump,
    insertAdminEvent(db, change.event),
  ]);
  const [organization] = updated;
  return organization === undefined ? null : { organization, keys: bumped.rows.length };
}
