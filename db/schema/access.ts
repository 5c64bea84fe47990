import { pgTable, text, uuid } from "drizzle-orm/pg-core";
import { createdAt, id, moment, organizationId } from "./columns.ts";
import { organizations } from "./organizations.ts";

/** `rk_mgmt_` tokens: only the hash is here. */
export const managementTokens = pgTable("management_tokens", {
  id: id(),
  organizationId: organizationId().references(() => organizations.id),
  name: text("name").notNull(),
  kind: text("kind", { enum: ["bootstrap", "standard"] }).notNull(),
  tokenHash: text("token_hash").notNull().unique(),
  display: text("display").notNull(),
  expiresAt: moment("expires_at"),
  revokedAt: moment("revoked_at"),
  createdAt: createdAt(),
});

/** One-time links into the dashboard: SHA-256 (hex) of the link's token. */
export const signInLinks = pgTable("sign_in_links", {
  id: id(),
  organizationId: organizationId().references(() => organizations.id),
  tokenHash: text("token_hash").notNull().unique(),
  expiresAt: moment("expires_at").notNull(),
  usedAt: moment("used_at"),
  createdAt: createdAt(),
});

/** Signed-in browsers: SHA-256 (hex) of the cookie. */
export const sessions = pgTable("sessions", {
  id: id(),
  organizationId: organizationId().references(() => organizations.id),
  memberId: uuid("member_id"),
  tokenHash: text("token_hash").notNull().unique(),
  expiresAt: moment("expires_at").notNull(),
  createdAt: createdAt(),
});
