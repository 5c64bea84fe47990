import { and, asc, desc, eq, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { integrationSecrets, integrations } from "../schema/integrations.ts";

/** The sealed vendor keys of an integration, without any of them. */
export interface CustodyRecord {
  readonly slug: string;
  readonly name: string;
  /** The version in force. */
  readonly version: number;
  readonly versions: number;
  /** When the version in force was stored. */
  readonly storedAt: Date | null;
}

/** What is kept for each integration of an organization. Envelopes are counted, never read. */
export function listCustody(db: Database, organizationId: string, limit: number): Promise<CustodyRecord[]> {
  return db
    .select({
      slug: integrations.slug,
      name: integrations.name,
      version: integrations.secretVersion,
      versions: sql<number>`count(${integrationSecrets.id})`.mapWith(Number),
      storedAt:
        sql<Date | null>`max(${integrationSecrets.createdAt}) FILTER (WHERE ${integrationSecrets.version} = ${integrations.secretVersion})`.mapWith(
          (value: string | null) => (value === null ? null : new Date(value)),
        ),
    })
    .from(integrations)
    .leftJoin(
      integrationSecrets,
      and(
        eq(integrationSecrets.integrationId, integrations.id),
        eq(integrationSecrets.organizationId, organizationId),
      ),
    )
    .where(eq(integrations.organizationId, organizationId))
    .groupBy(integrations.id)
    .orderBy(asc(integrations.name), desc(integrations.id))
    .limit(limit);
}
