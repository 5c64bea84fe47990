import { and, asc, eq, lte, ne, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { integrationSecrets, integrations } from "../schema/integrations.ts";
import { relayKeys } from "../schema/keys.ts";
import { adminEventCte } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import type { NewSealedSecret } from "./integrations.ts";
import { timestamp } from "./keys.ts";
import { bumpKeys } from "./outbox.ts";
import { revisionGuard } from "./revisions.ts";

/** A version of a vendor key, without what is sealed in it. */
export interface SecretVersion {
  readonly version: number;
  readonly createdAt: Date;
  /** null: in force, or destroyed. */
  readonly restorableUntil: Date | null;
  readonly destroyed: boolean;
}

/** Name of the index that keeps the versions of a vendor key unique. */
export const SECRET_VERSION_INDEX = "integration_secrets_version";

/** Every version there was, oldest first. */
export async function listSecretVersions(
  db: Database,
  organizationId: string,
  integrationId: string,
): Promise<SecretVersion[]> {
  return db
    .select({
      version: integrationSecrets.version,
      createdAt: integrationSecrets.createdAt,
      restorableUntil: integrationSecrets.restorableUntil,
      destroyed: sql<boolean>`${integrationSecrets.envelope} = ''`.mapWith(Boolean),
    })
    .from(integrationSecrets)
    .where(ofIntegration(organizationId, integrationId))
    .orderBy(asc(integrationSecrets.version));
}

/** The envelope in force; null when there is no such integration. */
export async function currentEnvelope(
  db: Database,
  organizationId: string,
  integrationId: string,
): Promise<string | null> {
  const [row] = await db
    .select({ envelope: integrationSecrets.envelope })
    .from(integrationSecrets)
    .innerJoin(
      integrations,
      and(
        eq(integrations.id, integrationSecrets.integrationId),
        eq(integrations.secretVersion, integrationSecrets.version),
      ),
    )
    .where(ofIntegration(organizationId, integrationId));
  return row?.envelope ?? null;
}

/**
 * Puts a new version of the vendor key in force. The one it replaces can be restored until a moment (null: it is
 * destroyed now); any older one is destroyed. Every key of the integration gets a new policy version.
 *
 * @param change.expected the revision that the integration must be at; null = any.
 * @returns the ids of the keys that now wait to be enforced; null when the integration has moved on (or is not there).
 * @throws a unique violation of SECRET_VERSION_INDEX when another change sealed the same version first; what `isStale`
 * knows when the revision is another.
 */
export async function rotateSecret(
  db: Database,
  secret: NewSealedSecret,
  change: {
    readonly from: number;
    readonly restorableUntil: Date | null;
    readonly expected: number | null;
    readonly event: AdminEvent;
  },
): Promise<string[] | null> {
  const { organizationId, integrationId, version, envelope, id } = secret;
  const [lock, bump] = bumpKeys(db, organizationId, sql`${relayKeys.integrationId} = ${integrationId}`);
  const [, , changed, , bumped] = await db.batch([
    ...revisionGuard(db, integrations, organizationId, integrationId, change.expected),
    db.execute(sql`
      WITH changed AS (
        UPDATE ${integrations} SET secret_version = ${version}, revision = revision + 1
        WHERE id = ${integrationId} AND organization_id = ${organizationId} AND secret_version = ${change.from}
        RETURNING id, organization_id
      ), sealed AS (
        INSERT INTO ${integrationSecrets} (id, organization_id, integration_id, version, envelope)
        SELECT ${id}::uuid, organization_id, id, ${version}::int, ${envelope}::text FROM changed
      ), retired AS (
        UPDATE ${integrationSecrets} AS former
        SET restorable_until = CASE WHEN version = ${change.from} THEN ${timestamp(change.restorableUntil)} END,
          envelope = CASE WHEN version = ${change.from} AND ${timestamp(change.restorableUntil)} IS NOT NULL
            THEN envelope ELSE '' END
        FROM changed WHERE former.integration_id = changed.id
      ), ${adminEventCte(change.event)}
      SELECT id FROM changed`),
    lock,
    bump,
  ]);
  return changed.rows.length === 0 ? null : bumped.rows.map((row) => row.key_id);
}

/**
 * Puts the version back in force that can still be restored; the one it replaces can be restored in turn.
 *
 * @param change.expected the revision that the integration must be at; null = any.
 * @returns the ids of the keys that now wait to be enforced; null when there is no such version any more.
 * @throws what `isStale` knows when the revision is another.
 */
export async function restoreSecret(
  db: Database,
  organizationId: string,
  integrationId: string,
  change: {
    readonly from: number;
    readonly to: number;
    readonly now: Date;
    readonly restorableUntil: Date;
    readonly expected: number | null;
    readonly event: AdminEvent;
  },
): Promise<string[] | null> {
  const [lock, bump] = bumpKeys(db, organizationId, sql`${relayKeys.integrationId} = ${integrationId}`);
  const [, , changed, , bumped] = await db.batch([
    ...revisionGuard(db, integrations, organizationId, integrationId, change.expected),
    db.execute(sql`
      WITH changed AS (
        UPDATE ${integrations} SET secret_version = ${change.to}, revision = ${integrations.revision} + 1
        FROM ${integrationSecrets} AS former
        WHERE ${integrations.id} = ${integrationId} AND ${integrations.organizationId} = ${organizationId}
          AND ${integrations.secretVersion} = ${change.from}
          AND former.integration_id = ${integrations.id} AND former.version = ${change.to}
          AND former.restorable_until > ${timestamp(change.now)} AND former.envelope <> ''
        RETURNING ${integrations.id}, ${integrations.organizationId}
      ), swapped AS (
        UPDATE ${integrationSecrets} AS secret
        SET restorable_until = CASE WHEN version = ${change.from} THEN ${timestamp(change.restorableUntil)} END
        FROM changed WHERE secret.integration_id = changed.id
      ), ${adminEventCte(change.event)}
      SELECT id FROM changed`),
    lock,
    bump,
  ]);
  return changed.rows.length === 0 ? null : bumped.rows.map((row) => row.key_id);
}

/** Destroys what can no longer be restored, of all organizations. @returns how many versions. */
export async function destroyRetiredSecrets(db: Database, now: Date): Promise<number> {
  const rows = await db
    .update(integrationSecrets)
    .set({ envelope: "", restorableUntil: null })
    .where(and(lte(integrationSecrets.restorableUntil, now), ne(integrationSecrets.envelope, "")))
    .returning({ id: integrationSecrets.id });
  return rows.length;
}

function ofIntegration(organizationId: string, integrationId: string) {
  return and(
    eq(integrationSecrets.organizationId, organizationId),
    eq(integrationSecrets.integrationId, integrationId),
  );
}
