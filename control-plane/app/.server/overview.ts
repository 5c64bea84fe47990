import { BLOCK_REASONS, isBlockReason } from "@relaykey/core/block-reasons";
import { formatRule } from "@relaykey/core/scope";
import { listAuditEvents } from "@relaykey/db/queries/audit";
import { listKeys } from "@relaykey/db/queries/keys";
import { findOrganization } from "@relaykey/db/queries/organizations";
import type { AppLoadContext } from "@remix-run/cloudflare";

const KEYS = 50;
const EVENTS = 50;

/** What the overview shows. Every member is named: nothing of a row reaches a page by itself. */
export async function readOverview(deps: AppLoadContext["deps"], organizationId: string) {
  const [organization, keys, events] = await Promise.all([
    findOrganization(deps.db, organizationId),
    listKeys(deps.db, organizationId, {}, { limit: KEYS, before: null }),
    listAuditEvents(deps.db, organizationId, {}, EVENTS),
  ]);
  const now = deps.now();
  const names = new Map(keys.map((key) => [key.id, key.name]));
  return {
    organization: organization?.name ?? "",
    keys: keys.map((key) => ({
      id: key.id,
      name: key.name,
      display: key.display,
      holder: key.holder.name,
      integration: key.integration.slug,
      allow: key.rules.map(formatRule),
      state: key.expiresAt !== null && key.expiresAt.getTime() <= now ? ("expired" as const) : key.state,
      isPending: key.enforcedVersion < key.policyVersion,
      expiresAt: key.expiresAt?.toISOString() ?? null,
      lastUsedAt: events.find((event) => event.keyId === key.id)?.at.toISOString() ?? null,
    })),
    events: events.map((event) => ({
      requestId: event.requestId,
      at: event.at.toISOString(),
      key: event.keyId === null ? null : (names.get(event.keyId) ?? null),
      integration: event.integrationSlug,
      method: event.method,
      path: event.path,
      decision: event.decision,
      outcome: event.outcome,
      reason: event.reason !== null && isBlockReason(event.reason) ? BLOCK_REASONS[event.reason].title : null,
      status: event.status,
      ip: event.ip,
      durationMs: event.durationMs,
    })),
  };
}

export type Overview = Awaited<ReturnType<typeof readOverview>>;
