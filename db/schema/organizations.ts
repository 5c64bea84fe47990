import { boolean, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import { PLAN_NAMES } from "@relaykey/core/plans";
import { createdAt, id, moment, organizationId } from "./columns.ts";

export const organizations = pgTable("organizations", {
  id: id(),
  name: text("name").notNull(),
  plan: text("plan", { enum: PLAN_NAMES }).notNull().default("business"),
  /** Days its audit events are kept, by plan. */
  auditRetentionDays: integer("audit_retention_days").notNull().default(365),
  /** Events made before are still to be moved to the retention in force; null: all are. */
  retentionChangedAt: moment("retention_changed_at"),
  /** All of its keys are refused until it is unfrozen. */
  frozen: boolean("frozen").notNull().default(false),
  /** How people's keys are confirmed on new addresses. */
  confirmation: jsonb("confirmation").$type<ConfirmationPolicy>().notNull().default(DEFAULT_CONFIRMATION),
  /** Rises with every change of this row. */
  revision: integer("revision").notNull().default(1),
  /** It was asked to be deleted; it is, with all it has, after this moment. */
  deleteAfter: moment("delete_after"),
  stripeCustomerId: text("stripe_customer_id").unique(),
  stripeSubscriptionId: text("stripe_subscription_id"),
  /** The page at Stripe that was opened last to subscribe: at most one can be paid. */
  stripeCheckoutId: text("stripe_checkout_id"),
  /** The moment whose state at Stripe the plan reflects: an older one never replaces a newer one. */
  stripeSyncedAt: moment("stripe_synced_at"),
  createdAt: createdAt(),
});

/** Events of Stripe that were dealt with: a repeated one changes nothing. */
export const stripeEvents = pgTable("stripe_events", {
  id: text("id").primaryKey(),
  type: text("type").notNull(),
  createdAt: createdAt(),
});

export const ACTOR_KINDS = ["management_token", "user", "holder", "system"] as const;
export const VIAS = ["api", "dashboard", "cli", "confirmation", "system"] as const;

/** Admin actions, written in the same transaction as the action. */
export const adminAuditEvents = pgTable("admin_audit_events", {
  id: id(),
  organizationId: organizationId().references(() => organizations.id),
  actorKind: text("actor_kind", { enum: ACTOR_KINDS }).notNull(),
  actorId: uuid("actor_id"),
  /** Through which face it was done. */
  via: text("via", { enum: VIAS }).notNull().default("api"),
  ip: text("ip"),
  action: text("action").notNull(),
  subjectKind: text("subject_kind").notNull(),
  subjectId: uuid("subject_id").notNull(),
  /** What there was and what there is now, as far as it changed; never a secret. */
  before: jsonb("before").$type<Readonly<Record<string, unknown>>>(),
  after: jsonb("after").$type<Readonly<Record<string, unknown>>>(),
  /** Else worth knowing, as JSON; never a secret. */
  metadata: text("metadata").notNull(),
  createdAt: createdAt(),
});
