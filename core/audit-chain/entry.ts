import { concatBytes, toHex, utf8 } from "../bytes.ts";
import type { Bytes } from "../bytes.ts";

interface Link {
  readonly v: 1;
  readonly organizationId: string;
  /** 1, 2, 3 … without a gap. */
  readonly sequence: number;
  /** Hash of the entry before, hex; zeros for the first. */
  readonly previous: string;
  /** Epoch ms. */
  readonly writtenAt: number;
}

/** Events that were written together: all of one day and with the same retention, so that they expire together. */
export interface BatchEntry extends Link {
  readonly kind: "batch";
  /** Of the Merkle tree of the events, by request id; hex. */
  readonly root: string;
  readonly count: number;
  /** Day (UTC, YYYY-MM-DD) on which the requests arrived. */
  readonly day: string;
  /** As it was when the requests were made. */
  readonly retentionDays: number;
  /** Least and greatest request id. */
  readonly first: string;
  readonly last: string;
}

/** The organization keeps events for fewer days from now on, those that are there already included. */
export interface RetentionEntry extends Link {
  readonly kind: "retention";
  readonly retentionDays: number;
}

/** One link of an organization's chain. */
export type ChainEntry = BatchEntry | RetentionEntry;

export interface SignedEntry {
  readonly entry: ChainEntry;
  readonly keyId: string;
  /** base64url */
  readonly signature: string;
}

/** Where a chain is: what the next entry follows. */
export interface ChainHead {
  readonly sequence: number;
  /** Hex. */
  readonly hash: string;
}

/** What the first entry follows. */
export const NO_HEAD: ChainHead = { sequence: 0, hash: "0".repeat(64) };

/** Beside the RFC's 0x00 for leaves and 0x01 for nodes. */
const ENTRY = Uint8Array.of(0x02);

/** The one spelling of an entry: canonical JSON (RFC 8785); the members stand in their canonical order. */
export function encodeEntry(entry: ChainEntry): Bytes {
  return utf8(JSON.stringify(entry.kind === "batch" ? batchMembers(entry) : retentionMembers(entry)));
}

/** SHA-256 over 0x02 and the spelling, hex. */
export async function hashEntry(entry: ChainEntry): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", concatBytes(ENTRY, encodeEntry(entry)));
  return toHex(new Uint8Array(digest));
}

function batchMembers(entry: BatchEntry) {
  return {
    count: entry.count,
    day: entry.day,
    first: entry.first,
    kind: entry.kind,
    last: entry.last,
    organization_id: entry.organizationId,
    previous: entry.previous,
    retention_days: entry.retentionDays,
    root: entry.root,
    sequence: entry.sequence,
    v: entry.v,
    written_at: new Date(entry.writtenAt).toISOString(),
  };
}

function retentionMembers(entry: RetentionEntry) {
  return {
    kind: entry.kind,
    organization_id: entry.organizationId,
    previous: entry.previous,
    retention_days: entry.retentionDays,
    sequence: entry.sequence,
    v: entry.v,
    written_at: new Date(entry.writtenAt).toISOString(),
  };
}
