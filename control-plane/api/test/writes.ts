import { sql } from "drizzle-orm";
import type { Database } from "@relaykey/db/client";

/**
 * Tables whose changes are no act of anybody's, by why. All others, also those that do not exist yet, are changed only in a
 * transaction that writes an admin event.
 */
const NOT_ACTS: Readonly<Record<string, string>> = {
  admin_audit_events: "what is written about acts",
  throttles: "counts",
  usage_days: "counts",
  traffic_counts: "counts",
  idempotency_keys: "answers that are kept to be repeated",
  outbox: "what the data plane is still to be told",
  enforcement_receipts: "what the data plane has confirmed",
  notices: "news of what happened",
  alerts: "news on its way",
  webhook_deliveries: "news on its way",
  challenges: "a ceremony under way",
  sign_in_attempts: "a ceremony under way",
  device_logins: "a ceremony under way",
  users: "an address that was proven",
  stripe_events: "what Stripe has told",
  schema_migrations: "of the installation",
  public_mail_domains: "of the installation",
};

/** Columns that follow what happens by itself: they say when something was seen, or how far the data plane is. */
const NOT_ACTS_BY_COLUMN: Readonly<Record<string, readonly string[]>> = {
  relay_keys: ["enforced_version", "enforced_at"],
  management_tokens: ["last_used_at", "last_used_ip"],
  integrations: ["health", "health_at"],
  webhook_endpoints: ["failing_since"],
  passkeys: ["counter", "last_used_at"],
  // What a browser shows, and how lately its person has proven themselves.
  sessions: ["last_seen_at", "ip", "user_agent", "strong_until", "organization_id"],
};

/** What acts wrote since the last look. */
export interface Writes {
  /** "UPDATE relay_keys", each once. */
  readonly written: readonly string[];
  /** Those that were written in a transaction without an admin event. */
  readonly unaccounted: readonly string[];
  /** How many transactions wrote admin events. */
  readonly told: number;
}

/** Watches, in the database itself, whether acts are written together with their admin events. */
export async function watchWrites(db: Database): Promise<() => Promise<Writes>> {
  await db.execute(sql`CREATE TABLE watched_writes (tx text NOT NULL, what text NOT NULL)`);
  await db.execute(sql`
    CREATE FUNCTION watch_write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - TG_ARGV[0]::text[] = to_jsonb(NEW) - TG_ARGV[0]::text[] THEN RETURN NULL; END IF;
      INSERT INTO watched_writes VALUES (pg_current_xact_id()::text, TG_OP || ' ' || TG_TABLE_NAME);
      RETURN NULL;
    END $$`);
  const { rows } = await db.execute<{ name: string }>(sql`
    SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      AND NOT relispartition AND relname NOT LIKE 'audit%' AND relname <> 'watched_writes'`);
  for (const { name } of rows) {
    if (name in NOT_ACTS && name !== "admin_audit_events") continue;
    const columns = `{${(NOT_ACTS_BY_COLUMN[name] ?? []).join(",")}}`;
    await db.execute(
      sql.raw(`CREATE TRIGGER watch_write AFTER INSERT OR UPDATE OR DELETE ON "${name}"
        FOR EACH ROW EXECUTE FUNCTION watch_write('${columns}')`),
    );
  }
  return async () => {
    const { rows: seen } = await db.execute<{ tx: string; what: string }>(
      sql`DELETE FROM watched_writes RETURNING tx, what`,
    );
    const told = new Set(seen.filter(({ what }) => what === EVENT).map(({ tx }) => tx));
    const acts = seen.filter(({ what }) => what !== EVENT);
    const names = (some: typeof acts) => [...new Set(some.map(({ what }) => what))].sort();
    return {
      written: names(acts),
      unaccounted: names(acts.filter(({ tx }) => !told.has(tx))),
      told: told.size,
    };
  };
}

const EVENT = "INSERT admin_audit_events";
