import { and, eq, gte, sql } from "drizzle-orm";
import type { UsedRequest } from "@relaykey/core/tighten/index";
import { lowestIdAt } from "@relaykey/core/ids";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";

const DAY_MS = 86_400_000;

/**
 * Requests per day of many keys, for the days from `since` until `until`: one pass over an index that holds all it needs,
 * because a request's id says when it was made. Keys without any are absent.
 *
 * @param since the first moment of a day (UTC).
 */
export async function dailyUse(
  db: Database,
  organizationId: string,
  keyIds: readonly string[],
  since: Date,
  until: Date,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const days = Math.ceil((until.getTime() - since.getTime()) / DAY_MS);
  if (keyIds.length === 0) return new Map();
  const { rows } = await db.execute<{ key_id: string; day: string; requests: string }>(sql`
    SELECT key_id, (('x' || translate(left(request_id::text, 13), '-', ''))::bit(48)::bigint
        - ${since.getTime()}::bigint) / ${DAY_MS}::bigint AS day, count(*) AS requests
    FROM ${auditEvents}
    WHERE organization_id = ${organizationId} AND request_id >= ${lowestIdAt(since.getTime())}::uuid
      AND request_id < ${lowestIdAt(until.getTime())}::uuid
      AND key_id IN (SELECT value::uuid FROM jsonb_array_elements_text(${JSON.stringify(keyIds)}::jsonb))
    GROUP BY 1, 2`);
  const use = new Map<string, number[]>();
  for (const { key_id, day, requests } of rows) {
    const counts = use.get(key_id) ?? new Array<number>(days).fill(0);
    counts[Number(day)] = Number(requests);
    use.set(key_id, counts);
  }
  return use;
}

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
