import { timestamp, uuid } from "drizzle-orm/pg-core";

/** Primary key: a UUIDv7 made by the application. */
export const id = () => uuid("id").primaryKey();

/** Every row of a tenant says whose it is. */
export const organizationId = () => uuid("organization_id").notNull();

export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

export const createdAt = () => moment("created_at").notNull().defaultNow();
