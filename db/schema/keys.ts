import { sql } from "drizzle-orm";
import { bigint, index, integer, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { ENFORCEMENTS } from "@relaykey/core/enforcement";
import type { Limits } from "@relaykey/core/limits";
import type { QueryRule } from "@relaykey/core/scope";
import { createdAt, id, moment, organizationId } from "./columns.ts";
import { holders } from "./holders.ts";
import { integrations } from "./integrations.ts";
import { organizations } from "./organizations.ts";

/** RelayKeys. The token itself is nowhere: only its hash and its display form. */
export const relayKeys = pgTable(
  "relay_keys",
  {
    id: id(),
    organizationId: organizationId().references(() => organizations.id),
    holderId: uuid("holder_id")
      .notNull()
      .references(() => holders.id),
    integrationId: uuid("integration_id")
      .notNull()
      .references(() => integrations.id),
    name: text("name").notNull(),
    tokenHash: text("token_hash").notNull().unique(),
    display: text("display").notNull(),
    state: text("state", { enum: ["active", "revoked", "frozen"] }).notNull(),
    /** Rises with every change that the data plane must know of. */
    policyVersion: bigint("policy_version", { mode: "number" }).notNull(),
    /** The version the data plane has confirmed; lower than `policyVersion` = pending. */
    enforcedVersion: bigint("enforced_version", { mode: "number" }).notNull().default(0),
    enforcedAt: moment("enforced_at"),
    notBefore: moment("not_before"),
    expiresAt: moment("expires_at"),
    ipMode: text("ip_mode", { enum: ["any", "allowlist", "confirm"] }).notNull(),
    ipCidrs: text("ip_cidrs").array().notNull(),
    limits: jsonb("limits").$type<Limits>().notNull(),
    bindings: jsonb("bindings").$type<Record<string, string>>().notNull(),
    enforcement: text("enforcement", { enum: ENFORCEMENTS }).notNull(),
    /** Who stopped it; null unless frozen. */
    frozenBy: text("frozen_by", { enum: ["admin", "holder"] }),
    frozenAt: moment("frozen_at"),
    /** How many of the holder's own freezes were lifted (core/snapshot). Set to what the data plane counts, by an unfreeze. */
    freezesLifted: integer("freezes_lifted").notNull().default(0),
    /** The key that this one was made to replace. */
    replacesId: uuid("replaces_id"),
    createdByKind: text("created_by_kind"),
    createdById: uuid("created_by_id"),
    revokedAt: moment("revoked_at"),
    createdAt: createdAt(),
  },
  (table) => [
    index("relay_keys_newest").on(table.organizationId, table.id),
    // Lists of keys are sorted by these: what is not there comes last, both ways.
    index("relay_keys_name").on(table.organizationId, sql`lower(${table.name})`, table.id),
    index("relay_keys_first_to_expire").on(table.organizationId, table.expiresAt, table.id),
    index("relay_keys_last_to_expire").on(
      table.organizationId,
      table.expiresAt.desc().nullsLast(),
      table.id.desc().nullsFirst(),
    ),
    index("relay_keys_holder").on(table.holderId),
    index("relay_keys_integration").on(table.integrationId),
  ],
);

/** What a key may do, in order. */
export const scopeRules = pgTable(
  "scope_rules",
  {
    organizationId: organizationId().references(() => organizations.id),
    keyId: uuid("key_id")
      .notNull()
      .references(() => relayKeys.id),
    position: integer("position").notNull(),
    methods: text("methods").array().notNull(),
    path: text("path").notNull(),
    query: jsonb("query").$type<QueryRule>(),
  },
  (table) => [primaryKey({ columns: [table.keyId, table.position] })],
);

/** What the data plane confirmed, once per policy version of a key. */
export const enforcementReceipts = pgTable(
  "enforcement_receipts",
  {
    organizationId: organizationId().references(() => organizations.id),
    keyId: uuid("key_id")
      .notNull()
      .references(() => relayKeys.id),
    version: bigint("version", { mode: "number" }).notNull(),
    /** From here on no request started under an older version. */
    enforcedAt: moment("enforced_at").notNull(),
    /** Time the data plane spent waiting for leases to end. */
    waitedMs: integer("waited_ms").notNull(),
  },
  (table) => [primaryKey({ columns: [table.keyId, table.version] })],
);

/** Changes on their way to the data plane: written with the change, done when it is enforced. */
export const outbox = pgTable(
  "outbox",
  {
    id: id(),
    organizationId: organizationId().references(() => organizations.id),
    keyId: uuid("key_id")
      .notNull()
      .references(() => relayKeys.id),
    version: bigint("version", { mode: "number" }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    lastError: text("last_error"),
    nextAttemptAt: moment("next_attempt_at").notNull().defaultNow(),
    doneAt: moment("done_at"),
    createdAt: createdAt(),
  },
  (table) => [
    index("outbox_open").on(table.doneAt, table.nextAttemptAt),
    index("outbox_key").on(table.keyId),
  ],
);
