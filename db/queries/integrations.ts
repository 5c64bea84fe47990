import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { integrationSecrets, integrations } from "../schema/integrations.ts";
import { relayKeys } from "../schema/keys.ts";
import { insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { bumpKeys } from "./outbox.ts";

export type Integration = typeof integrations.$inferSelect;
export type NewIntegration = typeof integrations.$inferInsert;
export type NewSealedSecret = typeof integrationSecrets.$inferInsert;
export type IntegrationChange = Partial<
  Omit<Integration, "id" | "organizationId" | "slug" | "secretVersion" | "createdAt">
>;

/** Names of the indexes that keep slugs, and versions of a sealed secret, unique. */
export const INTEGRATION_SLUG_INDEX = "integrations_slug";
export const SECRET_VERSION_INDEX = "integration_secrets_version";

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

/** @throws a unique violation of INTEGRATION_SLUG_INDEX when the slug is taken. */
export async function createIntegration(
  db: Database,
  integration: NewIntegration,
  secret: NewSealedSecret,
  event: AdminEvent,
): Promise<Integration> {
  const [created] = await db.batch([
    db.insert(integrations).values(integration).returning(),
    db.insert(integrationSecrets).values(secret),
    insertAdminEvent(db, event),
  ]);
  const [row] = created;
  if (row === undefined) throw new Error("The inserted integration was not returned.");
  return row;
}

/**
 * Changes an integration, and with `secret` its vendor key. Each of its keys carries a copy in its policy, so each gets a
 * new policy version.
 *
 * @returns the ids of the keys that now wait to be enforced; null when there is no such integration.
 * @throws a unique violation of SECRET_VERSION_INDEX when another change sealed the same version first.
 */
export async function changeIntegration(
  db: Database,
  organizationId: string,
  integrationId: string,
  change: IntegrationChange,
  secret: NewSealedSecret | null,
  event: AdminEvent,
): Promise<{ readonly integration: Integration; readonly keyIds: string[] } | null> {
  const version = secret === null ? {} : { secretVersion: secret.version };
  const update = db
    .update(integrations)
    .set({ ...change, ...version })
    .where(and(eq(integrations.organizationId, organizationId), eq(integrations.id, integrationId)))
    .returning();
  const [lock, bump] = bumpKeys(db, organizationId, sql`${relayKeys.integrationId} = ${integrationId}`);
  const record = insertAdminEvent(db, event);
  const [updated, , bumped] =
    secret === null
      ? await db.batch([update, lock, bump, record])
      : await db.batch([update, lock, bump, record, db.insert(integrationSecrets).values(secret)]);
  const [integration] = updated;
  return integration === undefined ? null : { integration, keyIds: bumped.rows.map((row) => row.key_id) };
}
