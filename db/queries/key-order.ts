import { and, asc, desc, eq, gte, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { KeyProperty } from "@relaykey/core/key-sort";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";
import { relayKeys } from "../schema/keys.ts";
import { trafficCounts } from "../schema/traffic.ts";
import { matching } from "./keys.ts";
import type { KeyFilter } from "./keys.ts";

export interface KeyOrder {
  readonly by: KeyProperty;
  readonly isDescending: boolean;
  /** Requests count as use from this day on (the first moment of it, UTC). */
  readonly usedSince: Date;
}

/** A place in a sorted list: the entry there, and what it was sorted by. */
export interface KeyPosition {
  /** Text, epoch ms, or a number, as text; null for a key that has none, which comes last both ways. */
  readonly value: string | null;
  readonly id: string;
}

/**
 * The ids of a part of a sorted list: what a page shows of its few keys is read by itself. Equal values are told apart by the id, so
 * each key has one place.
 *
 * @param page.after the last place of the part before.
 */
export async function listKeyPositions(
  db: Database,
  organizationId: string,
  filter: KeyFilter,
  order: KeyOrder,
  page: { readonly limit: number; readonly after: KeyPosition | null },
): Promise<KeyPosition[]> {
  const value = valueOf(organizationId, order);
  const keys = db
    .select({ id: relayKeys.id, value: sql`${value}`.as("value") })
    .from(relayKeys)
    .where(matching(organizationId, filter))
    .as("sorted");
  const shown = isTime(order)
    ? sql<string | null>`(extract(epoch FROM ${keys.value}) * 1000)::bigint::text`
    : sql<string | null>`${keys.value}::text`;
  const [first, second] = order.isDescending
    ? [sql`${keys.value} DESC NULLS LAST`, desc(keys.id)]
    : [sql`${keys.value} ASC NULLS LAST`, asc(keys.id)];
  return db
    .select({ id: keys.id, value: shown })
    .from(keys)
    .where(page.after === null ? undefined : beyond(page.after, order, sql`${keys.value}`, sql`${keys.id}`))
    .orderBy(first, second)
    .limit(page.limit);
}

function beyond({ value, id }: KeyPosition, order: KeyOrder, column: SQL, idColumn: SQL): SQL {
  const past = order.isDescending ? sql`<` : sql`>`;
  if (value === null) return sql`(${column} IS NULL AND ${idColumn} ${past} ${id}::uuid)`;
  const at = readValue(value, order);
  return sql`(${column} ${past} ${at} OR (${column} = ${at} AND ${idColumn} ${past} ${id}::uuid) OR ${column} IS NULL)`;
}

function readValue(value: string, order: KeyOrder): SQL {
  if (isTime(order)) return sql`${new Date(Number(value)).toISOString()}::timestamptz`;
  return order.by === "use" ? sql`${value}::bigint` : sql`${value}::text`;
}

function isTime({ by }: KeyOrder): boolean {
  return by === "expires" || by === "last_used";
}

/** What a key is sorted by. The first two have an index each; the others are one look into an index per key. */
function valueOf(organizationId: string, { by, usedSince }: KeyOrder): SQL {
  switch (by) {
    case "name":
      return sql`lower(${relayKeys.name})`;
    case "expires":
      return sql`${relayKeys.expiresAt}`;
    case "last_used":
      return sql`(SELECT event.at FROM ${auditEvents} AS event WHERE event.key_id = ${relayKeys.id}
        AND event.organization_id = ${organizationId}::uuid ORDER BY event.request_id DESC LIMIT 1)`;
    case "use":
      return sql`(SELECT coalesce(sum(${trafficCounts.requests}), 0)::bigint FROM ${trafficCounts} WHERE ${and(
        eq(trafficCounts.keyId, relayKeys.id),
        eq(trafficCounts.organizationId, organizationId),
        eq(trafficCounts.unit, "day"),
        gte(trafficCounts.startsAt, usedSince),
      )})`;
  }
}
