import { sql } from "drizzle-orm";
import type { Database } from "@relaykey/db/client";
import { ensurePartition, expiryDay } from "@relaykey/db/queries/audit";

const DAY_MS = 86_400_000;
const DAYS = 30;
const RETENTION_DAYS = 365;

/** How much an organization has. */
export interface Size {
  readonly keys: number;
  readonly events: number;
}

/** Of what was filled in, what pages are looked at for. */
export interface Filled {
  readonly keyId: string;
  readonly holderId: string;
  readonly integration: string;
}

/**
 * Gives an organization holders, integrations, keys, and the requests of a month: most of them of few keys, one in nine
 * refused, as it is in life; and the log the partitions of a year, as it has them where events are kept for so long. Written by the
 * database itself, so that half a million take seconds.
 */
export async function fill(
  db: Database,
  organizationId: string,
  { keys, events }: Size,
  log: (line: string) => void,
): Promise<Filled> {
  log(`Filling in ${String(keys)} keys …`);
  await db.execute(sql`
    INSERT INTO holders (id, organization_id, name, kind, locator)
    SELECT gen_random_uuid(), ${organizationId}::uuid, 'service ' || n, 'service', lpad(to_hex(n), 16, '0')
    FROM generate_series(1, greatest(1, ${keys}::int / 20)) AS n`);
  await db.execute(sql`
    INSERT INTO integrations (id, organization_id, slug, name, upstream_origin, timeout_ms, credential, request_headers, dialect,
      secret_version)
    SELECT gen_random_uuid(), ${organizationId}::uuid, 'vendor-' || n, 'Vendor ' || n, 'https://api.vendor-' || n || '.example', 60000,
      '{"kind":"bearer"}'::jsonb, '{}', 'plain', 1
    FROM generate_series(1, 12) AS n`);
  await db.execute(sql`
    WITH holder AS (SELECT id, row_number() OVER (ORDER BY name) - 1 AS n FROM holders WHERE organization_id = ${organizationId}::uuid),
    integration AS (SELECT id, row_number() OVER (ORDER BY name) - 1 AS n FROM integrations WHERE organization_id = ${organizationId}::uuid),
    made AS (
      INSERT INTO relay_keys (id, organization_id, holder_id, integration_id, name, token_hash, display, state, policy_version,
        enforced_version, enforced_at, ip_mode, ip_cidrs, limits, bindings, enforcement, expires_at)
      SELECT relaykey_new_id(), ${organizationId}::uuid, holder.id, integration.id, 'key ' || series.n, 'bench-' || series.n,
        'rk_proxy_…' || lpad(to_hex(series.n), 4, '0'), CASE WHEN series.n % 10 = 0 THEN 'revoked' ELSE 'active' END, 1, 1, now(), 'any', '{}',
        '{"rate":null,"uses":null,"concurrency":null,"maxBodyBytes":null}'::jsonb, '{}'::jsonb, 'lease',
        CASE WHEN series.n % 7 = 0 THEN now() + (series.n % 60) * interval '1 day' END
      FROM generate_series(1, ${keys}::int) AS series (n)
      JOIN holder ON holder.n = series.n % (SELECT count(*) FROM holder)
      JOIN integration ON integration.n = series.n % (SELECT count(*) FROM integration)
      RETURNING id, organization_id
    )
    INSERT INTO scope_rules (organization_id, key_id, position, methods, path)
    SELECT organization_id, id, position, ARRAY['GET'], '/v1/models/' || position || '/*' FROM made, generate_series(0, 2) AS position`);
  log("Making the partitions of a year …");
  for (let day = 0; day <= RETENTION_DAYS; day += 1) {
    await ensurePartition(db, expiryDay({ at: Date.now() - DAY_MS * day, retentionDays: RETENTION_DAYS }));
  }
  for (let day = 0; day < DAYS; day += 1) {
    if (day % 10 === 0) log(`Filling in the requests of day ${String(day + 1)} of ${String(DAYS)} …`);
    // The last day ends now.
    const start = Date.now() - DAY_MS * (DAYS - day);
    await db.execute(dayOfEvents(organizationId, start, Math.ceil(events / DAYS)));
  }
  await db.execute(sql`ANALYZE`);
  const { rows } = await db.execute<Record<"key" | "holder" | "slug", string>>(sql`
    SELECT relay_key.id AS key, relay_key.holder_id AS holder, integration.slug FROM relay_keys AS relay_key
    JOIN integrations AS integration ON integration.id = relay_key.integration_id
    WHERE relay_key.token_hash = 'bench-1'`);
  const [row] = rows;
  if (row === undefined) throw new Error("No key was filled in.");
  return { keyId: row.key, holderId: row.holder, integration: row.slug };
}

/** Requests of one day, spread over it: the lower a key's number, the more of them are its own. */
function dayOfEvents(organizationId: string, start: number, count: number) {
  return sql`
    WITH key AS MATERIALIZED (
      SELECT array_agg(id ORDER BY id) AS ids, array_agg(holder_id ORDER BY id) AS holders,
        array_agg(integration_id ORDER BY id) AS integrations, count(*)::int AS count
      FROM relay_keys WHERE organization_id = ${organizationId}::uuid AND token_hash LIKE 'bench-%'
    ), event AS MATERIALIZED (
      SELECT n, ${start}::bigint + n * ${DAY_MS}::bigint / ${count}::int AS ms,
        1 + floor(power(random(), 3) * key.count)::int AS which, n % 9 = 0 AS is_blocked
      FROM generate_series(0, ${count - 1}::int) AS n, key
    )
    INSERT INTO audit_events (expires_on, request_id, at, organization_id, integration_id, integration_slug, key_id, holder_id, method,
      path, query, decision, reason, outcome, status, upstream_status, ip, user_agent, duration_ms, bytes_in, bytes_out, dropped_headers)
    SELECT (to_timestamp(ms / 1000.0) AT TIME ZONE 'UTC')::date + ${RETENTION_DAYS + 1}::int,
      (overlay(lpad(to_hex(ms), 12, '0') PLACING '-' FROM 9 FOR 0) || '-7' || substr(gen_random_uuid()::text, 16))::uuid,
      to_timestamp(ms / 1000.0), ${organizationId}::uuid, key.integrations[which], 'vendor-' || which % 12 + 1, key.ids[which],
      key.holders[which], CASE WHEN n % 3 = 0 THEN 'POST' ELSE 'GET' END, '/v1/models/' || n % 40 || '/items', NULL,
      CASE WHEN is_blocked THEN 'blocked' ELSE 'allowed' END,
      CASE WHEN is_blocked THEN (ARRAY['scope_path', 'rate_limited', 'ip_not_allowed'])[n % 3 + 1] END,
      'completed', CASE WHEN is_blocked THEN 403 ELSE 200 END, CASE WHEN is_blocked THEN NULL ELSE 200 END,
      '203.0.113.' || which % 250, 'OpenAI/JS 7.57.0', 40 + n % 900, 812, 4100, '{}'
    FROM event, key`;
}
