import { bigint, date, index, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { moment } from "./columns.ts";

/**
 * How many audit events there are, by when, of whom and how they ended: what charts and sparklines read instead of the events. Triggers on
 * `audit_events` keep it, in the transaction that writes, moves or deletes the events; with the events of a day their counts go.
 */
export const trafficCounts = pgTable(
  "traffic_counts",
  {
    organizationId: uuid("organization_id").notNull(),
    /** Half hours are counted over all keys; hours and days for each key. */
    unit: text("unit", { enum: ["half_hour", "hour", "day"] }).notNull(),
    /** The first moment of the half hour, hour or day (UTC). */
    startsAt: moment("starts_at").notNull(),
    keyId: uuid("key_id"),
    integrationId: uuid("integration_id"),
    decision: text("decision", { enum: ["allowed", "blocked"] }).notNull(),
    reason: text("reason"),
    /** Of the events that are counted. */
    expiresOn: date("expires_on", { mode: "string" }).notNull(),
    requests: bigint("requests", { mode: "number" }).notNull(),
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
