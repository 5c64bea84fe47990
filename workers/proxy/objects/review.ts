import { toHex } from "@relaykey/core/bytes";
import { encodeMail } from "@relaykey/core/mail";
import type { KeyRef, RemovalState, ReviewView, ReviewedKey, TrustedNetwork } from "@relaykey/core/rpc";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { isMailable } from "./announcer.ts";
import type { Announcer } from "./announcer.ts";
import { canonicalBlock } from "./block.ts";
import type { HolderKeys } from "./holder-keys.ts";
import { endOfKey } from "./key-end.ts";
import { presentPending } from "./links.ts";
import type { MailSeed } from "./links.ts";
import { take } from "./mail-bucket.ts";
import type { BucketPolicy } from "./mail-bucket.ts";
import { claim } from "./network-store.ts";
import type { NetworkStore } from "./network-store.ts";
import type { Pending, RandomBytes } from "./pending.ts";
import type { Trust } from "./trust.ts";

/** How long a link to the page about a holder's own networks works. */
export const REVIEW_MS = 30 * 60_000;
/** Anybody who knows an address can ask for such a mail; its holder is spared more than a few. */
export const REVIEW_MAILS: BucketPolicy = { burst: 3, refillMs: 30 * 60_000 };
/** Links that work at the same time; the one that ends first makes room. */
const MAX_LINKS = 16;
/** What a review's mail is made from in place of an entry: no entry has this id. */
const SUBJECT = "review";

/** A review's mail but for its token. */
export interface AdmittedReview {
  readonly to: string;
  readonly organizationId: string;
  readonly holderId: string;
  readonly holderName: string;
  readonly organizationName: string;
  readonly mailId: string;
  readonly expiresAt: number;
}

/** A key that was frozen, and how its policy is enforced. */
export type FrozenKey = KeyRef & Pick<PolicySnapshot, "enforcement">;

/** What a review needs from its surroundings. */
interface ReviewWorld {
  readonly now: () => number;
  readonly random: RandomBytes;
  /** Messages were added. */
  readonly stir: () => void;
}

/**
 * The holder looks through the own networks and keys, and takes back what should not be. What gives the right to is a link
 * of its own kind, known by the hash of its token: it comes by mail, or from the page where an address was just answered for.
 */
export class Review {
  readonly #store: NetworkStore;
  readonly #trust: Trust;
  readonly #pending: Pending;
  readonly #announcer: Announcer;
  readonly #keys: HolderKeys;
  readonly #world: ReviewWorld;

  constructor(
    store: NetworkStore,
    parts: { readonly trust: Trust; readonly pending: Pending; readonly announcer: Announcer },
    keys: HolderKeys,
    world: ReviewWorld,
  ) {
    this.#store = store;
    this.#trust = parts.trust;
    this.#pending = parts.pending;
    this.#announcer = parts.announcer;
    this.#keys = keys;
    this.#world = world;
  }

