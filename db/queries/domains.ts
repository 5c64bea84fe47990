import { and, asc, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { domainClaims, publicMailDomains } from "../schema/people.ts";
import { adminEventCte, insertAdminEvent } from "./admin-events.ts";
import type { AdminEvent } from "./admin-events.ts";

/** The index that makes a domain belong to one organization at a time. */
export const DOMAIN_HELD_INDEX = "domain_claims_held";

export type DomainClaim = typeof domainClaims.$inferSelect;

/** Domains that an organization holds. */
export async function listDomains(db: Database, organizationId: string): Promise<DomainClaim[]> {
  return db
    .select()
    .from(domainClaims)
    .where(and(eq(domainClaims.organizationId, organizationId), isNull(domainClaims.releasedAt)))
    .orderBy(asc(domainClaims.domain));
}

/** Which organization holds a domain; null when none does. Across organizations: it tells strangers apart from colleagues. */
export async function findDomainHolder(db: Database, domain: string): Promise<string | null> {
  const [row] = await db
    .select({ organizationId: domainClaims.organizationId })
    .from(domainClaims)
    .where(and(eq(domainClaims.domain, domain), isNull(domainClaims.releasedAt)));
  return row?.organizationId ?? null;
}

/** Whether one of these domains gives addresses to anybody. */
export async function isPublicMailDomain(db: Database, domains: readonly string[]): Promise<boolean> {
  const rows = await db
    .select({ domain: publicMailDomains.domain })
    .from(publicMailDomains)
    .where(inArray(publicMailDomains.domain, [...domains]))
    .limit(1);
  return rows.length > 0;
}

/** A statement for a batch. It fails on DOMAIN_HELD_INDEX when the domain is held already. */
export function insertDomainClaim(
  db: Database,
  claim: { readonly id: string; readonly organizationId: string; readonly domain: string },
) {
  return db.insert(domainClaims).values(claim);
}

export async function claimDomain(
  db: Database,
  claim: { readonly id: string; readonly organizationId: string; readonly domain: string },
  event: AdminEvent,
): Promise<void> {
  await db.batch([insertDomainClaim(db, claim), insertAdminEvent(db, event)]);
}

/** @returns whether the organization held it. */
export async function releaseDomain(
  db: Database,
  organizationId: string,
  release: { readonly id: string; readonly now: Date; readonly event: AdminEvent },
): Promise<boolean> {
  const { rows } = await db.execute(sql`
    WITH changed AS (
      UPDATE ${domainClaims} SET released_at = ${release.now.toISOString()}::timestamptz
      WHERE ${domainClaims.organizationId} = ${organizationId}::uuid AND ${domainClaims.id} = ${release.id}::uuid
        AND ${domainClaims.releasedAt} IS NULL
      RETURNING id
    ), ${adminEventCte(release.event)}
    SELECT id FROM changed`);
  return rows.length > 0;
}
