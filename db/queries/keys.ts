import { and, asc, desc, eq, gt, lt, sql } from "drizzle-orm";
import type { SQL, SQLWrapper } from "drizzle-orm";
import { newId } from "@relaykey/core/ids";
import type { ScopeRule } from "@relaykey/core/scope";
import type { Database } from "../client.ts";
import { managementTokens } from "../schema/access.ts";
import { holders } from "../schema/holders.ts";
import { integrations } from "../schema/integrations.ts";
import { outbox, relayKeys, scopeRules } from "../schema/keys.ts";
import { trafficCounts } from "../schema/traffic.ts";
import { adminEventCte, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { DIVISION_BY_ZERO, hasCode } from "./conflicts.ts";
import { planGuard } from "./plans.ts";

export type KeyRow = typeof relayKeys.$inferSelect;
export type NewKey = Omit<typeof relayKeys.$inferInsert, "policyVersion" | "state">;

/** A key with the names of what it belongs to, and its rules in order. */
export interface KeyRecord extends KeyRow {
  readonly holder: { readonly id: string; readonly name: string; readonly locator: string };
  readonly integration: { readonly id: string; readonly slug: string };
  readonly rules: readonly ScopeRule[];
}

/** What a change of a key may set. */
export type KeyPolicy = Pick<
  KeyRow,
  "name" | "notBefore" | "expiresAt" | "ipMode" | "ipCidrs" | "limits" | "bindings" | "enforcement"
> & { readonly rules: readonly ScopeRule[] };

/** Which keys of an organization. Absent = no constraint. */
export interface KeyFilter {
  readonly ids?: readonly string[];
  readonly holderId?: string;
  readonly integrationId?: string;
  readonly state?: KeyRow["state"];
  /** Who issued them. */
  readonly createdBy?: string;
  /** Part of the key's name or display form, or of its holder's name; case does not count. */
  readonly search?: string;
  readonly expiresBefore?: Date;
  readonly createdBefore?: Date;
  /** Whether the newest policy is in force. */
  readonly enforced?: boolean;
  /** No request of it has arrived since. */
  readonly unusedSince?: Date;
}

/** What must hold of the token that mints a key, in the moment it is stored. */
export interface MintGuard {
  readonly tokenId: string;
  /** Keys of its minting that may be alive, the new one included. */
  readonly maxAlive: number;
}

export async function findKey(
  db: Database,
  organizationId: string,
  keyId: string,
): Promise<KeyRecord | null> {
  const which = and(eq(relayKeys.organizationId, organizationId), eq(relayKeys.id, keyId));
  const [record] = await readKeys(db, which, 1);
  return record ?? null;
}

/** Newest first, unless `isOldestFirst`; `before` is the last id of the page before. */
export async function listKeys(
  db: Database,
  organizationId: string,
  filter: KeyFilter,
  page: { readonly limit: number; readonly before: string | null; readonly isOldestFirst?: boolean },
): Promise<KeyRecord[]> {
  const { limit, before, isOldestFirst = false } = page;
  const beyond = isOldestFirst ? gt : lt;
  const after = before === null ? undefined : beyond(relayKeys.id, before);
  return readKeys(db, and(matching(organizationId, filter), after), limit, isOldestFirst);
}

/** The condition that a filter is, on rows of `relay_keys`. */
export function matching(organizationId: string, filter: KeyFilter): SQL | undefined {
  const { ids, search } = filter;
  return and(
    eq(relayKeys.organizationId, organizationId),
    ids === undefined
      ? undefined
      : sql`${relayKeys.id} IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`,
    filter.holderId === undefined ? undefined : eq(relayKeys.holderId, filter.holderId),
    filter.integrationId === undefined ? undefined : eq(relayKeys.integrationId, filter.integrationId),
    filter.state === undefined ? undefined : eq(relayKeys.state, filter.state),
    filter.createdBy === undefined ? undefined : eq(relayKeys.createdById, filter.createdBy),
    filter.expiresBefore === undefined ? undefined : lt(relayKeys.expiresAt, filter.expiresBefore),
    filter.createdBefore === undefined ? undefined : lt(relayKeys.createdAt, filter.createdBefore),
    filter.enforced === undefined
      ? undefined
      : sql`(${relayKeys.enforcedVersion} >= ${relayKeys.policyVersion}) = ${filter.enforced}`,
    filter.unusedSince === undefined
      ? undefined
      : sql`NOT EXISTS (SELECT 1 FROM ${trafficCounts} WHERE ${trafficCounts.keyId} = ${relayKeys.id}
          AND ${trafficCounts.unit} = 'hour' AND ${trafficCounts.requests} > 0
          AND ${trafficCounts.lastAt} >= ${filter.unusedSince.toISOString()}::timestamptz
          AND ${trafficCounts.startsAt} >= date_trunc('hour', ${filter.unusedSince.toISOString()}::timestamptz, 'UTC'))`,
    search === undefined
      ? undefined
      : sql`(${contains(relayKeys.name, search)} OR ${contains(relayKeys.display, search)} OR EXISTS (
          SELECT 1 FROM ${holders} AS held WHERE held.id = ${relayKeys.holderId} AND ${contains(sql`held.name`, search)}))`,
  );
}

/** Plain text within a value: what a pattern would read as a wildcard stands for itself. */
function contains(value: SQLWrapper, text: string): SQL {
  return sql`strpos(lower(${value}), lower(${text})) > 0`;
}

async function readKeys(
  db: Database,
  which: SQL | undefined,
  limit: number,
  isOldestFirst = false,
): Promise<KeyRecord[]> {
  const rows = await db
    .select({
      key: relayKeys,
      holder: { id: holders.id, name: holders.name, locator: holders.locator },
      integration: { id: integrations.id, slug: integrations.slug },
      rules: ruleList,
    })
    .from(relayKeys)
    .innerJoin(holders, eq(holders.id, relayKeys.holderId))
    .innerJoin(integrations, eq(integrations.id, relayKeys.integrationId))
    .where(which)
    .orderBy(isOldestFirst ? asc(relayKeys.id) : desc(relayKeys.id))
    .limit(limit);
  return rows.map(({ key, holder, integration, rules }) => ({ ...key, holder, integration, rules }));
}

/** The rules of a key in order, as a column of a statement that selects from `relay_keys`. */
export const ruleList = sql<ScopeRule[]>`(
  SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
    'methods', rule.methods, 'path', rule.path, 'query', rule.query)) ORDER BY rule.position), '[]')
  FROM ${scopeRules} AS rule WHERE rule.key_id = ${relayKeys.id})`;

/**
 * Creates a key at policy version 1. The share locks make a concurrent change of the integration or the holder wait, and
 * then see this key: otherwise the key would start, and stay, under what they were before. The guard locks its token: of
 * several that mint at once each counts the keys of those before it.
 *
 * @returns false when the guard does not hold.
 * @throws what `isPlanLimit` knows when the plan allows no more keys.
 */
export async function createKey(
  db: Database,
  key: NewKey,
  rules: readonly ScopeRule[],
  event: AdminEvent,
  mint: { readonly guard: MintGuard | null; readonly now: Date },
): Promise<boolean> {
  const { id, organizationId, integrationId, holderId } = key;
  const { guard, now } = mint;
  const rows = rules.map((rule, position) => ({
    organizationId,
    keyId: id,
    position,
    methods: [...rule.methods],
    path: rule.path,
    query: rule.query ?? null,
  }));
  const statements = [
    ...planGuard(db, organizationId, "keys"),
    db
      .select({ id: integrations.id })
      .from(integrations)
      .where(and(eq(integrations.organizationId, organizationId), eq(integrations.id, integrationId)))
      .for("share"),
    db
      .select({ id: holders.id })
      .from(holders)
      .where(and(eq(holders.organizationId, organizationId), eq(holders.id, holderId)))
      .for("share"),
    db.insert(relayKeys).values({ ...key, state: "active", policyVersion: 1 }),
    db.insert(scopeRules).values(rows),
    db.insert(outbox).values({ id: newId(), organizationId, keyId: id, version: 1 }),
    insertAdminEvent(db, event),
  ] as const;
  if (guard === null) {
    await db.batch(statements);
    return true;
  }
  const lock = db
    .select({ id: managementTokens.id })
    .from(managementTokens)
    .where(and(eq(managementTokens.organizationId, organizationId), eq(managementTokens.id, guard.tokenId)))
    .for("update");
  try {
    await db.batch([lock, db.execute(mayMint(organizationId, guard, now)), ...statements]);
    return true;
  } catch (error) {
    if (hasCode(error, DIVISION_BY_ZERO)) return false;
    throw error;
  }
}

/** Fails, and with it the whole batch, unless the token may still mint: SQL has no plainer way to say so. */
function mayMint(organizationId: string, { tokenId, maxAlive }: MintGuard, now: Date): SQL {
  return sql`
    SELECT 1 / (CASE WHEN token.revoked_at IS NULL
      AND (token.expires_at IS NULL OR token.expires_at > ${timestamp(now)})
      AND (SELECT count(*) FROM ${relayKeys}
        WHERE organization_id = ${organizationId} AND created_by_id = ${tokenId} AND state <> 'revoked'
          AND (expires_at IS NULL OR expires_at > ${timestamp(now)})) < ${maxAlive}::int
      THEN 1 ELSE 0 END)
    FROM ${managementTokens} AS token
    WHERE token.id = ${tokenId} AND token.organization_id = ${organizationId}`;
}

/**
 * Replaces what a key may do, if it is still at the version that the change was worked out from: of two changes at once
 * one wins, and the other has to look again. One statement, so that rules, version, outbox and event go together.
 *
 * @returns the new policy version, or null when the key has moved on (or was revoked, or is not there).
 */
export async function changeKey(
  db: Database,
  organizationId: string,
  keyId: string,
  expectedVersion: number,
  policy: KeyPolicy,
  event: AdminEvent,
): Promise<number | null> {
  const result = await db.execute<{ policy_version: string }>(sql`
    WITH changed AS (
      UPDATE ${relayKeys} SET
        name = ${policy.name}, not_before = ${timestamp(policy.notBefore)}, expires_at = ${timestamp(policy.expiresAt)},
        ip_mode = ${policy.ipMode},
        ip_cidrs = ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(policy.ipCidrs)}::jsonb)),
        limits = ${JSON.stringify(policy.limits)}::jsonb, bindings = ${JSON.stringify(policy.bindings)}::jsonb,
        enforcement = ${policy.enforcement}, policy_version = policy_version + 1
      WHERE id = ${keyId} AND organization_id = ${organizationId}
        AND policy_version = ${expectedVersion} AND state <> 'revoked'
      RETURNING id, organization_id, policy_version
    ), removed AS (
      DELETE FROM ${scopeRules} USING changed
      WHERE key_id = changed.id AND position >= ${policy.rules.length}
    ), kept AS (
      INSERT INTO ${scopeRules} (organization_id, key_id, position, methods, path, query)
      SELECT changed.organization_id, changed.id, rule.ordinality - 1,
        ARRAY(SELECT jsonb_array_elements_text(rule.value->'methods')), rule.value->>'path', rule.value->'query'
      FROM changed, jsonb_array_elements(${JSON.stringify(policy.rules)}::jsonb)
        WITH ORDINALITY AS rule (value, ordinality)
      ON CONFLICT (key_id, position)
        DO UPDATE SET methods = excluded.methods, path = excluded.path, query = excluded.query
    ), ${recordChange(event)}
    SELECT policy_version FROM changed`);
  return readVersion(result.rows);
}

/**
 * Revokes a key for good, whatever its version.
 *
 * @returns the new policy version, or null when it is revoked already (or is not there).
 */
export async function revokeKey(
  db: Database,
  organizationId: string,
  keyId: string,
  revokedAt: Date,
  event: AdminEvent,
): Promise<number | null> {
  const result = await db.execute<{ policy_version: string }>(sql`
    WITH changed AS (
      UPDATE ${relayKeys}
      SET state = 'revoked', revoked_at = ${timestamp(revokedAt)}, policy_version = policy_version + 1
      WHERE id = ${keyId} AND organization_id = ${organizationId} AND state <> 'revoked'
      RETURNING id, organization_id, policy_version
    ), ${recordChange(event)}
    SELECT policy_version FROM changed`);
  return readVersion(result.rows);
}

/** The outbox row and the admin event of a change: written only if `changed` has a row. */
export function recordChange(event: AdminEvent): SQL {
  return sql`queued AS (
      INSERT INTO ${outbox} (id, organization_id, key_id, version)
      SELECT ${newId()}::uuid, organization_id, id, policy_version FROM changed
    ), ${adminEventCte(event)}`;
}

export function readVersion(rows: readonly { readonly policy_version: string }[]): number | null {
  const [row] = rows;
  return row === undefined ? null : Number(row.policy_version);
}

export function timestamp(moment: Date | null): SQL {
  return sql`${moment === null ? null : moment.toISOString()}::timestamptz`;
}
