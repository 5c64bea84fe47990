import { bigint, customType, date, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { moment } from "./columns.ts";

/** Written with `decode(…, 'hex')`, read with `encode(…, 'hex')`: the driver hands values on as text. */
const bytea = customType<{ data: never }>({ dataType: () => "bytea" });

/**
 * The chain of each organization's audit events, an entry per row (`core/audit-chain/entry.ts`). Entries stay when their
 * events have expired.
 */
export const auditChain = pgTable(
  "audit_chain",
  {
    organizationId: uuid("organization_id").notNull(),
    sequence: bigint("sequence", { mode: "number" }).notNull(),
    kind: text("kind", { enum: ["batch", "retention"] }).notNull(),
    previous: text("previous").notNull(),
    hash: text("hash").notNull(),
    writtenAt: moment("written_at").notNull(),
    retentionDays: integer("retention_days").notNull(),
    /** These five of batches only. */
    root: text("root"),
    count: integer("count"),
    day: date("day", { mode: "string" }),
    first: uuid("first_id"),
    last: uuid("last_id"),
    keyId: text("key_id").notNull(),
    signature: text("signature").notNull(),
    /** Hashes of a batch's events, one after the other, as long as the events are kept. */
    leaves: bytea("leaves"),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.sequence] })],
);

/** How far each organization's chain has been checked, and what was found. */
export const auditChainChecks = pgTable("audit_chain_checks", {
  organizationId: uuid("organization_id").primaryKey(),
  /** Every entry up to here was checked at least once. */
  through: bigint("through_sequence", { mode: "number" }).notNull(),
  /** Hash of that entry: it must not change. */
  throughHash: text("through_hash").notNull(),
  /** How many events the batches up to there have. */
  events: bigint("events", { mode: "number" }).notNull(),
  checkedAt: moment("checked_at").notNull(),
  /** Older entries are checked again and again, from here on. */
  patrolAt: bigint("patrol_sequence", { mode: "number" }).notNull(),
  /** When the last round through the whole chain was over. */
  patrolledAt: moment("patrolled_at"),
  /** The first thing that was found wrong and still is; null: nothing. */
  brokenCheck: text("broken_check"),
  brokenSequence: bigint("broken_sequence", { mode: "number" }),
  brokenRequestId: uuid("broken_request_id"),
  brokenAt: moment("broken_at"),
});
