import { NeonDbError, neon, neonConfig } from "@neondatabase/serverless";
import { drizzle } from "drizzle-orm/neon-http";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import * as access from "./schema/access.ts";
import * as audit from "./schema/audit.ts";
import * as auditChain from "./schema/audit-chain.ts";
import * as custody from "./schema/custody.ts";
import * as holders from "./schema/holders.ts";
import * as integrations from "./schema/integrations.ts";
import * as keys from "./schema/keys.ts";
import * as notices from "./schema/notices.ts";
import * as organizations from "./schema/organizations.ts";
import * as people from "./schema/people.ts";
import * as traffic from "./schema/traffic.ts";

/** Every table, by its name in the application. */
export const schema = {
  ...access,
  ...audit,
  ...auditChain,
  ...custody,
  ...holders,
  ...integrations,
  ...keys,
  ...notices,
  ...organizations,
  ...people,
  ...traffic,
};

/**
 * The database as Workers use it: one HTTP request per statement, or per `batch` (one transaction that rolls back
 * whole). There are no interactive transactions.
 */
export type Database = NeonHttpDatabase<typeof schema>;

/**
 * @param url a PostgreSQL connection string.
 * @param sqlEndpoint where Neon's HTTP protocol is spoken; "" for Neon itself, which is found by the host in `url`.
 */
export function openDatabase(url: string, sqlEndpoint: string): Database {
  if (sqlEndpoint !== "") neonConfig.fetchEndpoint = () => sqlEndpoint;
  return drizzle({ client: neon(url), schema });
}

/** SQLSTATE classes of a server that cannot serve: connection, resources, operator intervention, system (PostgreSQL, app. A). */
const AWAY = /^(?:08|53|57P|58)/;
const MAX_CAUSES = 5;

/** Whether a failure is that of a database which cannot be reached or cannot serve, and not of what it was asked. */
export function isDatabaseAway(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    if (cause instanceof NeonDbError) return cause.code === undefined || AWAY.test(cause.code);
    cause = cause.cause;
  }
  return false;
}
