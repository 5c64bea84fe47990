import { getTableName, sql } from "drizzle-orm";
import { tenantTables } from "@relaykey/db/queries/deletion";
import type { World } from "./world.ts";

/** When and from where a token was used: noted once a minute, whatever it is used for. */
const NOTED_ON_THE_WAY = "{last_used_at,last_used_ip}";

/** All that an organization has, and all that the data plane was told of it, as one text: whatever changes there changes it. */
export async function stateOfOrganization(world: World, id: string): Promise<string> {
  const parts: string[] = [];
  for (const table of tenantTables()) {
    const { rows } = await world.db.execute<{ digest: string | null }>(sql`
      SELECT md5(string_agg(kept, '|' ORDER BY kept)) AS digest
      FROM (SELECT (to_jsonb(t) - ${NOTED_ON_THE_WAY}::text[])::text AS kept FROM ${table} AS t
        WHERE t.organization_id = ${id}::uuid) AS tenant`);
    parts.push(`${getTableName(table)} ${rows[0]?.digest ?? "-"}`);
  }
  const { rows } = await world.db.execute(
    sql`SELECT md5(o::text) AS digest FROM organizations AS o WHERE id = ${id}::uuid`,
  );
  const told = world.keyControl.applied.filter(({ organizationId }) => organizationId === id).length;
  return [...parts, JSON.stringify(rows), String(told)].join("\n");
}
