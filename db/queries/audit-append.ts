import { extendChains, hashBatches, shortenRetention } from "@relaykey/core/audit-chain/append";
import { LATE_DAYS } from "@relaykey/core/audit-chain/due";
import { NO_HEAD } from "@relaykey/core/audit-chain/entry";
import type { ChainSigner } from "@relaykey/core/audit-chain/keys";
import type { AuditEvent } from "@relaykey/core/audit-event";
import type { Database } from "../client.ts";
import { insertChainedEvents, withoutWritten } from "./audit.ts";
import { entryInsertion, readHeads, readRetentions } from "./audit-chain.ts";
import { hasCode, isUniqueViolation } from "./conflicts.ts";

const DAY_MS = 86_400_000;
const UNIQUE_VIOLATION = "23505";
const HEAD_TAKEN = "audit_chain_organization_id_sequence_pk";
/** Each attempt that fails is one in which another writer succeeded. */
const ATTEMPTS = 40;

/**
 * Writes those events that are not there yet, and continues the chains of their organizations by exactly them, in one
 * transaction. Of writers at the same time each continues what the one before it wrote.
 *
 * @returns how many were new.
 */
export async function appendAuditEvents(
  db: Database,
  signer: ChainSigner,
  events: readonly AuditEvent[],
  now: number,
): Promise<number> {
  let fresh = [...new Map(events.map((event) => [event.requestId, event])).values()];
  let batches = await hashBatches(fresh);
  for (let attempt = 1; fresh.length > 0; attempt += 1) {
    const organizations = new Set(batches.map(({ organizationId }) => organizationId));
    const heads = await readHeads(db, [...organizations]);
    try {
      await insertChainedEvents(db, fresh, await extendChains(signer, heads, batches, now));
      return fresh.length;
    } catch (error) {
      if (attempt === ATTEMPTS || !hasCode(error, UNIQUE_VIOLATION)) throw error;
      // Whoever only came second goes on at once, ahead of those that have yet to hash what they write.
      if (isUniqueViolation(error, HEAD_TAKEN)) continue;
      fresh = await withoutWritten(db, fresh);
      batches = await hashBatches(fresh);
    }
  }
  return 0;
}

/**
 * Writes into an organization's chain that it keeps events for fewer days from now on, unless that was written lately: events
 * are moved to a shorter retention for some days.
 */
export async function noteShortening(
  db: Database,
  signer: ChainSigner,
  change: { readonly organizationId: string; readonly retentionDays: number; readonly now: number },
): Promise<void> {
  const { organizationId, retentionDays, now } = change;
  for (let attempt = 1; ; attempt += 1) {
    const last = (await readRetentions(db, organizationId)).at(-1)?.entry;
    if (last?.retentionDays === retentionDays && last.writtenAt > now - LATE_DAYS * DAY_MS) return;
    const heads = await readHeads(db, [organizationId]);
    const entry = await shortenRetention(signer, heads.get(organizationId) ?? NO_HEAD, change);
    try {
      await entryInsertion(db, [entry]);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !hasCode(error, UNIQUE_VIOLATION)) throw error;
    }
  }
}
