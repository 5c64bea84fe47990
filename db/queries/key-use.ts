import { and, eq, gte, sql } from "drizzle-orm";
import type { UsedRequest } from "@relaykey/core/tighten/index";
import { lowestIdAt } from "@relaykey/core/ids";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";

/**
 * The kinds of requests that were let through under a key since a moment, those made most often first.
 *
 * @param limit of kinds; ask for one more than can be used to know whether there are more.
 */
export async function usedRequests(
  db: Database,
  organizationId: string,
  keyId: string,
  since: Date,
  limit: number,
): Promise<UsedRequest[]> {
  const { method, path, query } = auditEvents;
  const count = sql<number>`count(*)`.mapWith(Number);
  return db
    .select({ method, path, query, count })
    .from(auditEvents)
    .where(
      and(
        eq(auditEvents.organizationId, organizationId),
        eq(auditEvents.keyId, keyId),
        gte(auditEvents.requestId, lowestIdAt(since.getTime())),
        eq(auditEvents.decision, "allowed"),
      ),
    )
    .groupBy(method, path, query)
    .orderBy(sql`count(*) DESC`, method, path)
    .limit(limit);
}
