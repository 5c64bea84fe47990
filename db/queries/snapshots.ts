import { and, eq, sql } from "drizzle-orm";
import type { IntegrationSnapshot } from "@relaykey/core/integration";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import type { ScopeRule } from "@relaykey/core/scope";
import type { Database } from "../client.ts";
import { holders } from "../schema/holders.ts";
import { integrationSecrets, integrations } from "../schema/integrations.ts";
import { relayKeys } from "../schema/keys.ts";
import { organizations } from "../schema/organizations.ts";
import { ruleList } from "./keys.ts";

/**
 * Builds the wire snapshot of a key. It is one statement, so that what it holds and the version it carries were true at
 * one moment: a snapshot of version N never holds the rules of N + 1.
 *
 * @returns null when the organization has no such key.
 */
export async function loadSnapshot(
  db: Database,
  organizationId: string,
  keyId: string,
): Promise<PolicySnapshot | null> {
  const [row] = await db
    .select({
      key: relayKeys,
      holder: holders,
      integration: integrations,
      envelope: integrationSecrets.envelope,
      organization: {
        name: organizations.name,
        // One that waits for its deletion admits nothing either.
        frozen: sql<boolean>`(${organizations.frozen} OR ${organizations.deleteAfter} IS NOT NULL)`,
        auditRetentionDays: organizations.auditRetentionDays,
        confirmation: organizations.confirmation,
      },
      rules: ruleList,
    })
    .from(relayKeys)
    .innerJoin(organizations, eq(organizations.id, relayKeys.organizationId))
    .innerJoin(holders, eq(holders.id, relayKeys.holderId))
    .innerJoin(integrations, eq(integrations.id, relayKeys.integrationId))
    .innerJoin(
      integrationSecrets,
      and(
        eq(integrationSecrets.integrationId, integrations.id),
        eq(integrationSecrets.version, integrations.secretVersion),
      ),
    )
    .where(and(eq(relayKeys.organizationId, organizationId), eq(relayKeys.id, keyId)));
  return row === undefined ? null : toSnapshot(row);
}

interface Row {
  readonly key: typeof relayKeys.$inferSelect;
  readonly holder: typeof holders.$inferSelect;
  readonly integration: typeof integrations.$inferSelect;
  readonly envelope: string;
  readonly organization: Pick<
    typeof organizations.$inferSelect,
    "name" | "frozen" | "auditRetentionDays" | "confirmation"
  >;
  readonly rules: ScopeRule[];
}

function toSnapshot(row: Row): PolicySnapshot {
  const { key, holder, integration, envelope, organization, rules } = row;
  return {
    format: 1,
    name: key.name,
    version: key.policyVersion,
    keyId: key.id,
    organizationId: key.organizationId,
    holderId: holder.id,
    holderLocator: holder.locator,
    tokenHash: key.tokenHash,
    display: key.display,
    state: key.state === "active" && (holder.frozen || organization.frozen) ? "frozen" : key.state,
    notBefore: key.notBefore?.getTime() ?? null,
    expiresAt: key.expiresAt?.getTime() ?? null,
    integration: integrationSnapshot(integration, { version: integration.secretVersion, envelope }),
    rules,
    bindings: key.bindings,
    ip: key.ipMode === "allowlist" ? { mode: "allowlist", cidrs: key.ipCidrs } : { mode: key.ipMode },
    confirmation: { ...organization.confirmation, ...holder.confirmation },
    limits: key.limits,
    enforcement: key.enforcement,
    holder: {
      kind: holder.kind,
      name: holder.name,
      email: holder.email,
      mailable: holder.mailState === "ok",
      limits: holder.limits,
    },
    freezesLifted: key.freezesLifted,
    organizationName: organization.name,
    auditRetentionDays: organization.auditRetentionDays,
  };
}

/** The members of an integration that the data plane needs to know, stored or about to be. */
export type DescribedIntegration = Omit<IntegrationSnapshot, "upstream" | "secret"> & {
  readonly upstreamOrigin: string;
  readonly upstreamBasePath: string;
  readonly timeoutMs: number;
};

export function integrationSnapshot(
  integration: DescribedIntegration,
  secret: IntegrationSnapshot["secret"],
): IntegrationSnapshot {
  return {
    id: integration.id,
    slug: integration.slug,
    enabled: integration.enabled,
    upstream: {
      origin: integration.upstreamOrigin,
      basePath: integration.upstreamBasePath,
      timeoutMs: integration.timeoutMs,
    },
    credential: integration.credential,
    secret,
    requestHeaders: integration.requestHeaders,
    dialect: integration.dialect,
    allowEncodedSlash: integration.allowEncodedSlash,
    logQuery: integration.logQuery,
    responseCookies: integration.responseCookies,
    scrubResponses: integration.scrubResponses,
  };
}
