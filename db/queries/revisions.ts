import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import type { Database } from "../client.ts";
import { DIVISION_BY_ZERO, hasCode } from "./conflicts.ts";

/**
 * Statements for the beginning of a batch: they lock a row and fail, and with them the whole batch, unless the row is at
 * the revision that a change was worked out from. The second one reads what is there once the lock is held.
 */
export function revisionGuard(
  db: Database,
  table: PgTable,
  organizationId: string,
  id: string,
  expected: number | null,
) {
  const which = sql`FROM ${table} WHERE id = ${id} AND ${ownerOf(table, organizationId)}`;
  const holds: SQL =
    expected === null
      ? sql`SELECT 1`
      : sql`SELECT 1 / (CASE WHEN revision = ${expected}::int THEN 1 ELSE 0 END) ${which}`;
  return [db.execute(sql`SELECT id ${which} FOR UPDATE`), db.execute(holds)] as const;
}

/** Whether a batch failed because its guard did not hold. */
export function isStale(error: unknown): boolean {
  return hasCode(error, DIVISION_BY_ZERO);
}

function ownerOf(table: PgTable, organizationId: string): SQL {
  // An organization is its own.
  return "organizationId" in table ? sql`organization_id = ${organizationId}` : sql`id = ${organizationId}`;
}
