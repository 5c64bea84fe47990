import { CONFIRMATION_MINUTES } from "@relaykey/core/confirmation";
import { encodeMail } from "@relaykey/core/mail";
import { encodeNotice } from "@relaykey/core/notice";
import type { Notice, NoticeType } from "@relaykey/core/notice";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import type { ConfirmationHint } from "./lease.ts";
import { take, untilNext } from "./mail-bucket.ts";
import type { BucketPolicy } from "./mail-bucket.ts";
import type { HolderNotes, NetworkStore, StoredPending } from "./network-store.ts";

/** How long an entry, and each of its links, can be used. */
export const PENDING_MS = CONFIRMATION_MINUTES * 60_000;

/** Mails that strangers can cause: a handful, however many addresses they call from. */
export const MAILS: BucketPolicy = { burst: 4, refillMs: 10 * 60_000 };
/** A storm that goes on is told of less and less. */
export const MAILS_OF_A_DAY: BucketPolicy = { burst: 12, refillMs: 2 * 3_600_000 };
/** More of them for networks of providers that the holder uses already, so that a storm from elsewhere does not use these up. */
export const FAMILIAR_MAILS: BucketPolicy = { burst: 3, refillMs: 3_600_000 };
/** Mails that only a reader of the mailbox can cause. */
export const RESENT_MAILS: BucketPolicy = { burst: 3, refillMs: 5 * 60_000 };

/** So many new networks within so long are no person who travels. */
export const STORM_NETWORKS = 10;
const ARRIVALS_MS = 15 * 60_000;
/** A storm is over when nothing new came for so long; the next one is another. */
const STORM_OVER_MS = 60 * 60_000;

/** What the holder and the admins are told of, and how often. Messages go to the store; `Outbox` brings them to the queues. */
export class Announcer {
  readonly #store: NetworkStore;

  constructor(store: NetworkStore) {
    this.#store = store;
  }

  /** Asks for a mail about an entry, unless that was done or the mailbox is being spared. Admins are told with it. */
  announce(snapshot: PolicySnapshot, entry: StoredPending, now: number): StoredPending {
    const canMail = isMailable(snapshot);
    if (entry.generation > 0 || (entry.announced && !canMail)) return entry;
    const notes = this.#spend(entry, now);
    if (notes === null) return entry;
    this.#store.putNotes(notes);
    const announced: StoredPending = {
      ...entry,
      announced: true,
      // The mail is new, so its link works for as long as it says.
      expiresAt: now + PENDING_MS,
      generation: canMail ? 1 : 0,
    };
    if (!entry.announced) this.#tellOfPending(snapshot, announced, canMail, now);
    if (canMail) this.#mail(snapshot, announced, now);
    return announced;
  }

  /** A new mail for whoever has a link of this entry. @returns null while the mailbox is being spared. */
  announceAgain(snapshot: PolicySnapshot, entry: StoredPending, now: number): StoredPending | null {
    const notes = this.#store.notes();
    const resentMails = isMailable(snapshot) ? take(RESENT_MAILS, notes.resentMails, now) : null;
    if (resentMails === null) return null;
    this.#store.putNotes({ ...notes, resentMails });
    const announced = {
      ...entry,
      announced: true,
      expiresAt: now + PENDING_MS,
      generation: entry.generation + 1,
    };
    this.#mail(snapshot, announced, now);
    return announced;
  }

  /** When the next mail about one of these entries could be asked for; null when none waits for one. */
  nextAt(waiting: readonly StoredPending[], now: number): number | null {
    const { mails, mailsOfDay, familiarMails } = this.#store.notes();
    const waits = waiting.map(({ familiar }) =>
      Math.min(
        Math.max(untilNext(MAILS, mails, now), untilNext(MAILS_OF_A_DAY, mailsOfDay, now)),
        familiar ? untilNext(FAMILIAR_MAILS, familiarMails, now) : Infinity,
      ),
    );
    return waits.length === 0 ? null : now + Math.min(...waits);
  }

