import { and, asc, desc, eq, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { CustodyProblem } from "@relaykey/core/custody/problems";
import { describeEnvelope } from "@relaykey/core/envelope";
import type { EnvelopeStarts } from "@relaykey/core/envelope";
import type { Database } from "../client.ts";
import { custodyKeys } from "../schema/custody.ts";
import { integrationSecrets, integrations } from "../schema/integrations.ts";
import { adminEventCte } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";
import { timestamp } from "./keys.ts";

/** A customer's key, as an organization set it. */
export interface StoredCustomerKey {
  readonly arn: string;
  readonly publicKey: string;
  /** What names it in envelopes. */
  readonly keyId: string;
  readonly verifiedAt: Date;
}

export interface CustodySetting {
  readonly customerKey: StoredCustomerKey | null;
  /** 0: it was never set. */
  readonly revision: number;
}

/** "current": sealed for the keys that are set. "failed": it could not be rewrapped, and is tried again. */
export type SealState = "current" | "pending" | "failed";

/** The sealed vendor keys of an integration, without any of them. */
export interface CustodyRecord {
  readonly slug: string;
  readonly name: string;
  /** The version in force. */
  readonly version: number;
  readonly versions: number;
  /** When the version in force was stored. */
  readonly storedAt: Date | null;
  /** For whom it is sealed; null where it cannot be read. */
  readonly provider: "local" | "aws-kms" | null;
  readonly keyId: string | null;
  /** Since when. */
  readonly sealedAt: Date | null;
  readonly state: SealState;
  readonly problem: CustodyProblem | null;
}

export interface RewrapProgress {
  readonly total: number;
  readonly current: number;
  readonly failed: number;
}

export async function findCustody(db: Database, organizationId: string): Promise<CustodySetting> {
  const [row] = await db.select().from(custodyKeys).where(eq(custodyKeys.organizationId, organizationId));
  if (row === undefined) return { customerKey: null, revision: 0 };
  const { keyArn: arn, publicKey, keyId, verifiedAt, revision } = row;
  const isSet = arn !== null && publicKey !== null && keyId !== null && verifiedAt !== null;
  return { customerKey: isSet ? { arn, publicKey, keyId, verifiedAt } : null, revision };
}

/**
 * Sets for whom an organization's vendor keys are sealed. What could not be rewrapped before is due at once.
 *
 * @param expected the revision that the setting must be at; null = any.
 * @returns false when it is at another.
 */
export async function setCustody(
  db: Database,
  organizationId: string,
  key: StoredCustomerKey | null,
  change: { readonly now: Date; readonly expected: number | null; readonly event: AdminEvent },
): Promise<boolean> {
  const { now, expected, event } = change;
  const values = sql`${key?.arn ?? null}::text, ${key?.publicKey ?? null}::text, ${key?.keyId ?? null}::text,
    ${timestamp(key?.verifiedAt ?? null)}, ${timestamp(now)}`;
  const changed = await db.execute(sql`
    WITH changed AS (
      INSERT INTO ${custodyKeys} AS kept (organization_id, key_arn, public_key, key_id, verified_at, changed_at)
      VALUES (${organizationId}::uuid, ${values})
      ON CONFLICT (organization_id) DO UPDATE SET (key_arn, public_key, key_id, verified_at, changed_at) = ROW(${values}),
        revision = kept.revision + 1
      WHERE ${expected}::int IS NULL OR kept.revision = ${expected}::int
      RETURNING organization_id AS id
    ), due AS (
      UPDATE ${integrationSecrets} AS secret
      SET rewrap_problem = NULL, rewrap_failures = 0, rewrap_due_at = NULL
      FROM changed WHERE secret.organization_id = changed.id AND secret.envelope <> ''
    ), ${adminEventCte(event)}
    SELECT id FROM changed`);
  return changed.rows.length > 0;
}

/** What is kept for each integration of an organization. Envelopes are described, never handed on. */
export async function listCustody(
  db: Database,
  organizationId: string,
  starts: EnvelopeStarts,
  limit: number,
): Promise<CustodyRecord[]> {
  const rows = await db
    .select({
      slug: integrations.slug,
      name: integrations.name,
      version: integrations.secretVersion,
      versions:
        sql<number>`(SELECT count(*) FROM ${integrationSecrets} AS each WHERE each.integration_id = ${integrations.id})`.mapWith(
          Number,
        ),
      envelope: integrationSecrets.envelope,
      storedAt: integrationSecrets.createdAt,
      rewrappedAt: integrationSecrets.rewrappedAt,
      problem: integrationSecrets.rewrapProblem,
      isCurrent: isCurrent(starts).mapWith(Boolean),
    })
    .from(integrations)
    .leftJoin(
      integrationSecrets,
      and(
        eq(integrationSecrets.integrationId, integrations.id),
        eq(integrationSecrets.organizationId, organizationId),
        eq(integrationSecrets.version, integrations.secretVersion),
      ),
    )
    .leftJoin(custodyKeys, eq(custodyKeys.organizationId, integrations.organizationId))
    .where(eq(integrations.organizationId, organizationId))
    .orderBy(asc(integrations.name), desc(integrations.id))
    .limit(limit);
  return rows.map(({ envelope, storedAt, rewrappedAt, isCurrent: current, problem, ...row }) => ({
    ...row,
    ...described(envelope ?? ""),
    storedAt,
    sealedAt: rewrappedAt ?? storedAt,
    state: current ? "current" : problem === null ? "pending" : "failed",
    problem: current ? null : problem,
  }));
}

/** How many of the vendor keys that are kept, those that can be restored included, are sealed for the keys that are set. */
export async function rewrapProgress(
  db: Database,
  organizationId: string,
  starts: EnvelopeStarts,
): Promise<RewrapProgress> {
  const current = isCurrent(starts);
  const [row] = await db
    .select({
      total: sql`count(*)`.mapWith(Number),
      current: sql`count(*) FILTER (WHERE ${current})`.mapWith(Number),
      failed:
        sql`count(*) FILTER (WHERE NOT ${current} AND ${integrationSecrets.rewrapProblem} IS NOT NULL)`.mapWith(
          Number,
        ),
    })
    .from(integrationSecrets)
    .leftJoin(custodyKeys, eq(custodyKeys.organizationId, integrationSecrets.organizationId))
    .where(and(eq(integrationSecrets.organizationId, organizationId), ne(integrationSecrets.envelope, "")));
  return row ?? { total: 0, current: 0, failed: 0 };
}

/** Whether an envelope is sealed for the keys that are set: its text says so by how it begins. */
export function isCurrent({ local, customer: [before, between, after] }: EnvelopeStarts): SQL {
  return sql`starts_with(${integrationSecrets.envelope}, CASE WHEN ${custodyKeys.keyArn} IS NULL THEN ${local}::text
    ELSE concat(${before}::text, ${custodyKeys.keyArn}, ${between}::text, ${custodyKeys.keyId}, ${after}::text) END)`;
}

function described(envelope: string): Pick<CustodyRecord, "provider" | "keyId"> {
  try {
    return describeEnvelope(envelope);
  } catch {
    return { provider: null, keyId: null };
  }
}
