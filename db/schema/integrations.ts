import { boolean, integer, jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import type { CredentialPlacement } from "@relaykey/core/credential";
import type { CustodyProblem } from "@relaykey/core/custody/problems";
import { DIALECTS } from "@relaykey/core/integration";
import { createdAt, id, moment, organizationId } from "./columns.ts";
import { organizations } from "./organizations.ts";

/** A vendor's API as an organization uses it. */
export const integrations = pgTable(
  "integrations",
  {
    id: id(),
    organizationId: organizationId().references(() => organizations.id),
    slug: text("slug").notNull(),
    name: text("name").notNull(),
    /** The catalogue entry it was made from: what its SDK reads, how its key is tried out. null: none. */
    catalogue: text("catalogue"),
    enabled: boolean("enabled").notNull().default(true),
    upstreamOrigin: text("upstream_origin").notNull(),
    upstreamBasePath: text("upstream_base_path").notNull().default(""),
    timeoutMs: integer("timeout_ms").notNull(),
    credential: jsonb("credential").$type<CredentialPlacement>().notNull(),
    requestHeaders: text("request_headers").array().notNull(),
    dialect: text("dialect", { enum: DIALECTS }).notNull(),
    allowEncodedSlash: boolean("allow_encoded_slash").notNull().default(false),
    logQuery: boolean("log_query").notNull().default(false),
    /** Whether the upstream's cookies reach callers. */
    responseCookies: boolean("response_cookies").notNull().default(false),
    /** Whether a vendor key that the upstream repeats is blotted out. */
    scrubResponses: boolean("scrub_responses").notNull().default(true),
    /** The version of the sealed vendor key in force. */
    secretVersion: integer("secret_version").notNull(),
    /** Whether the vendor accepts the key, as its answers of late show. */
    health: text("health", { enum: ["unknown", "ok", "failing"] })
      .notNull()
      .default("unknown"),
    healthAt: moment("health_at"),
    revision: integer("revision").notNull().default(1),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("integrations_slug").on(table.organizationId, table.slug)],
);

/**
 * Sealed vendor keys, one row per version: ciphertext that only the proxy can open. The envelope is empty once the version
 * can no longer be restored; the row stays, so that a version number always means the same key.
 */
export const integrationSecrets = pgTable(
  "integration_secrets",
  {
    id: id(),
    organizationId: organizationId().references(() => organizations.id),
    integrationId: uuid("integration_id")
      .notNull()
      .references(() => integrations.id),
    version: integer("version").notNull(),
    envelope: text("envelope").notNull(),
    /** Until when a version that was replaced can be put back in force; null: it is in force, or destroyed. */
    restorableUntil: moment("restorable_until"),
    /** When its data key was wrapped anew for another key; null: it is as it was sealed. */
    rewrappedAt: moment("rewrapped_at"),
    /** Why that could not be done the last time, of CUSTODY_PROBLEMS; it is tried again from `rewrapDueAt` on. */
    rewrapProblem: text("rewrap_problem").$type<CustodyProblem>(),
    rewrapFailures: integer("rewrap_failures").notNull().default(0),
    rewrapDueAt: moment("rewrap_due_at"),
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("integration_secrets_version").on(table.integrationId, table.version)],
);