  /** A network asks that had no entry. Too many of them are a storm, of which admins are told once. */
  noteArrival(snapshot: PolicySnapshot, now: number): void {
    const notes = this.#store.notes();
    const before = notes.arrivals;
    const arrivals =
      before === null || now - before.since >= ARRIVALS_MS
        ? { since: now, count: 1 }
        : { ...before, count: before.count + 1 };
    const isOver = notes.storm === null || now - notes.storm.last >= STORM_OVER_MS;
    const isOne = arrivals.count >= STORM_NETWORKS;
    const storm = isOver
      ? isOne
        ? { since: now, last: now, networks: arrivals.count }
        : null
      : { ...notes.storm, last: now, networks: notes.storm.networks + 1 };
    this.#store.putNotes({ ...notes, arrivals, storm });
    if (isOver && isOne) {
      this.notify("holder.confirmation_storm", `storm.${String(now)}`, snapshot, now, {
        networks: arrivals.count,
      });
    }
  }

  notify(
    type: NoticeType,
    happening: string,
    snapshot: PolicySnapshot,
    now: number,
    data: Notice["data"],
  ): void {
    const { keyId, integration, name } = snapshot;
    const about = { keyId, integrationId: integration.id };
    this.#notify(type, happening, snapshot, about, now, { key: name, ...data });
  }

  /** Of what concerns all keys of the holder. */
  notifyOfHolder(
    type: NoticeType,
    happening: string,
    snapshot: PolicySnapshot,
    now: number,
    data: Notice["data"],
  ): void {
    this.#notify(type, happening, snapshot, { keyId: null, integrationId: null }, now, data);
  }

  #notify(
    type: NoticeType,
    happening: string,
    { holderLocator, organizationId, holderId, holder }: PolicySnapshot,
    about: Pick<Notice, "keyId" | "integrationId">,
    now: number,
    data: Notice["data"],
  ): void {
    const notice: Notice = {
      v: 1,
      type,
      dedupeKey: `${holderLocator}.${happening}`,
      organizationId,
      holderId,
      ...about,
      at: now,
      data: { holder: holder.name, ...data },
    };
    this.#store.addMessage({ queue: "notice", body: encodeNotice(notice), due: now });
  }

  #spend(entry: StoredPending, now: number): HolderNotes | null {
    const notes = this.#store.notes();
    const mails = take(MAILS, notes.mails, now);
    const mailsOfDay = take(MAILS_OF_A_DAY, notes.mailsOfDay, now);
    if (mails !== null && mailsOfDay !== null) return { ...notes, mails, mailsOfDay };
    const familiarMails = entry.familiar ? take(FAMILIAR_MAILS, notes.familiarMails, now) : null;
    return familiarMails === null ? null : { ...notes, familiarMails };
  }

  #mail({ holderLocator }: PolicySnapshot, { id }: StoredPending, now: number): void {
    const body = encodeMail({ v: 1, kind: "confirmation", holderLocator, pendingId: id });
    this.#store.addMessage({ queue: "mail", body, due: now });
  }

  #tellOfPending(snapshot: PolicySnapshot, entry: StoredPending, mailed: boolean, now: number): void {
    this.notify("holder.network_pending", `${entry.id}.pending`, snapshot, now, {
      pending_id: entry.id,
      ...whereabouts(entry),
      mailed,
    });
  }
}

/** What a notice says of a network. */
export function whereabouts({ network, request }: StoredPending): Notice["data"] {
  const { address, place, integration } = request;
  return {
    network,
    address,
    integration,
    country: place.country,
    city: place.city,
    operator: place.network,
  };
}

/** What became of the mail about an entry. */
export function mailState(snapshot: PolicySnapshot, { generation }: StoredPending): ConfirmationHint["mail"] {
  if (generation > 0) return "sent";
  return isMailable(snapshot) ? "spared" : "unsendable";
}

export function isMailable({ holder }: PolicySnapshot): boolean {
  return holder.email !== null && holder.mailable;
}
