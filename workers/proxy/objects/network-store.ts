import type { BlockedRequest, Place, TrustedNetwork } from "@relaykey/core/rpc";
import type { BucketState } from "./mail-bucket.ts";

/** A network that waits, or waited, for the holder's word. Moments are the object's clock, epoch ms. */
export interface StoredPending {
  readonly id: string;
  readonly network: string;
  /** `pending` also after it has expired. */
  readonly state: "pending" | "confirmed" | "rejected" | "locked";
  /** Keys that were used from there meanwhile, the first one first. */
  readonly keyIds: readonly string[];
  readonly request: BlockedRequest;
  readonly since: number;
  readonly lastSeen: number;
  readonly attempts: number;
  readonly expiresAt: number;
  /** In the network of a provider that the holder is known to use. */
  readonly familiar: boolean;
  /** Admins were told, and the holder, if mail can be sent. */
  readonly announced: boolean;
  /** Mails asked for. */
  readonly generation: number;
  /** What links are derived from, with a key that is not here. Hexadecimal. */
  readonly nonce: string;
  /** Three digits: shown to whoever was refused, typed by whoever confirms. */
  readonly number: string;
  /** Something was suspicious: the number has to be typed. */
  readonly matching: boolean;
  readonly mismatches: number;
  /** No answer that was given before the end can be relied on any more. */
  readonly settled: boolean;
}

/** A link in a mail, by the SHA-256 of its token. */
export interface StoredLink {
  readonly pendingId: string;
  readonly expiresAt: number;
}

/** A link to the page about a holder's own networks, by the SHA-256 of its token. */
export interface StoredReviewLink {
  readonly tokenHash: string;
  readonly expiresAt: number;
}

/** A message that a queue has not accepted yet. */
export interface StoredMessage {
  readonly id: number;
  readonly queue: "mail" | "notice";
  readonly body: string;
  readonly attempts: number;
  readonly due: number;
}

/** What is remembered of a holder beyond single networks. */
export interface HolderNotes {
  /** A network was trusted once: the next one is not the first. */
  readonly firstUseTaken: boolean;
  readonly mails: BucketState | null;
  readonly mailsOfDay: BucketState | null;
  /** Kept for networks of providers that the holder is known to use. */
  readonly familiarMails: BucketState | null;
  /** Kept for whoever has a link. */
  readonly resentMails: BucketState | null;
  /** Of mails with a link to the holder's own networks. */
  readonly reviewMails: BucketState | null;
  /** What the newest of them is made from. */
  readonly review: {
    readonly generation: number;
    readonly nonce: string;
    readonly expiresAt: number;
  } | null;
  /** The last time that something was suspicious: a wrong number, a rejection. */
  readonly suspectedAt: number | null;
  /** New networks of late. */
  readonly arrivals: { readonly since: number; readonly count: number } | null;
  readonly storm: { readonly since: number; readonly last: number; readonly networks: number } | null;
}

export const NO_NOTES: HolderNotes = {
  firstUseTaken: false,
  mails: null,
  mailsOfDay: null,
  familiarMails: null,
  resentMails: null,
  reviewMails: null,
  review: null,
  suspectedAt: null,
  arrivals: null,
  storm: null,
};

export const NOWHERE: Place = { country: null, region: null, city: null, asn: null, network: null };

/** The part of a holder's durable state that concerns networks; synchronous, as `HolderStore` is. */
export interface NetworkStore {
  trusted(): TrustedNetwork[];
  trustedNetwork(network: string): TrustedNetwork | null;
  putTrusted(network: TrustedNetwork): void;
  removeTrusted(network: string): void;
  /** All entries, the oldest first, also those that have ended. */
  pending(): StoredPending[];
  pendingOf(network: string): StoredPending[];
  pendingById(id: string): StoredPending | null;
  putPending(entry: StoredPending): void;
  /** With its links. */
  removePending(id: string): void;
  link(tokenHash: string): StoredLink | null;
  putLink(tokenHash: string, link: StoredLink): void;
  reviewLinks(): StoredReviewLink[];
  /** Until when it works; null for one that was never made, or is long gone. */
  reviewLink(tokenHash: string): number | null;
  putReviewLink(link: StoredReviewLink): void;
  removeReviewLink(tokenHash: string): void;
  messages(): StoredMessage[];
  addMessage(message: Omit<StoredMessage, "id" | "attempts">): void;
  putMessage(message: StoredMessage): void;
  removeMessage(id: number): void;
  notes(): HolderNotes;
  putNotes(notes: HolderNotes): void;
}

/**
 * Writes something. An instance that was superseded knows only what was true before, and "there was nothing to do" would
 * be a lie from it; but its writes are refused, and with them its answer.
 */
export function claim(store: NetworkStore): void {
  store.putNotes(store.notes());
}
