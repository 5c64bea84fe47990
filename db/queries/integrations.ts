import { and, asc, eq, gt, ne, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { integrationSecrets, integrations } from "../schema/integrations.ts";
import { relayKeys } from "../schema/keys.ts";
import { adminEventCte, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { bumpKeys } from "./outbox.ts";
import { planGuard } from "./plans.ts";
import { revisionGuard } from "./revisions.ts";

export type Integration = typeof integrations.$inferSelect;
export type NewIntegration = typeof integrations.$inferInsert;
export type NewSealedSecret = typeof integrationSecrets.$inferInsert;
export type IntegrationChange = Partial<
  Omit<Integration, "id" | "organizationId" | "slug" | "secretVersion" | "createdAt">
>;

/** An integration after a change, and the keys that now wait to be enforced. */
export interface ChangedIntegration {
  readonly integration: Integration;
  readonly keyIds: string[];
}

/** Name of the index that keeps slugs unique, and of the constraint between keys and integrations. */
export const INTEGRATION_SLUG_INDEX = "integrations_slug";
export const KEY_INTEGRATION = "relay_keys_integration_id_integrations_id_fk";

export async function findIntegration(
  db: Database,
  organizationId: string,
  which: { readonly id: string } | { readonly slug: string },
): Promise<Integration | null> {
  const match = "id" in which ? eq(integrations.id, which.id) : eq(integrations.slug, which.slug);
  const [row] = await db
    .select()
    .from(integrations)
    .where(and(eq(integrations.organizationId, organizationId), match));
  return row ?? null;
}

/** By id, which is the order of creation; `after` is the last id of the page before. */
export async function listIntegrations(
  db: Database,
  organizationId: string,
  page: { readonly limit: number; readonly after: string | null },
): Promise<Integration[]> {
  const after = page.after === null ? undefined : gt(integrations.id, page.after);
  return db
    .select()
    .from(integrations)
    .where(and(eq(integrations.organizationId, organizationId), after))
    .orderBy(asc(integrations.id))
    .limit(page.limit);
}

/**
 * @throws a unique violation of INTEGRATION_SLUG_INDEX when the slug is taken; what `isPlanLimit` knows when the plan allows
 * no more.
 */
export async function createIntegration(
  db: Database,
  integration: NewIntegration,
  secret: NewSealedSecret,
  event: AdminEvent,
): Promise<Integration> {
  const [, , created] = await db.batch([
    ...planGuard(db, integration.organizationId, "integrations"),
    db.insert(integrations).values(integration).returning(),
    db.insert(integrationSecrets).values(secret),
    insertAdminEvent(db, event),
  ]);
  const [row] = created;
  if (row === undefined) throw new Error("The inserted integration was not returned.");
  return row;
}

/** What else a change of an integration does, in the same transaction. */
export interface ChangeOptions {
  readonly event: AdminEvent;
  /** The revision that it must be at; null = any. */
  readonly expected: number | null;
  /** A new version of the vendor key, put in force; all former ones are destroyed. null: the vendor key stays. */
  readonly secret: NewSealedSecret | null;
}

/**
 * Changes an integration. Each of its keys carries a copy in its policy, so each gets a new policy version.
 *
 * @returns the ids of the keys that now wait to be enforced; null when there is no such integration.
 * @throws what `isStale` knows when the revision is another; a unique violation of SECRET_VERSION_INDEX when another change
 *   sealed the same version first.
 */
export async function changeIntegration(
  db: Database,
  organizationId: string,
  integrationId: string,
  change: IntegrationChange,
  { event, expected, secret }: ChangeOptions,
): Promise<ChangedIntegration | null> {
  const [lock, bump] = bumpKeys(db, organizationId, sql`${relayKeys.integrationId} = ${integrationId}`);
  const [, , updated, , bumped] = await db.batch([
    ...revisionGuard(db, integrations, organizationId, integrationId, expected),
    db
      .update(integrations)
      .set({
        ...change,
        ...(secret === null ? {} : { secretVersion: secret.version }),
        revision: sql`${integrations.revision} + 1`,
      })
      .where(and(eq(integrations.organizationId, organizationId), eq(integrations.id, integrationId)))
      .returning(),
    lock,
    bump,
    insertAdminEvent(db, event),
    ...(secret === null ? [] : replaceSecrets(db, secret)),
  ]);
  const [integration] = updated;
  return integration === undefined ? null : { integration, keyIds: bumped.rows.map((row) => row.key_id) };
}

function replaceSecrets(db: Database, secret: NewSealedSecret) {
  const { id, organizationId, integrationId, version, envelope } = secret;
  return [
    db.execute(sql`
      INSERT INTO ${integrationSecrets} (id, organization_id, integration_id, version, envelope)
      SELECT ${id}::uuid, organization_id, id, ${version}::int, ${envelope}::text
      FROM ${integrations} WHERE id = ${integrationId} AND organization_id = ${organizationId}`),
    db
      .update(integrationSecrets)
      .set({ envelope: "", restorableUntil: null })
      .where(
        and(
          eq(integrationSecrets.organizationId, organizationId),
          eq(integrationSecrets.integrationId, integrationId),
          ne(integrationSecrets.version, version),
        ),
      ),
  ] as const;
}

/** Notes whether the vendor accepts the key: nothing that the data plane must know. */
export async function setHealth(
  db: Database,
  organizationId: string,
  integrationId: string,
  health: Integration["health"],
  at: Date,
  event: AdminEvent,
): Promise<void> {
  await db.batch([
    db
      .update(integrations)
      .set({ health, healthAt: at })
      .where(and(eq(integrations.organizationId, organizationId), eq(integrations.id, integrationId))),
    insertAdminEvent(db, event),
  ]);
}

/**
 * Deletes an integration, with its sealed keys, for which no RelayKey was ever issued: those of the past are part of the
 * audit log. The constraint of `relay_keys` decides, so that a key that is issued at the same time wins or fails whole.
 *
 * @param expected the revision that it must be at; null = any.
 * @returns false when there is no such integration.
 * @throws a foreign key violation of KEY_INTEGRATION when keys were issued for it; what `isStale` knows when the revision is
 * another.
 */
export async function deleteIntegration(
  db: Database,
  organizationId: string,
  integrationId: string,
  event: AdminEvent,
  expected: number | null,
): Promise<boolean> {
  const [, , , deleted] = await db.batch([
    ...revisionGuard(db, integrations, organizationId, integrationId, expected),
    db
      .delete(integrationSecrets)
      .where(
        and(
          eq(integrationSecrets.organizationId, organizationId),
          eq(integrationSecrets.integrationId, integrationId),
        ),
      ),
    db.execute<{ id: string }>(sql`
      WITH changed AS (
        DELETE FROM ${integrations} WHERE organization_id = ${organizationId}::uuid AND id = ${integrationId}::uuid
        RETURNING id
      ), ${adminEventCte(event)}
      SELECT id FROM changed`),
  ]);
  return deleted.rows.length > 0;
}
