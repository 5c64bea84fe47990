import { boolean, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import { createdAt, id, moment, organizationId } from "./columns.ts";

export const PLANS = ["free", "builder", "team", "business"] as const;
export type Plan = (typeof PLANS)[number];

export const organizations = pgTable("organizations", {
  id: id(),
  name: text("name").notNull(),
  plan: text("plan", { enum: PLANS }).notNull().default("business"),
  /** Days its audit events are kept, by plan. */
  auditRetentionDays: integer("audit_retention_days").notNull().default(30),
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
