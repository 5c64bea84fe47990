import { sql } from "drizzle-orm";
import { boolean, index, integer, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import { NO_LIMITS } from "@relaykey/core/limits";
import type { Limits } from "@relaykey/core/limits";
import { HOLDER_KINDS } from "@relaykey/core/snapshot";
import { createdAt, id, moment, organizationId } from "./columns.ts";
import { organizations } from "./organizations.ts";

/** Who holds keys: a person, or a machine. */
export const holders = pgTable(
  "holders",
  {
    id: id(),
    organizationId: organizationId().references(() => organizations.id),
    name: text("name").notNull(),
    kind: text("kind", { enum: HOLDER_KINDS }).notNull(),
    email: text("email"),
    /** Names the holder's Durable Object: 16 hex digits, also inside each of its tokens. */
    locator: text("locator").notNull().unique(),
    frozen: boolean("frozen").notNull().default(false),
    /** Bounds over all of its keys together. */
    limits: jsonb("limits").$type<Limits>().notNull().default(NO_LIMITS),
    /** What differs from the organization's way of confirming addresses. */
    confirmation: jsonb("confirmation").$type<Partial<ConfirmationPolicy>>().notNull().default({}),
    /** What became of mail to the address: after a bounce or a complaint none is sent. */
    mailState: text("mail_state", { enum: ["ok", "bounced", "complained"] })
      .notNull()
      .default("ok"),
    mailStateAt: moment("mail_state_at"),
    revision: integer("revision").notNull().default(1),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("holders_name").on(table.organizationId, table.name),
    // Who asks for mail says an address, and no organization.
    index("holders_email").on(sql`lower(${table.email})`),
  ],
);
