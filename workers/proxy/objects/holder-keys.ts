import type { PolicySnapshot } from "@relaykey/core/snapshot";

/** What the keys of a holder can do for its networks. */
export interface HolderKeys {
  /** A key's policy as it holds now; null when there is none. */
  snapshotOf(keyId: string): PolicySnapshot | null;
  snapshots(): PolicySnapshot[];
  /** Freezes a key in its holder's name. @returns how often the holder has frozen it. */
  freeze(keyId: string): number;
  /** Resolves when no answer that was given before the newest policy of the key can be relied on. */
  enforce(keyId: string): Promise<unknown>;
  /** Resolves when no answer that was given before this call, on whatever key, can be relied on. */
  waitOut(): Promise<void>;
}
