import { boolean, integer, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { createdAt, id, organizationId } from "./columns.ts";

export const organizations = pgTable("organizations", {
  id: id(),
  name: text("name").notNull(),
  /** Days its audit events are kept, by plan. */
  auditRetentionDays: integer("audit_retention_days").notNull().default(30),
  /** All of its keys are refused until it is unfrozen. */
  frozen: boolean("frozen").notNull().default(false),
  createdAt: createdAt(),
});

/** People who may see (viewer) or change (admin) an organization. */
export const members = pgTable("members", {
  id: id(),
  organizationId: organizationId().references(() => organizations.id),
  email: text("email").notNull(),
  role: text("role", { enum: ["admin", "viewer"] }).notNull(),
  createdAt: createdAt(),
});

/** Admin actions, written in the same transaction as the action. */
export const adminAuditEvents = pgTable("admin_audit_events", {
  id: id(),
  organizationId: organizationId().references(() => organizations.id),
  actorKind: text("actor_kind", { enum: ["management_token", "member", "system"] }).notNull(),
  actorId: uuid("actor_id"),
  action: text("action").notNull(),
  subjectKind: text("subject_kind").notNull(),
  subjectId: uuid("subject_id").notNull(),
  /** What changed, as JSON; never a secret. */
  metadata: text("metadata").notNull(),
  createdAt: createdAt(),
});
