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

/** Events of one batch, hashed: what does not depend on where the chain is. */
export interface Batch {
  readonly organizationId: string;
  readonly day: string;
  readonly retentionDays: number;
  /** By request id. */
  readonly requestIds: readonly string[];
  readonly leaves: Bytes;
  /** Hex. */
  readonly root: string;
}

/**
 * Hashes events into batches that expire together, by organization; the oldest day first.
 *
 * @param events each request id once.
 */
export async function hashBatches(events: readonly AuditEvent[]): Promise<Batch[]> {
  return Promise.all(
    group(events).map(async ({ events: own, ...same }) => {
      const leaves = await Promise.all(own.map(hashLeaf));
      return {
        ...same,
        requestIds: own.map(({ requestId }) => requestId),
        leaves: concatBytes(...leaves),
        root: toHex(await merkleRoot(leaves)),
      };
    }),
  );
}

/**
 * Continues the chains of the batches' organizations.
 *
 * @param heads by organization; absent: its chain begins.
 * @param now epoch ms.
 */
export async function extendChains(
  signer: ChainSigner,
  heads: ReadonlyMap<string, ChainHead>,
  batches: readonly Batch[],
  now: number,
): Promise<Extension> {
  const entries: NewEntry[] = [];
  const places = new Map<string, ChainPlace>();
  const reached = new Map(heads);
  for (const { organizationId, day, retentionDays, requestIds, leaves, root } of batches) {
    const entry = await seal(signer, reached.get(organizationId) ?? NO_HEAD, leaves, {
      v: 1,
      kind: "batch",
      organizationId,
      writtenAt: now,
      root,
      count: requestIds.length,
      day,
      retentionDays,
      first: requestIds[0] ?? "",
      last: requestIds.at(-1) ?? "",
    });
    const { sequence } = entry.signed.entry;
    requestIds.forEach((requestId, position) => places.set(requestId, { sequence, position }));
    reached.set(organizationId, { sequence, hash: entry.hash });
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

interface Group {
  readonly organizationId: string;
  readonly day: string;
  readonly retentionDays: number;
  readonly events: AuditEvent[];
}

function group(events: readonly AuditEvent[]): Group[] {
  const found = new Map<string, Group>();
  for (const event of events) {
    const { organizationId, retentionDays } = event;
    if (organizationId === null) continue;
    const day = new Date(event.at).toISOString().slice(0, 10);
    const name = `${organizationId} ${day} ${String(retentionDays)}`;
    const own = found.get(name) ?? { organizationId, day, retentionDays, events: [] };
    own.events.push(event);
    found.set(name, own);
  }
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, own]) => own);
  for (const own of sorted) own.events.sort((a, b) => (a.requestId < b.requestId ? -1 : 1));
  return sorted;
}
