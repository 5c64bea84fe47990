import { boolean, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
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
    createdAt: createdAt(),
  },
  (table) => [uniqueIndex("holders_name").on(table.organizationId, table.name)],
);