  /** Asks for a mail with a link, unless there is nobody to mail, nothing to look at, or the mailbox is being spared. */
  ask(holderLocator: string): boolean {
    const now = this.#world.now();
    const snapshot = this.#living(now);
    const notes = this.#store.notes();
    const reviewMails = take(REVIEW_MAILS, notes.reviewMails, now);
    if (snapshot === null || !isMailable(snapshot) || reviewMails === null) return false;
    const generation = (notes.review?.generation ?? 0) + 1;
    const nonce = toHex(this.#world.random(32));
    this.#store.putNotes({
      ...notes,
      reviewMails,
      review: { generation, nonce, expiresAt: now + REVIEW_MS },
    });
    const body = encodeMail({ v: 1, kind: "review", holderLocator, generation });
    this.#store.addMessage({ queue: "mail", body, due: now });
    this.#world.stir();
    return true;
  }

  /** What a mail that was asked for is made from. Of several on their way the newest counts. */
  seed(generation: number): MailSeed | null {
    const now = this.#world.now();
    const { review } = this.#store.notes();
    if (review?.generation !== generation || now >= review.expiresAt) return null;
    const snapshot = this.#living(now);
    if (snapshot === null || !isMailable(snapshot)) return null;
    return { pendingId: SUBJECT, generation, nonce: review.nonce };
  }

  /** Makes a mail's link work. @returns null when another mail was asked for since its seed was read. */
  admit({ generation, nonce }: MailSeed, tokenHash: string): AdmittedReview | null {
    const now = this.#world.now();
    const { review } = this.#store.notes();
    const snapshot = this.#living(now);
    if (review?.nonce !== nonce || this.seed(generation) === null) return null;
    const to = snapshot?.holder.email ?? null;
    if (snapshot === null || to === null) return null;
    this.#put(tokenHash, review.expiresAt, now);
    const { organizationId, holderId, holder, organizationName } = snapshot;
    return {
      to,
      organizationId,
      holderId,
      holderName: holder.name,
      organizationName,
      mailId: `${SUBJECT}.${nonce}`,
      expiresAt: review.expiresAt,
    };
  }

  /** Makes a link work for whoever has just answered for an address, with that answer's link. */
  open(confirmationHash: string, tokenHash: string): boolean {
    const now = this.#world.now();
    const link = this.#store.link(confirmationHash);
    const entry = link === null ? null : this.#store.pendingById(link.pendingId);
    const isAnswered = entry?.state === "confirmed" || entry?.state === "rejected";
    if (link === null || !isAnswered || now >= link.expiresAt) return false;
    this.#put(tokenHash, now + REVIEW_MS, now);
    return true;
  }

  /** Looks; changes nothing. */
  view(tokenHash: string): ReviewView | { readonly state: "ended" } {
    const now = this.#world.now();
    const expiresAt = this.#store.reviewLink(tokenHash);
    const newest = this.#keys.snapshots().at(-1);
    if (expiresAt === null || now >= expiresAt || newest === undefined) return { state: "ended" };
    return {
      state: "open",
      holderName: newest.holder.name,
      organizationName: newest.organizationName,
      trusted: this.#trust.list(newest.confirmation, now),
      preapproved: newest.confirmation.preapproved,
      pending: this.#pending.open(now).map(presentPending),
      keys: this.#keys
        .snapshots()
        .filter((snapshot) => endOfKey(snapshot, now) !== "key_ended")
        .map(presentKey),
      expiresAt,
    };
  }

  /**
   * Stops trusting a network; answers when no request starts from it any more. What an admin approved is the admin's to
   * take back.
   */
  async remove(tokenHash: string, text: string): Promise<{ readonly state: RemovalState }> {
    claim(this.#store);
    const now = this.#world.now();
    const view = this.view(tokenHash);
    if (view.state === "ended") return view;
    const network = canonicalBlock(text, 128) ?? text;
    const known = this.#store.trustedNetwork(network);
    if (known?.source === "approved") return { state: "approved" };
    if (known !== null) {
      this.#trust.remove(network);
      this.#tell(known, now);
    }
    const isCovered =
      known !== null &&
      this.#keys
        .snapshots()
        .some(({ confirmation }) => this.#trust.standing(confirmation, network, now) === "admitted");
    // Also when there was nothing to remove: an earlier call may have died while it waited.
    await this.#keys.waitOut();
    return { state: known === null ? "not_trusted" : isCovered ? "covered" : "removed_now" };
  }

  /** Freezes one of the holder's keys in the holder's name; answers when it is enforced. */
  async freeze(
    tokenHash: string,
    keyId: string,
  ): Promise<{
    readonly state: "frozen_now" | "frozen" | "key_ended" | "ended";
    readonly key: FrozenKey | null;
  }> {
    claim(this.#store);
    const now = this.#world.now();
    if (this.view(tokenHash).state === "ended") return { state: "ended", key: null };
    const snapshot = this.#keys.snapshotOf(keyId);
    const end = endOfKey(snapshot, now);
    if (snapshot === null || end === "key_ended") return { state: "key_ended", key: null };
    if (end === null) {
      const freezes = this.#keys.freeze(keyId);
      this.#announcer.notify("key.frozen", `${keyId}.frozen.${String(freezes)}`, snapshot, now, {
        by: "holder",
        freezes,
      });
      this.#world.stir();
    }
    await this.#keys.enforce(keyId);
    const { tokenHash: hash, holderLocator, enforcement } = snapshot;
    const key = { keyId, tokenHash: hash, holderLocator, enforcement };
    return { state: end === null ? "frozen_now" : "frozen", key };
  }

  #tell({ network, place }: TrustedNetwork, now: number): void {
    const newest = this.#keys.snapshots().at(-1);
    if (newest === undefined) return;
    this.#announcer.notifyOfHolder(
      "holder.network_removed",
      `${network}.removed.${String(now)}`,
      newest,
      now,
      {
        network,
        country: place.country,
        city: place.city,
        operator: place.network,
      },
    );
    this.#world.stir();
  }

  #put(tokenHash: string, expiresAt: number, now: number): void {
    const links = this.#store
      .reviewLinks()
      .filter((link) => link.tokenHash !== tokenHash)
      .sort((one, other) => other.expiresAt - one.expiresAt);
    for (const [index, link] of links.entries()) {
      if (now >= link.expiresAt || index >= MAX_LINKS - 1) this.#store.removeReviewLink(link.tokenHash);
    }
    this.#store.putReviewLink({ tokenHash, expiresAt });
  }

  /** The policy of a key that is not at its end: there is something to look at. */
  #living(now: number): PolicySnapshot | null {
    return this.#keys.snapshots().findLast((snapshot) => endOfKey(snapshot, now) !== "key_ended") ?? null;
  }
}

function presentKey({ keyId, name, display, integration, state, ip }: PolicySnapshot): ReviewedKey {
  return {
    keyId,
    name,
    display,
    integration: integration.slug,
    isFrozen: state === "frozen",
    addresses: ip.mode,
  };
}
