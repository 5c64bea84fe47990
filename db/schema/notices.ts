import { index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { createdAt, id, moment, organizationId } from "./columns.ts";
import { organizations } from "./organizations.ts";

/**
 * Something an organization's admins should know: the source of alerts, webhooks and the dashboard's inbox. Each row makes
 * its deliveries in the same transaction, by a trigger; admin events that concern a key's life make theirs.
 */
export const notices = pgTable(
  "notices",
  {
    id: id(),
    organizationId: organizationId().references(() => organizations.id),
    /** Of core/notice. */
    type: text("type").notNull(),
    /** The same happening, reported again, is one notice. */
    dedupeKey: text("dedupe_key").notNull(),
    keyId: uuid("key_id"),
    holderId: uuid("holder_id"),
    integrationId: uuid("integration_id"),
    data: jsonb("data").$type<Readonly<Record<string, unknown>>>().notNull(),
    at: moment("at").notNull(),
    seenAt: moment("seen_at"),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("notices_once").on(table.organizationId, table.dedupeKey),
    index("notices_newest").on(table.organizationId, table.id),
  ],
);

/** Where an organization wants to be told. The signing secret is derived, not stored (control-plane). */
export const webhookEndpoints = pgTable("webhook_endpoints", {
  id: id(),
  organizationId: organizationId().references(() => organizations.id),
  url: text("url").notNull(),
  description: text("description").notNull().default(""),
  /** Notice types; empty = all. */
  types: text("types").array().notNull(),
  secretVersion: integer("secret_version").notNull().default(1),
  /** Until when the former secret signs as well. */
  formerSecretUntil: moment("former_secret_until"),
  revision: integer("revision").notNull().default(1),
  /** Since when every attempt has failed; null: the last one did not. */
  failingSince: moment("failing_since"),
  disabledAt: moment("disabled_at"),
  /** Who stopped it; null unless it is disabled. */
  disabledBy: text("disabled_by", { enum: ["admin", "failures"] }),
  createdAt: createdAt(),
});

/** Mail to an organization's admins about a notice, on its way to the confirm Worker. Most notices have none. */
export const alerts = pgTable(
  "alerts",
  {
    noticeId: uuid("notice_id")
      .primaryKey()
      .references(() => notices.id),
    organizationId: organizationId().references(() => organizations.id),
    /** A run that took it has until then to finish; afterwards another one does. */
    claimedUntil: moment("claimed_until"),
    sentAt: moment("sent_at"),
    createdAt: createdAt(),
  },
  (table) => [index("alerts_open").on(table.sentAt, table.claimedUntil)],
);

/** One attempt to deliver, as it is stored. */
export interface DeliveryAttempt {
  /** ISO 8601. */
  readonly at: string;
  /** Of the answer; null: there was none. */
  readonly status: number | null;
  /** What went wrong; null: it was taken. */
  readonly error: string | null;
  readonly durationMs: number;
}

export const webhookDeliveries = pgTable(
  "webhook_deliveries",
  {
    id: id(),
    organizationId: organizationId().references(() => organizations.id),
    endpointId: uuid("endpoint_id")
      .notNull()
      .references(() => webhookEndpoints.id),
    noticeId: uuid("notice_id")
      .notNull()
      .references(() => notices.id),
    state: text("state", { enum: ["waiting", "delivered", "dead"] }).notNull(),
    attempts: integer("attempts").notNull().default(0),
    nextAttemptAt: moment("next_attempt_at").notNull(),
    lastStatus: integer("last_status"),
    lastError: text("last_error"),
    /** The attempts of late, the oldest first. */
    log: jsonb("log").$type<readonly DeliveryAttempt[]>().notNull().default([]),
    deliveredAt: moment("delivered_at"),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("webhook_deliveries_once").on(table.endpointId, table.noticeId),
    index("webhook_deliveries_due").on(table.state, table.nextAttemptAt),
  ],
);
