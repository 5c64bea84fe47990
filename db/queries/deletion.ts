import { asc, eq, getTableColumns, getTableName, gt, is, isNull, lte, sql } from "drizzle-orm";
import { PgTable, getTableConfig } from "drizzle-orm/pg-core";
import type { Database } from "../client.ts";
import { schema } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";
import { sessions } from "../schema/access.ts";
import { outbox, relayKeys } from "../schema/keys.ts";
import { organizations } from "../schema/organizations.ts";
import { adminEventCte } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import type { Organization } from "./organizations.ts";
import { bumpKeys } from "./outbox.ts";

/**
 * Marks an organization for deletion, or takes that back. A marked one is as good as frozen (`loadSnapshot`), so each of its
 * keys gets a new policy version.
 *
 * @param change.deleteAfter null takes it back, which can be done until the moment has come.
 * @returns null when there was nothing to change.
 */
export async function setDeletion(
  db: Database,
  organizationId: string,
  change: { readonly deleteAfter: Date | null; readonly now: Date; readonly event: AdminEvent },
): Promise<{ readonly organization: Organization; readonly keys: number } | null> {
  const { deleteAfter, now } = change;
  const which = deleteAfter === null ? gt(organizations.deleteAfter, now) : isNull(organizations.deleteAfter);
  const [lock, bump] = bumpKeys(db, organizationId, sql`true`);
  const [marked, , bumped, rows] = await db.batch([
    db.execute(sql`
      WITH changed AS (
        UPDATE ${organizations} SET delete_after = ${deleteAfter?.toISOString() ?? null}::timestamptz,
          revision = revision + 1
        WHERE ${organizations.id} = ${organizationId}::uuid AND ${which}
        RETURNING id
      ), ${adminEventCte(change.event)}
      SELECT id FROM changed`),
    lock,
    bump,
    db.select().from(organizations).where(eq(organizations.id, organizationId)),
  ]);
  const [organization] = rows;
  if (marked.rows.length === 0 || organization === undefined) return null;
  return { organization, keys: bumped.rows.length };
}

/** Organizations whose time has come, those that waited longest first. Across organizations: for the job only. */
export async function dueDeletions(db: Database, now: Date, limit: number): Promise<string[]> {
  const rows = await db
    .select({ id: organizations.id })
    .from(organizations)
    .where(lte(organizations.deleteAfter, now))
    .orderBy(asc(organizations.deleteAfter))
    .limit(limit);
  return rows.map(({ id }) => id);
}

/** Revokes every key of an organization that is to go, and leaves it to the outbox to make that true everywhere. */
export async function revokeAllKeys(db: Database, organizationId: string, now: Date): Promise<void> {
  await db.execute(sql`
    WITH revoked AS (
      UPDATE ${relayKeys} SET state = 'revoked', revoked_at = ${now.toISOString()}::timestamptz,
        policy_version = policy_version + 1
      WHERE ${relayKeys.organizationId} = ${organizationId}::uuid AND ${relayKeys.state} <> 'revoked'
      RETURNING id, organization_id, policy_version
    )
    INSERT INTO ${outbox} (id, organization_id, key_id, version)
    SELECT gen_random_uuid(), organization_id, id, policy_version FROM revoked`);
}

/** Deletes some of an organization's audit events. @returns how many: fewer than `limit` when none are left. */
export async function deleteAuditEvents(
  db: Database,
  organizationId: string,
  limit: number,
): Promise<number> {
  const rows = await db
    .delete(auditEvents)
    .where(
      sql`(${auditEvents.expiresOn}, ${auditEvents.requestId}) IN (
        SELECT expires_on, request_id FROM audit_events WHERE organization_id = ${organizationId}::uuid LIMIT ${limit}::int)`,
    )
    .returning({ requestId: auditEvents.requestId });
  return rows.length;
}

/** Deletes all that an organization has, and itself, in one transaction. People stay: they may be in others. */
export async function deleteOrganization(db: Database, organizationId: string): Promise<void> {
  await db.batch([
    db.update(sessions).set({ organizationId: null }).where(eq(sessions.organizationId, organizationId)),
    ...tenantTables().map((table) =>
      db.execute(sql`DELETE FROM ${table} WHERE organization_id = ${organizationId}::uuid`),
    ),
    db.delete(organizations).where(eq(organizations.id, organizationId)),
  ]);
}

/**
 * The tables whose rows belong to an organization, each before those that it points at. They are read from the schema, so
 * that a table that is added later is not forgotten.
 */
export function tenantTables(): PgTable[] {
  const entries: readonly unknown[] = Object.values(schema);
  const tables = entries.filter((entry) => is(entry, PgTable));
  const owned = tables.filter((table) => table !== sessions && "organizationId" in getTableColumns(table));
  const sorted: PgTable[] = [];
  const visit = (table: PgTable): void => {
    if (sorted.includes(table)) return;
    for (const other of owned) if (other !== table && pointsAt(other, table)) visit(other);
    sorted.push(table);
  };
  for (const table of owned) visit(table);
  return sorted;
}

function pointsAt(table: PgTable, target: PgTable): boolean {
  return getTableConfig(table).foreignKeys.some(
    (key) => getTableName(key.reference().foreignTable) === getTableName(target),
  );
}
