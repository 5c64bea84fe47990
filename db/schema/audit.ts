import { bigint, date, index, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { createdAt, id, moment } from "./columns.ts";

/**
 * One row per request. Partitioned by the day it expires on, so that pruning is dropping a partition. The expiry day
 * follows from the event itself, so a duplicate delivery always meets its original in the same partition.
 */
export const auditEvents = pgTable(
  "audit_events",
  {
    expiresOn: date("expires_on", { mode: "string" }).notNull(),
    requestId: uuid("request_id").notNull(),
    at: moment("at").notNull(),
    organizationId: uuid("organization_id"),
    integrationId: uuid("integration_id"),
    integrationSlug: text("integration_slug"),
    keyId: uuid("key_id"),
    holderId: uuid("holder_id"),
    method: text("method").notNull(),
    path: text("path").notNull(),
    query: text("query"),
    decision: text("decision", { enum: ["allowed", "blocked"] }).notNull(),
    reason: text("reason"),
    outcome: text("outcome", {
      enum: ["completed", "client_disconnected", "upstream_failed", "cut", "unknown"],
    }).notNull(),
    status: integer("status").notNull(),
    upstreamStatus: integer("upstream_status"),
    ip: text("ip"),
    userAgent: text("user_agent"),
    durationMs: bigint("duration_ms", { mode: "number" }).notNull(),
    bytesIn: bigint("bytes_in", { mode: "number" }).notNull(),
    bytesOut: bigint("bytes_out", { mode: "number" }).notNull(),
    droppedHeaders: text("dropped_headers").array().notNull(),
    /** The batch in its organization's chain, and where it stands in there; null: of no organization, or older than the chain. */
    chainSequence: bigint("chain_sequence", { mode: "number" }),
    chainPosition: integer("chain_position"),
  },
  (table) => [
    primaryKey({ columns: [table.expiresOn, table.requestId] }),
    index("audit_events_newest").on(table.organizationId, table.requestId),
    index("audit_events_key").on(table.keyId, table.requestId),
  ],
);

/** Messages or events that could not be read: kept whole for an operator. */
export const auditDeadLetters = pgTable("audit_dead_letters", {
  id: id(),
  /** Queue message id and position, so that a redelivery is not kept twice. */
  origin: text("origin").notNull().unique(),
  raw: text("raw").notNull(),
  error: text("error").notNull(),
  createdAt: createdAt(),
});

/** Requests of an organization per day (UTC), counted as their events are written. They outlive the events. */
export const usageDays = pgTable(
  "usage_days",
  {
    organizationId: uuid("organization_id").notNull(),
    day: date("day", { mode: "string" }).notNull(),
    requests: bigint("requests", { mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.day] })],
);
