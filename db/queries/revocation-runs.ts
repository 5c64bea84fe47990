import { sql } from "drizzle-orm";
import { lowestIdAt } from "@relaykey/core/ids";
import type { Database } from "../client.ts";
import { enforcementReceipts, relayKeys } from "../schema/keys.ts";
import { adminAuditEvents } from "../schema/organizations.ts";
import { matching } from "./keys.ts";
import type { KeyFilter } from "./keys.ts";

/** Ids of the keys that a filter matches and that are not revoked, in order. */
export async function liveKeyIds(
  db: Database,
  organizationId: string,
  filter: KeyFilter,
  limit: number,
): Promise<string[]> {
  const { rows } = await db.execute<{ id: string }>(sql`
    SELECT id FROM ${relayKeys} WHERE ${matching(organizationId, filter)} AND state <> 'revoked'
    ORDER BY id LIMIT ${limit}`);
  return rows.map(({ id }) => id);
}

/** The clock of one Worker and that of another agree better than this. */
const AROUND_MS = 600_000;

/**
 * Ids of the keys that one run revoked, as its admin events say, in order.
 *
 * @param run a UUIDv7 of the run, which is made in the moment the run begins.
 */
export async function keyIdsOfRun(db: Database, organizationId: string, run: string): Promise<string[]> {
  const began = Number.parseInt(run.replaceAll("-", "").slice(0, 12), 16);
  const { rows } = await db.execute<{ subject_id: string }>(sql`
    SELECT subject_id FROM ${adminAuditEvents}
    WHERE organization_id = ${organizationId} AND action = 'key.revoked'
      AND id >= ${lowestIdAt(began - AROUND_MS)}::uuid AND id < ${lowestIdAt(began + AROUND_MS)}::uuid
      AND metadata::jsonb ->> 'run' = ${run}
    ORDER BY subject_id`);
  return rows.map(({ subject_id }) => subject_id);
}

/** How far the data plane has confirmed what was done to some keys. */
export interface RunProgress {
  readonly pending: number;
  /** Of the confirmations there are; null while there is none. */
  readonly firstAt: Date | null;
  readonly lastAt: Date | null;
}

/** Counts confirmations of the newest policy of each key. */
export async function progressOf(
  db: Database,
  organizationId: string,
  keyIds: readonly string[],
): Promise<RunProgress> {
  const { rows } = await db.execute<{ pending: string; first: string | null; last: string | null }>(sql`
    SELECT count(*) FILTER (WHERE enforced_version < policy_version) AS pending,
      min(receipt.enforced_at) AS first, max(receipt.enforced_at) AS last
    FROM ${relayKeys}
    LEFT JOIN ${enforcementReceipts} AS receipt
      ON receipt.key_id = ${relayKeys.id} AND receipt.version = ${relayKeys.policyVersion}
    WHERE ${matching(organizationId, { ids: keyIds })}`);
  const [row] = rows;
  const moment = (text: string | null | undefined): Date | null => (text == null ? null : new Date(text));
  return { pending: Number(row?.pending ?? 0), firstAt: moment(row?.first), lastAt: moment(row?.last) };
}
