import type { AuditEvent } from "../audit-event.ts";
import { concatBytes, toHex } from "../bytes.ts";
import type { Bytes } from "../bytes.ts";
import { hashEntry, NO_HEAD } from "./entry.ts";
import type { ChainEntry, ChainHead, SignedEntry } from "./entry.ts";
import type { ChainSigner } from "./keys.ts";
import { hashLeaf } from "./leaf.ts";
import { merkleRoot } from "./merkle.ts";

/** An entry with what is stored beside it. */
export interface NewEntry {
  readonly signed: SignedEntry;
  /** Hex: the next entry's `previous`. */
  readonly hash: string;
  /** Leaf hashes in order, one after the other; empty for what is no batch. */
  readonly leaves: Bytes;
}

/** Where an event stands in its organization's chain. */
export interface ChainPlace {
  readonly sequence: number;
  readonly position: number;
}

/** What is to be written, in the order of each chain. */
export interface Extension {
  readonly entries: readonly NewEntry[];
  /** By request id. Events of no organization are in no chain. */
  readonly places: ReadonlyMap<string, ChainPlace>;
}

/**
 * Continues the chains of the events' organizations.
 *
 * @param heads by organization; absent: its chain begins.
 * @param events each request id once.
 * @param now epoch ms.
 */
export async function extendChains(
  signer: ChainSigner,
  heads: ReadonlyMap<string, ChainHead>,
  events: readonly AuditEvent[],
  now: number,
): Promise<Extension> {
  const entries: NewEntry[] = [];
  const places = new Map<string, ChainPlace>();
  const reached = new Map(heads);
  for (const batch of batches(events)) {
    const head = reached.get(batch.organizationId) ?? NO_HEAD;
    const leaves = await Promise.all(batch.events.map(hashLeaf));
    const entry = await seal(signer, head, concatBytes(...leaves), {
      v: 1,
      kind: "batch",
      organizationId: batch.organizationId,
      writtenAt: now,
      root: toHex(await merkleRoot(leaves)),
      count: leaves.length,
      day: batch.day,
      retentionDays: batch.retentionDays,
      first: batch.events[0]?.requestId ?? "",
      last: batch.events.at(-1)?.requestId ?? "",
    });
    const { sequence } = entry.signed.entry;
    batch.events.forEach(({ requestId }, position) => places.set(requestId, { sequence, position }));
    reached.set(batch.organizationId, { sequence, hash: entry.hash });
    entries.push(entry);
  }
  return { entries, places };
}

/** The entry by which an organization's retention becomes shorter. */
export function shortenRetention(
  signer: ChainSigner,
  head: ChainHead,
  change: { readonly organizationId: string; readonly retentionDays: number; readonly now: number },
): Promise<NewEntry> {
  const { organizationId, retentionDays, now } = change;
  return seal(signer, head, new Uint8Array(), {
    v: 1,
    kind: "retention",
    organizationId,
    writtenAt: now,
    retentionDays,
  });
}

/** A distributive Omit: the union stays a union. */
type Unlinked = ChainEntry extends infer E
  ? E extends ChainEntry
    ? Omit<E, "sequence" | "previous">
    : never
  : never;

async function seal(
  signer: ChainSigner,
  head: ChainHead,
  leaves: Bytes,
  content: Unlinked,
): Promise<NewEntry> {
  const entry: ChainEntry = { ...content, sequence: head.sequence + 1, previous: head.hash };
  return { signed: await signer.sign(entry), hash: await hashEntry(entry), leaves };
}

interface Batch {
  readonly organizationId: string;
  readonly day: string;
  readonly retentionDays: number;
  readonly events: AuditEvent[];
}

/** Events that expire together, by organization; the oldest day first, the least request id first. */
function batches(events: readonly AuditEvent[]): Batch[] {
  const found = new Map<string, Batch>();
  for (const event of events) {
    const { organizationId, retentionDays } = event;
    if (organizationId === null) continue;
    const day = new Date(event.at).toISOString().slice(0, 10);
    const name = `${organizationId} ${day} ${String(retentionDays)}`;
    const batch = found.get(name) ?? { organizationId, day, retentionDays, events: [] };
    batch.events.push(event);
    found.set(name, batch);
  }
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, batch]) => batch);
  for (const batch of sorted) batch.events.sort((a, b) => (a.requestId < b.requestId ? -1 : 1));
  return sorted;
}
