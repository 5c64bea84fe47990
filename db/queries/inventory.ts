import { and, eq, isNotNull, isNull, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";
import { holders } from "../schema/holders.ts";
import { integrations } from "../schema/integrations.ts";
import { relayKeys } from "../schema/keys.ts";
import { domainClaims } from "../schema/people.ts";

/** How many keys belong to one integration or one holder. */
export interface KeyCount {
  /** Neither revoked nor expired. */
  readonly live: number;
  readonly all: number;
}

/** Keys by what they belong to. What has none is absent. */
export async function countKeysBy(
  db: Database,
  organizationId: string,
  owner: "integration" | "holder",
  now: Date,
): Promise<ReadonlyMap<string, KeyCount>> {
  const column = owner === "integration" ? relayKeys.integrationId : relayKeys.holderId;
  const alive = sql`${relayKeys.state} <> 'revoked' AND (${relayKeys.expiresAt} IS NULL OR ${relayKeys.expiresAt} > ${now.toISOString()}::timestamptz)`;
  const rows = await db
    .select({
      id: column,
      live: sql<number>`count(*) FILTER (WHERE ${alive})`.mapWith(Number),
      all: sql<number>`count(*)`.mapWith(Number),
    })
    .from(relayKeys)
    .where(eq(relayKeys.organizationId, organizationId))
    .groupBy(column);
  return new Map(rows.map(({ id, live, all }) => [id, { live, all }]));
}

/** How far an organization has come: ids of the first of each, null where there is none yet. */
export interface FirstSteps {
  readonly domain: string | null;
  readonly integration: { readonly id: string; readonly slug: string } | null;
  /** Whether a vendor accepted a key that was tried, or in use. */
  readonly isTested: boolean;
  readonly key: { readonly id: string; readonly name: string } | null;
  readonly request: { readonly id: string; readonly keyId: string | null } | null;
}

/** One round trip: the page asks again and again until the first request is there. */
export async function findFirstSteps(db: Database, organizationId: string): Promise<FirstSteps> {
  const [domain, integration, tested, key, request] = await db.batch([
    db
      .select({ domain: domainClaims.domain })
      .from(domainClaims)
      .where(and(eq(domainClaims.organizationId, organizationId), isNull(domainClaims.releasedAt)))
      .limit(1),
    db
      .select({ id: integrations.id, slug: integrations.slug })
      .from(integrations)
      .where(eq(integrations.organizationId, organizationId))
      .orderBy(integrations.id)
      .limit(1),
    db
      .select({ id: integrations.id })
      .from(integrations)
      .where(and(eq(integrations.organizationId, organizationId), eq(integrations.health, "ok")))
      .limit(1),
    db
      .select({ id: relayKeys.id, name: relayKeys.name })
      .from(relayKeys)
      .where(eq(relayKeys.organizationId, organizationId))
      .orderBy(relayKeys.id)
      .limit(1),
    db
      .select({ id: auditEvents.requestId, keyId: auditEvents.keyId })
      .from(auditEvents)
      .where(and(eq(auditEvents.organizationId, organizationId), isNotNull(auditEvents.keyId)))
      .orderBy(auditEvents.requestId)
      .limit(1),
  ]);
  return {
    domain: domain[0]?.domain ?? null,
    integration: integration[0] ?? null,
    isTested: tested.length > 0,
    key: key[0] ?? null,
    request: request[0] ?? null,
  };
}

/** Names to choose from in forms and filters, by name. */
export async function listNames(
  db: Database,
  organizationId: string,
  limit: number,
): Promise<{
  readonly integrations: { readonly slug: string; readonly name: string; readonly enabled: boolean }[];
  readonly holders: { readonly id: string; readonly name: string; readonly kind: string }[];
}> {
  const [integrationNames, holderNames] = await db.batch([
    db
      .select({ slug: integrations.slug, name: integrations.name, enabled: integrations.enabled })
      .from(integrations)
      .where(eq(integrations.organizationId, organizationId))
      .orderBy(integrations.name)
      .limit(limit),
    db
      .select({ id: holders.id, name: holders.name, kind: holders.kind })
      .from(holders)
      .where(eq(holders.organizationId, organizationId))
      .orderBy(holders.name)
      .limit(limit),
  ]);
  return { integrations: integrationNames, holders: holderNames };
}
