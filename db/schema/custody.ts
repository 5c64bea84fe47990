import { integer, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { moment } from "./columns.ts";
import { organizations } from "./organizations.ts";

/** For whom an organization's vendor keys are sealed, beside the proxy itself. No row: nobody, and never has been. */
export const custodyKeys = pgTable("custody_keys", {
  organizationId: uuid("organization_id")
    .primaryKey()
    .references(() => organizations.id),
  /** The customer's key in AWS KMS, with its public half and what names that in envelopes; null: there is none any more. */
  keyArn: text("key_arn"),
  publicKey: text("public_key"),
  keyId: text("key_id"),
  /** When the proxy last proved that it may use it. */
  verifiedAt: moment("verified_at"),
  /** Rises with every change of this row, which is never deleted while the organization is there. */
  revision: integer("revision").notNull().default(1),
  changedAt: moment("changed_at").notNull(),
});
