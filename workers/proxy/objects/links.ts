import type { ConfirmationEnd, ConfirmationView, EndedLink, PendingNetwork } from "@relaykey/core/rpc";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { isMailable, whereabouts } from "./announcer.ts";
import type { Announcer } from "./announcer.ts";
import type { NetworkStore, StoredPending } from "./network-store.ts";
import { endOfKey } from "./key-end.ts";
import { Pending, isOpen } from "./pending.ts";
import { isShared } from "./trust.ts";
import type { Trust } from "./trust.ts";

/** Wrong numbers until an entry is locked. */
export const MAX_MISMATCHES = 3;

/** What a mail is made from; its link's token is derived from these by who has the key. */
export interface MailSeed {
  readonly pendingId: string;
  readonly generation: number;
  readonly nonce: string;
}

/** Ends by which nothing was decided about the key: a link that comes too late to confirm can still say "this wasn't me". */
const UNDECIDED: ReadonlySet<ConfirmationEnd> = new Set(["expired", "locked"]);

/** Where a link leads: to an entry that can be confirmed, or to an end. */
type Lead =
  | {
      readonly end: null;
      readonly entry: StoredPending;
      readonly snapshot: PolicySnapshot;
      readonly expiresAt: number;
    }
  | {
      readonly end: ConfirmationEnd;
      readonly entry: StoredPending | null;
      readonly snapshot: PolicySnapshot | null;
    };

/**
 * What the links in mail can do. A link is known by the hash of its token. Each works for 15 minutes; an older one goes on
 * working beside a newer, because mails can overtake each other, until one of them is used: it is the entry that is used up.
 */
export class Links {
  readonly #store: NetworkStore;
  readonly #trust: Trust;
  readonly #pending: Pending;
  readonly #announcer: Announcer;
  readonly #snapshotOf: (keyId: string) => PolicySnapshot | null;

  /** @param snapshotOf a key's policy as it holds now; null for one that was revoked before it was ever applied. */
  constructor(
    store: NetworkStore,
    trust: Trust,
    pending: Pending,
    announcer: Announcer,
    snapshotOf: (keyId: string) => PolicySnapshot | null,
  ) {
    this.#store = store;
    this.#trust = trust;
    this.#pending = pending;
    this.#announcer = announcer;
    this.#snapshotOf = snapshotOf;
  }

  /** What the newest mail about an entry is made from; null when there is nothing to confirm, or nobody to mail. */
  seed(pendingId: string, now: number): MailSeed | null {
    const entry = this.#store.pendingById(pendingId);
    if (entry === null || entry.generation === 0 || !isOpen(entry, now)) return null;
    const snapshot = this.#policyOf(entry, now);
    if (endOfKey(snapshot, now) !== null || snapshot === null || !isMailable(snapshot)) return null;
    return { pendingId, generation: entry.generation, nonce: entry.nonce };
  }

  /** Makes a link work. @returns null when the entry has moved on since its seed was read. */
  admit(
    { pendingId, generation }: MailSeed,
    tokenHash: string,
    now: number,
  ): { readonly view: ConfirmationView; readonly snapshot: PolicySnapshot } | null {
    const entry = this.#store.pendingById(pendingId);
    if (entry?.generation !== generation || this.seed(pendingId, now) === null) return null;
    if (this.#store.link(tokenHash) === null) {
      this.#store.putLink(tokenHash, { pendingId, expiresAt: entry.expiresAt });
    }
    const lead = this.#follow(tokenHash, now);
    return lead.end === null ? { view: viewOf(lead), snapshot: lead.snapshot } : null;
  }

  view(tokenHash: string, now: number): ConfirmationView | EndedLink {
    const lead = this.#follow(tokenHash, now);
    if (lead.end === null) return viewOf(lead);
    const { end: state, snapshot } = lead;
    if (snapshot === null || !canReject(lead, now)) return { state };
    const { name: keyName, display: keyDisplay, organizationName } = snapshot;
    return { state, freezable: { keyName, keyDisplay, organizationName } };
  }

