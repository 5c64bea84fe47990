import { bigint, date, index, pgTable, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";
import { moment } from "./columns.ts";

/**
 * How many audit events there are, by when, of whom and how they ended: what charts and sparklines read instead of the events. Triggers on
 * `audit_events` keep it, in the transaction that writes, moves or deletes the events; with the events of a day their counts go.
 */
export const trafficCounts = pgTable(
  "traffic_counts",
  {
    organizationId: uuid("organization_id").notNull(),
    /** Half hours and four hours are counted over all keys; hours and days for each key. */
    unit: text("unit", { enum: ["half_hour", "four_hours", "hour", "day"] }).notNull(),
    /** The first moment of the piece of time (UTC). */
    startsAt: moment("starts_at").notNull(),
    keyId: uuid("key_id"),
    integrationId: uuid("integration_id"),
    decision: text("decision", { enum: ["allowed", "blocked"] }).notNull(),
    reason: text("reason"),
    /** Of the events that are counted. */
    expiresOn: date("expires_on", { mode: "string" }).notNull(),
    requests: bigint("requests", { mode: "number" }).notNull(),
    /** When the newest of the events began; of hours only. */
    lastAt: moment("last_at"),
  },
  (table) => [
    unique("traffic_counts_what")
      .on(
        table.organizationId,
        table.unit,
        table.startsAt,
        table.keyId,
        table.integrationId,
        table.decision,
        table.reason,
        table.expiresOn,
      )
      .nullsNotDistinct(),
    index("traffic_counts_key").on(table.keyId, table.unit, table.startsAt),
  ],
);

/**
 * How many audit events an organization has of a day (UTC), by the partition they are in. Readers look there first, and then name
 * the partitions: planning over those of a year takes longer than reading a page of rows. Kept by the same triggers.
 */
export const auditDays = pgTable(
  "audit_days",
  {
    organizationId: uuid("organization_id").notNull(),
    day: date("day", { mode: "string" }).notNull(),
    expiresOn: date("expires_on", { mode: "string" }).notNull(),
    events: bigint("events", { mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.day, table.expiresOn] })],
);
