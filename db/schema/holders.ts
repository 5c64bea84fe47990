import { boolean, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { NO_LIMITS } from "@relaykey/core/limits";
import type { Limits } from "@relaykey/core/limits";
import { HOLDER_KINDS } from "@relaykey/core/snapshot";
import { createdAt, id, organizationId } from "./columns.ts";
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
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("holders_name").on(table.organizationId, table.name)],
);