  /** Trusts the network of a link. The caller waits out what was answered before. */
  confirm(
    tokenHash: string,
    number: string | null,
    now: number,
  ): {
    readonly state: "confirmed_now" | "mismatch" | ConfirmationEnd;
    readonly entry: StoredPending | null;
  } {
    const lead = this.#follow(tokenHash, now);
    if (lead.end !== null) return { state: lead.end, entry: lead.entry };
    const { entry, snapshot } = lead;
    if (number === null && demandsNumber(lead)) return { state: "mismatch", entry };
    if (number !== null && number !== entry.number) return this.#mismatch(entry, now);
    this.#trust.add(entry.network, "confirmed", entry.request.place, now);
    this.#pending.settleInside(entry.network, now);
    const confirmed: StoredPending = { ...entry, state: "confirmed", settled: false };
    this.#store.putPending(confirmed);
    this.#announcer.notify("holder.network_confirmed", `${entry.id}.confirmed`, snapshot, now, {
      pending_id: entry.id,
      ...whereabouts(entry),
    });
    return { state: "confirmed_now", entry: confirmed };
  }

  /** Ends an entry in anger. The caller freezes the keys that were used from there. */
  reject(
    tokenHash: string,
    now: number,
  ): { readonly state: "frozen_now" | ConfirmationEnd; readonly entry: StoredPending | null } {
    const lead = this.#follow(tokenHash, now);
    if (lead.entry === null || !canReject(lead, now)) {
      return { state: lead.end ?? "unknown", entry: lead.entry };
    }
    const rejected: StoredPending = { ...lead.entry, state: "rejected" };
    this.#store.putPending(rejected);
    this.#store.putNotes({ ...this.#store.notes(), suspectedAt: now });
    return { state: "frozen_now", entry: rejected };
  }

  resend(tokenHash: string, now: number): { readonly state: "sent" | "throttled" | ConfirmationEnd } {
    const lead = this.#follow(tokenHash, now);
    if (lead.end !== null && lead.end !== "expired") return { state: lead.end };
    const { entry, snapshot } = lead;
    if (entry === null || snapshot === null) return { state: "unknown" };
    // The network may have asked again since: there is one entry for it, and the mail is about that one.
    const current = this.#pending.current(entry.network, now);
    if (current !== null && current.state !== "pending") return { state: "locked" };
    if (current === null && !this.#pending.makeRoom({ familiar: true, attempts: Infinity }, now))
      return { state: "throttled" };
    const revived = current ?? {
      ...entry,
      number: this.#numberFor(entry, now),
      matching: this.#pending.isSuspicious(now) || entry.matching,
      lastSeen: now,
    };
    const announced = this.#announcer.announceAgain(snapshot, revived, now);
    if (announced === null) return { state: "throttled" };
    this.#store.putPending(announced);
    return { state: "sent" };
  }

  /** The number of an expired entry may have been given to another since. */
  #numberFor(entry: StoredPending, now: number): string {
    const isTaken = this.#pending.open(now).some(({ number }) => number === entry.number);
    return isTaken ? this.#pending.freshNumber(now) : entry.number;
  }

  #mismatch(entry: StoredPending, now: number): { state: "mismatch" | "locked"; entry: StoredPending } {
    const mismatches = entry.mismatches + 1;
    const isLocked = mismatches >= MAX_MISMATCHES;
    const counted: StoredPending = {
      ...entry,
      mismatches,
      matching: true,
      state: isLocked ? "locked" : "pending",
    };
    this.#store.putPending(counted);
    this.#store.putNotes({ ...this.#store.notes(), suspectedAt: now });
    return { state: isLocked ? "locked" : "mismatch", entry: counted };
  }

  /** The policy of the first of its keys that can still be used; of the first one when none can. */
  #policyOf({ keyIds }: StoredPending, now: number): PolicySnapshot | null {
    const snapshots = keyIds.map((keyId) => this.#snapshotOf(keyId));
    return snapshots.find((snapshot) => endOfKey(snapshot, now) === null) ?? snapshots[0] ?? null;
  }

  #follow(tokenHash: string, now: number): Lead {
    const link = this.#store.link(tokenHash);
    const entry = link === null ? null : this.#store.pendingById(link.pendingId);
    if (link === null || entry === null) return { end: "unknown", entry: null, snapshot: null };
    const snapshot = this.#policyOf(entry, now);
    if (entry.state !== "pending") return { end: entry.state, entry, snapshot };
    const ended = endOfKey(snapshot, now);
    if (ended !== null || snapshot === null) return { end: ended ?? "key_ended", entry, snapshot };
    // The policy may have changed since: nobody can confirm it any more, or it is no one client any more.
    const isStale =
      isShared(snapshot.confirmation, entry.network) ||
      !Pending.isConsistent(snapshot, entry.network, entry.request);
    if (isStale) return { end: "unknown", entry, snapshot };
    if (!isOpen(entry, now) || now >= link.expiresAt) {
      // There is nothing to send a new mail for when the network was trusted in another way meanwhile.
      const isAdmitted = this.#trust.standing(snapshot.confirmation, entry.network, now) === "admitted";
      return { end: isAdmitted ? "confirmed" : "expired", entry, snapshot };
    }
    return { end: null, entry, snapshot, expiresAt: Math.min(link.expiresAt, entry.expiresAt) };
  }
}

/** An entry as others may see it. */
export function presentPending(entry: StoredPending): PendingNetwork {
  const { id, network, request, since, lastSeen, attempts, expiresAt, generation } = entry;
  return {
    id,
    network,
    keyId: entry.keyIds[0] ?? "",
    request,
    since,
    lastSeen,
    attempts,
    expiresAt,
    mailed: generation > 0,
  };
}

function canReject({ end, snapshot }: Lead, now: number): boolean {
  return end === null || (UNDECIDED.has(end) && endOfKey(snapshot, now) === null);
}

function demandsNumber({ entry, snapshot }: Lead & { readonly end: null }): boolean {
  return entry.matching || snapshot.confirmation.numberMatching;
}

function viewOf(lead: Lead & { readonly end: null }): ConfirmationView {
  const { entry, snapshot, expiresAt } = lead;
  return {
    state: "pending",
    pending: presentPending(entry),
    keyName: snapshot.name,
    keyDisplay: snapshot.display,
    holderName: snapshot.holder.name,
    organizationName: snapshot.organizationName,
    numberMatching: demandsNumber(lead),
    expiresAt,
  };
}
