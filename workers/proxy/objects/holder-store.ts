import type { NetworkStore } from "./network-store.ts";

/** A key as the holder object keeps it. */
export interface StoredKey {
  readonly keyId: string;
  readonly tokenHash: string;
  /** Of the policy, as the control plane counts. */
  readonly version: number;
  /**
   * Of what isolates are told. It rises with the version, and also when the holder freezes the key, which no version of the
   * control plane says; it is never lower than the version.
   */
  readonly edition: number;
  /** As isolates get it: its version is the edition. null for a key revoked before it was ever applied. */
  readonly snapshot: string | null;
  readonly enforcedAt: number | null;
  /** How often the holder has frozen it. */
  readonly freezes: number;
}

/** The latest moment (object clock, epoch ms) until which leases on a token are out, and who granted them. */
export interface StoredLease {
  readonly until: number;
  /** Identifies the object's incarnation: clocks are compared only within one. */
  readonly incarnation: string;
}

/** Counters behind limits. `windowStart` is epoch ms. */
export interface StoredUse {
  readonly taken: number;
  readonly windowStart: number;
  readonly windowTaken: number;
}

/** Requests that a lessee (one isolate on behalf of one network) may have under way with a key. */
export interface StoredSlots {
  readonly keyId: string;
  readonly lessee: string;
  readonly count: number;
  /** Of the lessee's question that this is the answer to. */
  readonly number: number;
  /** Until when (object clock, epoch ms) what it started in them may be under way. */
  readonly until: number;
  /** Of the object that granted them: clocks are compared only within one. */
  readonly incarnation: string;
}

/**
 * Durable state of one key holder. Every method is synchronous, as SQLite in a Durable Object is: what is read and
 * written in one turn is one transaction, and the object's output gate holds its answers back until it is on disk.
 */
export interface HolderStore extends NetworkStore {
  keyByHash(tokenHash: string): StoredKey | null;
  keyById(keyId: string): StoredKey | null;
  /** In the order in which they came. */
  keys(): StoredKey[];
  putKey(key: StoredKey): void;
  lease(tokenHash: string): StoredLease | null;
  leases(): StoredLease[];
  putLease(tokenHash: string, lease: StoredLease): void;
  use(keyId: string): StoredUse | null;
  putUse(keyId: string, use: StoredUse): void;
  /** Slots of all lessees of the holder. */
  slots(): StoredSlots[];
  putSlots(slots: StoredSlots): void;
  removeSlots(keyId: string, lessee: string): void;
}
