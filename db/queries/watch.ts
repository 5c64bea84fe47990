import { and, eq, ne, sql } from "drizzle-orm";
import { lowestIdAt } from "@relaykey/core/ids";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";
import { integrations } from "../schema/integrations.ts";
import { inPartitions } from "./audit.ts";

/** Where newly written events are: so that looking around them touches few partitions. */
export interface WrittenDays {
  /** YYYY-MM-DD */
  readonly days: readonly string[];
}

/** How many requests of a key were refused of late. */
export interface BlockedKey {
  readonly keyId: string;
  readonly organizationId: string;
  readonly holderId: string | null;
  readonly integrationId: string | null;
  readonly name: string;
  readonly count: number;
  /** The most frequent reason. */
  readonly reason: string;
}

/** Keys of these with at least so many refused requests since a moment, and no storm noticed since another. */
export async function blockedKeys(
  db: Database,
  keyIds: readonly string[],
  { days }: WrittenDays,
  storm: {
    readonly since: Date;
    readonly atLeast: number;
    readonly quietSince: Date;
    readonly without: readonly string[];
  },
): Promise<BlockedKey[]> {
  if (keyIds.length === 0) return [];
  const { rows } = await db.execute<Record<string, string | null>>(sql`
    SELECT relay_key.id, relay_key.organization_id, relay_key.holder_id, relay_key.integration_id, relay_key.name,
      blocked.count, blocked.reason
    FROM jsonb_array_elements_text(${JSON.stringify(keyIds)}::jsonb) AS asked
    JOIN relay_keys AS relay_key ON relay_key.id = asked.value::uuid,
    LATERAL (
      SELECT count(*) AS count, mode() WITHIN GROUP (ORDER BY event.reason) AS reason FROM ${auditEvents} AS event
      WHERE event.key_id = relay_key.id AND event.organization_id = relay_key.organization_id
        AND event.request_id >= ${lowestIdAt(storm.since.getTime())}::uuid AND event.decision = 'blocked'
        AND ${inPartitions(days, sql`event.expires_on`)}
        AND event.reason NOT IN (SELECT jsonb_array_elements_text(${JSON.stringify(storm.without)}::jsonb))
    ) AS blocked
    WHERE blocked.count >= ${storm.atLeast} AND NOT EXISTS (
      SELECT 1 FROM notices WHERE notices.organization_id = relay_key.organization_id AND notices.key_id = relay_key.id
        AND notices.type = 'key.blocked_storm' AND notices.at > ${storm.quietSince.toISOString()}::timestamptz)`);
  return rows.map((row) => ({
    keyId: row["id"] ?? "",
    organizationId: row["organization_id"] ?? "",
    holderId: row["holder_id"] ?? null,
    integrationId: row["integration_id"] ?? null,
    name: row["name"] ?? "",
    count: Number(row["count"]),
    reason: row["reason"] ?? "",
  }));
}

/** An integration, and what its vendor answered last. */
export interface VendorAnswers {
  readonly integrationId: string;
  readonly organizationId: string;
  readonly slug: string;
  readonly health: (typeof integrations.$inferSelect)["health"];
  readonly healthAt: Date | null;
  /** The newest first. */
  readonly statuses: readonly number[];
}

/** The last answers of these integrations' vendors to requests that were let through. */
export async function vendorAnswers(
  db: Database,
  integrationIds: readonly string[],
  { days }: WrittenDays,
  limit: number,
): Promise<VendorAnswers[]> {
  if (integrationIds.length === 0) return [];
  const { rows } = await db.execute<Record<string, string | null>>(sql`
    SELECT integration.id, integration.organization_id, integration.slug, integration.health, integration.health_at,
      array_to_string(ARRAY(
        SELECT event.upstream_status FROM ${auditEvents} AS event
        WHERE event.organization_id = integration.organization_id AND event.integration_id = integration.id
          AND event.upstream_status IS NOT NULL
          AND ${inPartitions(days, sql`event.expires_on`)}
          AND event.at > coalesce(integration.health_at, '-infinity'::timestamptz)
        ORDER BY event.request_id DESC LIMIT ${limit}), ',') AS statuses
    FROM jsonb_array_elements_text(${JSON.stringify(integrationIds)}::jsonb) AS asked
    JOIN integrations AS integration ON integration.id = asked.value::uuid`);
  return rows.map((row) => ({
    integrationId: row["id"] ?? "",
    organizationId: row["organization_id"] ?? "",
    slug: row["slug"] ?? "",
    health: row["health"] === "ok" || row["health"] === "failing" ? row["health"] : "unknown",
    healthAt: row["health_at"] == null ? null : new Date(row["health_at"]),
    statuses: (row["statuses"] ?? "")
      .split(",")
      .filter((text) => text !== "")
      .map(Number),
  }));
}

/** Notes a vendor's health as its answers show it, if it is another than before. */
export async function noteHealth(
  db: Database,
  { organizationId, integrationId }: Pick<VendorAnswers, "organizationId" | "integrationId">,
  health: "ok" | "failing",
  now: Date,
): Promise<void> {
  await db
    .update(integrations)
    .set({ health, healthAt: now })
    .where(
      and(
        eq(integrations.organizationId, organizationId),
        eq(integrations.id, integrationId),
        ne(integrations.health, health),
      ),
    );
}
