import type {
  HolderStore,
  StoredKey,
  StoredLease,
  StoredSlots,
  StoredUse,
  TrustedIp,
} from "../objects/holder-store.ts";

/** What is on disk, or what one instance believes to be. */
export class Tables {
  readonly keys = new Map<string, StoredKey>();
  readonly leases = new Map<string, StoredLease>();
  readonly uses = new Map<string, StoredUse>();
  readonly slots = new Map<string, StoredSlots>();
  readonly ips = new Map<string, TrustedIp>();

  copy(): Tables {
    const copy = new Tables();
    for (const [id, key] of this.keys) copy.keys.set(id, key);
    for (const [hash, lease] of this.leases) copy.leases.set(hash, lease);
    for (const [id, use] of this.uses) copy.uses.set(id, use);
    for (const [name, slots] of this.slots) copy.slots.set(name, slots);
    for (const [network, ip] of this.ips) copy.ips.set(network, ip);
    return copy;
  }
}

/** A change of the tables, to be made again on disk when it is confirmed. */
export type Write = (tables: Tables) => void;

/**
 * The store of one instance: it reads its own writes at once, as SQLite in a Durable Object does, and reports each, so
 * that the platform can put it on disk later, or not at all.
 */
export class MemoryStore implements HolderStore {
  readonly #tables: Tables;
  readonly #onWrite: (write: Write) => void;

  constructor(tables: Tables, onWrite: (write: Write) => void) {
    this.#tables = tables;
    this.#onWrite = onWrite;
  }

  keyByHash(tokenHash: string): StoredKey | null {
    for (const key of this.#tables.keys.values()) if (key.tokenHash === tokenHash) return key;
    return null;
  }

  keyById(keyId: string): StoredKey | null {
    return this.#tables.keys.get(keyId) ?? null;
  }

  putKey(key: StoredKey): void {
    this.#write((tables) => tables.keys.set(key.keyId, key));
  }

  lease(tokenHash: string): StoredLease | null {
    return this.#tables.leases.get(tokenHash) ?? null;
  }

  putLease(tokenHash: string, lease: StoredLease): void {
    this.#write((tables) => tables.leases.set(tokenHash, lease));
  }

  use(keyId: string): StoredUse | null {
    return this.#tables.uses.get(keyId) ?? null;
  }

  putUse(keyId: string, use: StoredUse): void {
    this.#write((tables) => tables.uses.set(keyId, use));
  }

  slots(): StoredSlots[] {
    return [...this.#tables.slots.values()];
  }

  putSlots(slots: StoredSlots): void {
    this.#write((tables) => tables.slots.set(`${slots.keyId} ${slots.lessee}`, slots));
  }

  removeSlots(keyId: string, lessee: string): void {
    this.#write((tables) => tables.slots.delete(`${keyId} ${lessee}`));
  }

  trustedIps(): TrustedIp[] {
    return [...this.#tables.ips.values()];
  }

  putTrustedIp(ip: TrustedIp): void {
    this.#write((tables) => tables.ips.set(ip.network, ip));
  }

  #write(write: Write): void {
    write(this.#tables);
    this.#onWrite(write);
  }
}
