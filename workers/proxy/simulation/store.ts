import type { TrustedNetwork } from "@relaykey/core/rpc";
import type { HolderStore, StoredKey, StoredLease, StoredSlots, StoredUse } from "../objects/holder-store.ts";
import { NO_NOTES } from "../objects/network-store.ts";
import type {
  HolderNotes,
  StoredLink,
  StoredMessage,
  StoredPending,
  StoredReviewLink,
} from "../objects/network-store.ts";

/** What is on disk, or what one instance believes to be. */
export class Tables {
  readonly keys = new Map<string, StoredKey>();
  readonly leases = new Map<string, StoredLease>();
  readonly uses = new Map<string, StoredUse>();
  readonly slots = new Map<string, StoredSlots>();
  readonly trusted = new Map<string, TrustedNetwork>();
  readonly pending = new Map<string, StoredPending>();
  readonly links = new Map<string, StoredLink>();
  readonly reviewLinks = new Map<string, StoredReviewLink>();
  readonly messages = new Map<number, StoredMessage>();
  lastMessage = 0;
  notes: HolderNotes = NO_NOTES;

  copy(): Tables {
    const copy = new Tables();
    for (const [id, key] of this.keys) copy.keys.set(id, key);
    for (const [hash, lease] of this.leases) copy.leases.set(hash, lease);
    for (const [id, use] of this.uses) copy.uses.set(id, use);
    for (const [name, slots] of this.slots) copy.slots.set(name, slots);
    for (const [network, trusted] of this.trusted) copy.trusted.set(network, trusted);
    for (const [id, entry] of this.pending) copy.pending.set(id, entry);
    for (const [hash, link] of this.links) copy.links.set(hash, link);
    for (const [hash, link] of this.reviewLinks) copy.reviewLinks.set(hash, link);
    for (const [id, message] of this.messages) copy.messages.set(id, message);
    copy.lastMessage = this.lastMessage;
    copy.notes = this.notes;
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

  keys(): StoredKey[] {
    return [...this.#tables.keys.values()];
  }

  putKey(key: StoredKey): void {
    this.#write((tables) => tables.keys.set(key.keyId, key));
  }

  lease(tokenHash: string): StoredLease | null {
    return this.#tables.leases.get(tokenHash) ?? null;
  }

  leases(): StoredLease[] {
    return [...this.#tables.leases.values()];
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

  trusted(): TrustedNetwork[] {
    return [...this.#tables.trusted.values()];
  }

  trustedNetwork(network: string): TrustedNetwork | null {
    return this.#tables.trusted.get(network) ?? null;
  }

  putTrusted(network: TrustedNetwork): void {
    this.#write((tables) => tables.trusted.set(network.network, network));
  }

  removeTrusted(network: string): void {
    this.#write((tables) => tables.trusted.delete(network));
  }

  pending(): StoredPending[] {
    return [...this.#tables.pending.values()];
  }

  pendingOf(network: string): StoredPending[] {
    return this.pending().filter((entry) => entry.network === network);
  }

  pendingById(id: string): StoredPending | null {
    return this.#tables.pending.get(id) ?? null;
  }

  putPending(entry: StoredPending): void {
    this.#write((tables) => tables.pending.set(entry.id, entry));
  }

  removePending(id: string): void {
    this.#write((tables) => {
      tables.pending.delete(id);
      for (const [hash, { pendingId }] of tables.links) if (pendingId === id) tables.links.delete(hash);
    });
  }

  link(tokenHash: string): StoredLink | null {
    return this.#tables.links.get(tokenHash) ?? null;
  }

  putLink(tokenHash: string, link: StoredLink): void {
    this.#write((tables) => {
      if (!tables.links.has(tokenHash)) tables.links.set(tokenHash, link);
    });
  }

  reviewLinks(): StoredReviewLink[] {
    return [...this.#tables.reviewLinks.values()];
  }

  reviewLink(tokenHash: string): number | null {
    return this.#tables.reviewLinks.get(tokenHash)?.expiresAt ?? null;
  }

  putReviewLink(link: StoredReviewLink): void {
    this.#write((tables) => tables.reviewLinks.set(link.tokenHash, link));
  }

  removeReviewLink(tokenHash: string): void {
    this.#write((tables) => tables.reviewLinks.delete(tokenHash));
  }

  messages(): StoredMessage[] {
    return [...this.#tables.messages.values()];
  }

  addMessage(message: Omit<StoredMessage, "id" | "attempts">): void {
    this.#write((tables) => {
      tables.lastMessage += 1;
      tables.messages.set(tables.lastMessage, { ...message, id: tables.lastMessage, attempts: 0 });
    });
  }

  putMessage(message: StoredMessage): void {
    this.#write((tables) => tables.messages.set(message.id, message));
  }

  removeMessage(id: number): void {
    this.#write((tables) => tables.messages.delete(id));
  }

  notes(): HolderNotes {
    return this.#tables.notes;
  }

  putNotes(notes: HolderNotes): void {
    this.#write((tables) => {
      tables.notes = notes;
    });
  }

  #write(write: Write): void {
    write(this.#tables);
    this.#onWrite(write);
  }
}
