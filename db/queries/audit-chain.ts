import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { NewEntry } from "@relaykey/core/audit-chain/append";
import type { ChainEntry, ChainHead, RetentionEntry, SignedEntry } from "@relaykey/core/audit-chain/entry";
import { fromHex, toHex } from "@relaykey/core/bytes";
import type { Bytes } from "@relaykey/core/bytes";
import type { Database } from "../client.ts";
import { auditChain } from "../schema/audit-chain.ts";

/** An entry as it is stored. */
export interface StoredEntry {
  readonly signed: SignedEntry;
  /** Leaf hashes of a batch, one after the other; null when they went with its events. */
  readonly leaves: Bytes | null;
}

/** Writes entries, for a batch of statements. Two writers cannot write the same sequence of an organization. */
export function entryInsertion(db: Database, entries: readonly NewEntry[]) {
  const rows = entries.map(({ signed: { entry, keyId, signature }, hash, leaves }) => ({
    ...entry,
    writtenAt: new Date(entry.writtenAt).toISOString(),
    hash,
    keyId,
    signature,
    leaves: entry.kind === "batch" ? toHex(leaves) : null,
  }));
  return db.execute(sql`
    INSERT INTO ${auditChain} (organization_id, sequence, kind, previous, hash, written_at, retention_days, root, count, day,
      first_id, last_id, key_id, signature, leaves)
    SELECT "organizationId", sequence, kind, previous, hash, "writtenAt", "retentionDays", root, count, day, first, last,
      "keyId", signature, decode(leaves, 'hex')
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS entry ("organizationId" uuid, sequence bigint, kind text,
      previous text, hash text, "writtenAt" timestamptz, "retentionDays" int, root text, count int, day date, first uuid,
      last uuid, "keyId" text, signature text, leaves text)
    ORDER BY "organizationId", sequence`);
}

/** Where the chains of these organizations are; one that has none yet is absent. */
export async function readHeads(
  db: Database,
  organizationIds: readonly string[],
): Promise<Map<string, ChainHead>> {
  if (organizationIds.length === 0) return new Map();
  const { rows } = await db.execute<Record<"id" | "sequence" | "hash", string>>(sql`
    SELECT asked.id, head.sequence, head.hash
    FROM jsonb_array_elements_text(${JSON.stringify(organizationIds)}::jsonb) AS asked (id), LATERAL (
      SELECT sequence, hash FROM ${auditChain} WHERE organization_id = asked.id::uuid ORDER BY sequence DESC LIMIT 1
    ) AS head`);
  return new Map(rows.map(({ id, sequence, hash }) => [id, { sequence: Number(sequence), hash }]));
}

/**
 * Entries of an organization in their order, from a sequence on.
 *
 * @param limits.events ends after the batch with which there are so many events.
 */
export function readEntries(
  db: Database,
  organizationId: string,
  from: number,
  limits: { readonly entries: number; readonly events: number },
): Promise<StoredEntry[]> {
  return select(
    db,
    sql`(SELECT *, sum(coalesce(count, 0)) OVER (ORDER BY sequence) - coalesce(count, 0) AS before FROM (
      SELECT * FROM ${auditChain} WHERE organization_id = ${organizationId} AND sequence >= ${from}
      ORDER BY sequence LIMIT ${limits.entries}::int) AS next) AS entry WHERE before < ${limits.events}::int`,
  );
}

/** Those entries of an organization that have one of these numbers. */
export function readEntriesOf(
  db: Database,
  organizationId: string,
  sequences: readonly number[],
): Promise<StoredEntry[]> {
  return select(
    db,
    sql`${auditChain} AS entry WHERE organization_id = ${organizationId}
      AND sequence IN (SELECT value::bigint FROM jsonb_array_elements_text(${JSON.stringify(sequences)}::jsonb) AS asked)`,
  );
}

/** The number of the last entry that was written before a moment; 1 when there is none. */
export async function entryBefore(db: Database, organizationId: string, moment: Date): Promise<number> {
  const { rows } = await db.execute<{ sequence: string }>(sql`
    SELECT sequence FROM ${auditChain} WHERE organization_id = ${organizationId}
      AND written_at < ${moment.toISOString()}::timestamptz ORDER BY sequence DESC LIMIT 1`);
  return Number(rows[0]?.sequence ?? 1);
}

/** The entries by which an organization's retention became shorter. */
export async function readRetentions(db: Database, organizationId: string): Promise<SignedEntry[]> {
  const found = await select(
    db,
    sql`${auditChain} AS entry WHERE organization_id = ${organizationId} AND kind = 'retention'`,
  );
  return found.map(({ signed }) => signed);
}

/** Forgets the leaf hashes of batches that are due and whose events are gone. */
export async function dropExpiredLeaves(db: Database, today: string): Promise<void> {
  await db.execute(sql`
    UPDATE ${auditChain} AS entry SET leaves = NULL
    WHERE leaves IS NOT NULL AND day + retention_days + 1 <= ${today}::date AND NOT EXISTS (
      SELECT 1 FROM audit_events AS event WHERE event.organization_id = entry.organization_id
        AND event.request_id BETWEEN entry.first_id AND entry.last_id AND event.chain_sequence = entry.sequence)`);
}

async function select(db: Database, from: SQL): Promise<StoredEntry[]> {
  const { rows } = await db.execute<Record<string, string | null>>(sql`
    SELECT organization_id, sequence, kind, previous, (extract(epoch FROM written_at) * 1000)::bigint AS written_at,
      retention_days, root, count, day::text, first_id, last_id, key_id, signature, encode(leaves, 'hex') AS leaves
    FROM ${from} ORDER BY sequence`);
  return rows.map((row) => ({
    signed: { entry: toEntry(row), keyId: row["key_id"] ?? "", signature: row["signature"] ?? "" },
    leaves: row["leaves"] == null ? null : fromHex(row["leaves"]),
  }));
}

function toEntry(row: Record<string, string | null>): ChainEntry {
  const link: Omit<RetentionEntry, "kind"> = {
    v: 1,
    organizationId: row["organization_id"] ?? "",
    sequence: Number(row["sequence"]),
    previous: row["previous"] ?? "",
    writtenAt: Number(row["written_at"]),
    retentionDays: Number(row["retention_days"]),
  };
  if (row["kind"] === "retention") return { ...link, kind: "retention" };
  return {
    ...link,
    kind: "batch",
    root: row["root"] ?? "",
    count: Number(row["count"]),
    day: row["day"] ?? "",
    first: row["first_id"] ?? "",
    last: row["last_id"] ?? "",
  };
}
