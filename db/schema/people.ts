import { index, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";
import { createdAt, id, moment, organizationId } from "./columns.ts";
import { organizations } from "./organizations.ts";

export const ROLES = ["admin", "viewer"] as const;
export type Role = (typeof ROLES)[number];

/** A person who signs in, in any number of organizations. `email` is lower case. */
export const users = pgTable("users", {
  id: id(),
  email: text("email").notNull().unique(),
  createdAt: createdAt(),
});

/** People who may see (viewer) or change (admin) an organization. */
export const memberships = pgTable(
  "memberships",
  {
    id: id(),
    organizationId: organizationId().references(() => organizations.id),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id),
    role: text("role", { enum: ROLES }).notNull(),
    revision: integer("revision").notNull().default(1),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("memberships_once").on(table.organizationId, table.userId),
    index("memberships_user").on(table.userId),
  ],
);

/** Asks a person into an organization. Only the hash of the link's token is here. */
export const invitations = pgTable(
  "invitations",
  {
    id: id(),
    organizationId: organizationId().references(() => organizations.id),
    email: text("email").notNull(),
    role: text("role", { enum: ROLES }).notNull(),
    tokenHash: text("token_hash").notNull().unique(),
    invitedBy: uuid("invited_by"),
    expiresAt: moment("expires_at").notNull(),
    acceptedAt: moment("accepted_at"),
    revokedAt: moment("revoked_at"),
    revision: integer("revision").notNull().default(1),
    createdAt: createdAt(),
  },
  (table) => [index("invitations_organization").on(table.organizationId)],
);

/** A business mail domain belongs to one organization at a time. */
export const domainClaims = pgTable(
  "domain_claims",
  {
    id: id(),
    organizationId: organizationId().references(() => organizations.id),
    domain: text("domain").notNull(),
    releasedAt: moment("released_at"),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("domain_claims_held")
      .on(table.domain)
      .where(sql`released_at IS NULL`),
  ],
);

/** Domains whose addresses say nothing of where a person works. Filled from kept lists. */
export const publicMailDomains = pgTable(
  "public_mail_domains",
  { domain: text("domain").notNull(), kind: text("kind", { enum: ["free", "disposable"] }).notNull() },
  (table) => [primaryKey({ columns: [table.domain] })],
);
