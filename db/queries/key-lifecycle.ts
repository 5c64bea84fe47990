import { and, eq, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { newId } from "@relaykey/core/ids";
import type { Database } from "../client.ts";
import { holders } from "../schema/holders.ts";
import { integrations } from "../schema/integrations.ts";
import { outbox, relayKeys, scopeRules } from "../schema/keys.ts";
import { adminEventCte, adminEventsCte } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { planGuard } from "./plans.ts";
import { matching, readVersion, recordChange, timestamp } from "./keys.ts";
import type { KeyFilter, KeyRow } from "./keys.ts";

/**
 * Freezes a key that is active.
 *
 * @returns the new policy version, or null when it is frozen or revoked already (or is not there).
 */
export async function freezeKey(
  db: Database,
  organizationId: string,
  keyId: string,
  change: { readonly at: Date; readonly event: AdminEvent },
): Promise<number | null> {
  const set = sql`state = 'frozen', frozen_by = 'admin', frozen_at = ${timestamp(change.at)}`;
  return changeState(db, organizationId, keyId, sql`state = 'active'`, set, change.event);
}

/**
 * Notes that the holder froze a key. The data plane enforced it before it told us; a report that arrives after the freeze
 * was lifted changes nothing.
 *
 * @param change.freezes how often the holder has frozen the key.
 * @returns the new policy version, or null when there is nothing to note.
 */
export async function noteHolderFreeze(
  db: Database,
  organizationId: string,
  keyId: string,
  change: { readonly freezes: number; readonly at: Date; readonly event: AdminEvent },
): Promise<number | null> {
  const set = sql`state = 'frozen', frozen_by = 'holder', frozen_at = ${timestamp(change.at)}`;
  const from = sql`freezes_lifted < ${change.freezes}
    AND (state = 'active' OR (state = 'frozen' AND frozen_by = 'admin'))`;
  return changeState(db, organizationId, keyId, from, set, change.event);
}

/**
 * Ends a freeze, whoever began it.
 *
 * @param change.freezes how often the holder has frozen the key: all of these are lifted, later ones are not.
 * @returns the new policy version, or null when the key is not frozen.
 */
export async function unfreezeKey(
  db: Database,
  organizationId: string,
  keyId: string,
  change: { readonly freezes: number; readonly event: AdminEvent },
): Promise<number | null> {
  const { freezes, event } = change;
  const set = sql`state = 'active', frozen_by = NULL, frozen_at = NULL,
    freezes_lifted = greatest(freezes_lifted, ${freezes}::int)`;
  const from = sql`(state = 'frozen' OR (state = 'active' AND freezes_lifted < ${freezes}::int))`;
  return changeState(db, organizationId, keyId, from, set, event);
}

async function changeState(
  db: Database,
  organizationId: string,
  keyId: string,
  from: SQL,
  set: SQL,
  event: AdminEvent,
): Promise<number | null> {
  const result = await db.execute<{ policy_version: string }>(sql`
    WITH changed AS (
      UPDATE ${relayKeys} SET ${set}, policy_version = policy_version + 1
      WHERE id = ${keyId} AND organization_id = ${organizationId} AND ${from}
      RETURNING id, organization_id, policy_version
    ), ${recordChange(event)}
    SELECT policy_version FROM changed`);
  return readVersion(result.rows);
}

/** A key that takes the place of another: all that differs from it. */
export interface Replacement {
  readonly id: string;
  readonly tokenHash: string;
  readonly display: string;
  readonly expiresAt: Date | null;
  readonly createdBy: { readonly kind: string; readonly id: string | null };
}

/**
 * Makes a key with the policy of another one, and lets the other one end: at `endsAt` unless it ends earlier by itself, or,
 * with null, now and for good. Both or neither; the share locks are those of `createKey`.
 *
 * @throws what `isPlanLimit` knows when the plan does not allow both.
 * @returns the new policy version of the former key, or null when it has moved on (or was revoked, or is not there).
 */
export async function replaceKey(
  db: Database,
  organizationId: string,
  former: Pick<KeyRow, "id" | "policyVersion" | "integrationId" | "holderId">,
  change: {
    readonly replacement: Replacement;
    readonly endsAt: Date | null;
    readonly now: Date;
    readonly events: { readonly former: AdminEvent; readonly replacement: AdminEvent };
  },
): Promise<number | null> {
  const { replacement, endsAt, now, events } = change;
  const ending =
    endsAt === null
      ? sql`state = 'revoked', revoked_at = ${timestamp(now)}`
      : sql`expires_at = least(expires_at, ${timestamp(endsAt)})`;
  const [, , , , result] = await db.batch([
    // During an overlap there is one key more; one that takes over at once counts for the one that ends.
    ...planGuard(db, organizationId, "keys", endsAt === null ? 1 : 0),
    db
      .select({ id: integrations.id })
      .from(integrations)
      .where(and(eq(integrations.organizationId, organizationId), eq(integrations.id, former.integrationId)))
      .for("share"),
    db
      .select({ id: holders.id })
      .from(holders)
      .where(and(eq(holders.organizationId, organizationId), eq(holders.id, former.holderId)))
      .for("share"),
    db.execute<{ policy_version: string }>(sql`
      WITH changed AS (
        UPDATE ${relayKeys} SET ${ending}, policy_version = policy_version + 1
        WHERE id = ${former.id} AND organization_id = ${organizationId}
          AND policy_version = ${former.policyVersion} AND state <> 'revoked'
        RETURNING *
      ), made AS (
        INSERT INTO ${relayKeys} (id, organization_id, holder_id, integration_id, name, token_hash, display, state,
          policy_version, not_before, expires_at, ip_mode, ip_cidrs, limits, bindings, enforcement, replaces_id,
          created_by_kind, created_by_id)
        SELECT ${replacement.id}::uuid, organization_id, holder_id, integration_id, name, ${replacement.tokenHash}::text,
          ${replacement.display}::text, 'active', 1, not_before, ${timestamp(replacement.expiresAt)}, ip_mode, ip_cidrs,
          limits, bindings, enforcement, id, ${replacement.createdBy.kind}::text, ${replacement.createdBy.id}::uuid
        FROM changed
      ), ruled AS (
        INSERT INTO ${scopeRules} (organization_id, key_id, position, methods, path, query)
        SELECT rule.organization_id, ${replacement.id}::uuid, rule.position, rule.methods, rule.path, rule.query
        FROM ${scopeRules} AS rule JOIN changed ON changed.id = rule.key_id
      ), queued_too AS (
        INSERT INTO ${outbox} (id, organization_id, key_id, version)
        SELECT ${newId()}::uuid, organization_id, ${replacement.id}::uuid, 1 FROM changed
      ), ${adminEventCte(events.replacement, "recorded_too")}, ${recordChange(events.former)}
      SELECT policy_version FROM changed`),
  ]);
  return readVersion(result.rows);
}

/**
 * Revokes every key that a filter matches and that is not revoked yet: all or none, however many. Keys are locked in the
 * order of their ids, as every change of many keys does.
 *
 * @returns the ids of the keys, which now wait to be enforced.
 */
export async function revokeKeys(
  db: Database,
  organizationId: string,
  filter: KeyFilter,
  change: { readonly now: Date; readonly event: Omit<AdminEvent, "subjectId"> },
): Promise<string[]> {
  const { rows } = await db.execute<{ id: string }>(sql`
    WITH locked AS (
      SELECT id FROM ${relayKeys} WHERE ${matching(organizationId, filter)} AND state <> 'revoked'
      ORDER BY id FOR UPDATE
    ), changed AS (
      UPDATE ${relayKeys}
      SET state = 'revoked', revoked_at = ${timestamp(change.now)}, policy_version = policy_version + 1
      FROM locked WHERE ${relayKeys.id} = locked.id AND ${relayKeys.state} <> 'revoked'
      RETURNING ${relayKeys.id}, ${relayKeys.organizationId}, ${relayKeys.policyVersion}
    ), queued AS (
      INSERT INTO ${outbox} (id, organization_id, key_id, version)
      SELECT gen_random_uuid(), organization_id, id, policy_version FROM changed
    ), ${adminEventsCte(change.event, change.now)}
    SELECT id FROM changed ORDER BY id`);
  return rows.map(({ id }) => id);
}

/** How many keys that are not revoked a filter matches. */
export async function countKeys(db: Database, organizationId: string, filter: KeyFilter): Promise<number> {
  const { rows } = await db.execute<{ count: string }>(sql`
    SELECT count(*) FROM ${relayKeys} WHERE ${matching(organizationId, filter)} AND state <> 'revoked'`);
  return Number(rows[0]?.count ?? 0);
}
