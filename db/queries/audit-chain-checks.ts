import { and, eq, sql } from "drizzle-orm";
import type { AuditFacts } from "@relaykey/core/audit-chain/leaf";
import type { PlacedEvent } from "@relaykey/core/audit-chain/check";
import type { Database } from "../client.ts";
import { auditEvents } from "../schema/audit.ts";
import { auditChainChecks } from "../schema/audit-chain.ts";
import type { AuditRow } from "./audit.ts";

export type ChainCheckRow = typeof auditChainChecks.$inferSelect;

/** An event as it is chained. */
export function factsOf(row: AuditRow): AuditFacts {
  return { ...row, at: row.at.getTime() };
}

/**
 * Organizations that have a chain, or had one, those first whose last check is the longest ago. One that is being deleted
 * loses its events without being in disorder.
 */
export async function chainsToCheck(db: Database, now: Date, limit: number): Promise<string[]> {
  const { rows } = await db.execute<{ id: string }>(sql`
    SELECT organization.id FROM organizations AS organization
    LEFT JOIN audit_chain_checks AS checks ON checks.organization_id = organization.id
    WHERE (organization.delete_after IS NULL OR organization.delete_after > ${now.toISOString()}::timestamptz)
      AND (checks.organization_id IS NOT NULL
        OR EXISTS (SELECT 1 FROM audit_chain WHERE audit_chain.organization_id = organization.id))
    ORDER BY checks.checked_at NULLS FIRST LIMIT ${limit}::int`);
  return rows.map(({ id }) => id);
}

/** How far a chain has been checked; null: not at all. */
export async function readChainCheck(db: Database, organizationId: string): Promise<ChainCheckRow | null> {
  const [row] = await db
    .select()
    .from(auditChainChecks)
    .where(eq(auditChainChecks.organizationId, organizationId));
  return row ?? null;
}

export async function saveChainCheck(db: Database, check: ChainCheckRow): Promise<void> {
  const { organizationId: _, ...state } = check;
  await db
    .insert(auditChainChecks)
    .values(check)
    .onConflictDoUpdate({ target: auditChainChecks.organizationId, set: state });
}

/** Part of a chain, and the request ids between which its events are. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly first: string;
  /** null: up to the newest. */
  readonly last: string | null;
}

/** What the log has in a span. */
export interface SpanEvents {
  /** By sequence. */
  readonly placed: ReadonlyMap<number, readonly PlacedEvent[]>;
  /** Events that are in no batch, or name one that they are not in. */
  readonly stray: readonly {
    readonly requestId: string;
    readonly at: number;
    readonly sequence: number | null;
  }[];
}

/** Reads the events of a span's batches, and those that stand between them and belong to none. */
export async function readSpan(
  db: Database,
  organizationId: string,
  { from, to, first, last }: Span,
): Promise<SpanEvents> {
  const isOurs = sql`chain_sequence BETWEEN ${from} AND ${to}`;
  const rows = await db
    .select()
    .from(auditEvents)
    .where(
      and(
        eq(auditEvents.organizationId, organizationId),
        sql`${auditEvents.requestId} >= ${first}::uuid`,
        last === null ? undefined : sql`${auditEvents.requestId} <= ${last}::uuid`,
        sql`(${isOurs} OR NOT EXISTS (SELECT 1 FROM audit_chain AS entry
          WHERE entry.organization_id = ${auditEvents.organizationId} AND entry.sequence = ${auditEvents.chainSequence}
            AND ${auditEvents.requestId} BETWEEN entry.first_id AND entry.last_id))`,
      ),
    );
  const placed = new Map<number, PlacedEvent[]>();
  const stray: SpanEvents["stray"][number][] = [];
  for (const row of rows) {
    const { chainSequence: sequence, chainPosition: position, requestId } = row;
    if (sequence !== null && position !== null && sequence >= from && sequence <= to) {
      const events = placed.get(sequence) ?? [];
      events.push({ position, facts: factsOf(row) });
      placed.set(sequence, events);
    } else stray.push({ requestId, at: row.at.getTime(), sequence });
  }
  return { placed, stray };
}
