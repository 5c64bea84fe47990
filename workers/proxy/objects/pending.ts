import { toHex } from "@relaykey/core/bytes";
import { canonicalIp, compileNetworks } from "@relaykey/core/ip";
import type { BlockedRequest } from "@relaykey/core/rpc";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { PENDING_MS, mailState } from "./announcer.ts";
import type { Announcer } from "./announcer.ts";
import { endOfKey } from "./key-end.ts";
import type { ConfirmationHint } from "./lease.ts";
import type { NetworkStore, StoredPending } from "./network-store.ts";
import type { Trust } from "./trust.ts";

/** Networks of one holder that can wait at the same time. */
export const MAX_OPEN = 64;
/** Entries that have ended, kept so that their links can say how. */
const MAX_ENDED = 64;
const ENDED_MS = 86_400_000;
/** An entry that nobody has asked about for so long gives way to a network that asks now. */
const IDLE_MS = 60_000;
/** Networks without an entry whose persistence is remembered, in memory only: it decides about turns, not about trust. */
const MAX_KNOCKS = 20_000;
/** So long after a wrong number or a rejection, numbers have to be typed. */
const SUSPICION_MS = 86_400_000;

/** Source of unguessable bytes. */
export type RandomBytes = (count: number) => Uint8Array;

/** The networks that wait for the holder's word: one entry per network, a bounded number of them, whoever calls. */
export class Pending {
  readonly #store: NetworkStore;
  readonly #trust: Trust;
  readonly #announcer: Announcer;
  readonly #random: RandomBytes;
  readonly #snapshotOf: (keyId: string) => PolicySnapshot | null;
  /** How often a network asked that has found no room yet. */
  readonly #knocks = new Map<string, number>();

  constructor(
    store: NetworkStore,
    trust: Trust,
    announcer: Announcer,
    random: RandomBytes,
    snapshotOf: (keyId: string) => PolicySnapshot | null,
  ) {
    this.#store = store;
    this.#trust = trust;
    this.#announcer = announcer;
    this.#random = random;
    this.#snapshotOf = snapshotOf;
  }

  /** Whether a request comes from the network that it says, counted as the key's newest policy counts. */
  static isConsistent(snapshot: PolicySnapshot, network: string, request: BlockedRequest): boolean {
    const { v6Prefix } = snapshot.confirmation;
    return canonicalIp(request.address, { v6Prefix })?.network === network;
  }

  /** A request from an unknown network was refused. Opens an entry, or notes that it goes on; asks for a mail once. */
  turnAway(
    snapshot: PolicySnapshot,
    network: string,
    request: BlockedRequest,
    want: number,
    now: number,
  ): ConfirmationHint {
    const known = this.current(network, now);
    const seen = known ?? this.#open(snapshot, network, request, now);
    if (seen === null) return { mail: "spared", number: null, expiresInMs: null };
    const { keyId } = snapshot;
    const keyIds = seen.keyIds.includes(keyId) ? seen.keyIds : [...seen.keyIds, keyId];
    // Nobody was promised a time yet: an entry that waits for its mail lasts for as long as it is asked for.
    const expiresAt = seen.announced || seen.state === "locked" ? seen.expiresAt : now + PENDING_MS;
    const counted = { ...seen, keyIds, lastSeen: now, attempts: seen.attempts + want, expiresAt };
    if (seen.state === "locked") {
      this.#store.putPending(counted);
      return { mail: "locked", number: null, expiresInMs: seen.expiresAt - now };
    }
    this.#store.putPending(counted.announced ? this.#announcer.announce(snapshot, counted, now) : counted);
    this.grantMails(now);
    const entry = this.#store.pendingById(counted.id) ?? counted;
    return {
      mail: mailState(snapshot, entry),
      number: entry.number,
      expiresInMs: entry.expiresAt - now,
    };
  }

  /** Gives the mails that can be sent to those who ask most: who comes at the right moment must not win by it. */
  grantMails(now: number): void {
    const next = this.#announcer.nextAt(this.waiting(now), now);
    if (next === null || next > now) return;
    const waiting = this.waiting(now).sort(
      (one, other) =>
        Number(other.familiar) - Number(one.familiar) ||
        other.attempts - one.attempts ||
        one.since - other.since,
    );
    for (const entry of waiting) {
      const snapshot = this.#snapshotOf(entry.keyIds[0] ?? "");
      if (snapshot === null || endOfKey(snapshot, now) !== null) {
        this.#store.removePending(entry.id);
        continue;
      }
      const announced = this.#announcer.announce(snapshot, entry, now);
      if (announced !== entry) this.#store.putPending(announced);
    }
  }

  /** Those that nobody was told of yet. */
  waiting(now: number): StoredPending[] {
    return this.open(now).filter(({ announced }) => !announced);
  }

  /** The entry of a network that still counts: it can be confirmed, or is locked for a while. */
  current(network: string, now: number): StoredPending | null {
    const isCurrent = ({ state, expiresAt }: StoredPending): boolean =>
      now < expiresAt && (state === "pending" || state === "locked");
    return this.#store.pendingOf(network).find(isCurrent) ?? null;
  }

  /** Those that can be confirmed now. */
  open(now: number): StoredPending[] {
    return this.#store.pending().filter((entry) => isOpen(entry, now));
  }

  /** Ends the entries of networks that were trusted in another way. */
  settleInside(block: string, now: number): void {
    const inside = compileNetworks([block]);
    for (const entry of this.open(now)) {
      if (inside.contains(entry.network))
        this.#store.putPending({ ...entry, state: "confirmed", settled: true });
    }
  }

  /**
   * Makes room for one more, at the cost of one that nobody was told of, and that is idle, less familiar, or has asked less
   * often.
   */
  makeRoom(newcomer: { readonly familiar: boolean; readonly attempts: number }, now: number): boolean {
    const open = this.open(now);
    if (open.length < MAX_OPEN) return true;
    const [weakest] = open
      // Who was mailed about, can be confirmed: that must not be taken away.
      .filter(({ announced }) => !announced)
      .filter(
        ({ familiar, attempts, lastSeen }) =>
          now - lastSeen >= IDLE_MS ||
          (newcomer.familiar && !familiar) ||
          (newcomer.familiar === familiar && attempts < newcomer.attempts),
      )
      .sort(
        (one, other) =>
          Number(one.familiar) - Number(other.familiar) ||
          one.attempts - other.attempts ||
          one.lastSeen - other.lastSeen,
      );
    if (weakest === undefined) return false;
    this.#store.removePending(weakest.id);
    return true;
  }

  /** A number that no other open entry has. */
  freshNumber(now: number): string {
    const taken = new Set(this.open(now).map(({ number }) => number));
    for (;;) {
      const [high = 0, low = 0] = this.#random(2);
      // Of the 65,536 values the first 65,000 fall evenly on a thousand numbers.
      const value = high * 256 + low;
      const number = String(value % 1_000).padStart(3, "0");
      if (value < 65_000 && !taken.has(number)) return number;
    }
  }

  /** Whether one more entry, now, has to be confirmed with its number; so do those then that are there already. */
  isSuspicious(now: number): boolean {
    const others = this.open(now);
    // Two at the same time can be told apart by their numbers only.
    for (const other of others) if (!other.matching) this.#store.putPending({ ...other, matching: true });
    const { suspectedAt } = this.#store.notes();
    return others.length > 0 || (suspectedAt !== null && now - suspectedAt < SUSPICION_MS);
  }

  #open(
    snapshot: PolicySnapshot,
    network: string,
    request: BlockedRequest,
    now: number,
  ): StoredPending | null {
    this.#announcer.noteArrival(snapshot, now);
    const familiar = this.#trust.isFamiliar(request.place);
    const knocks = this.#knocks.get(network) ?? 0;
    if (!this.makeRoom({ familiar, attempts: knocks }, now)) {
      if (this.#knocks.size >= MAX_KNOCKS) this.#knocks.clear();
      this.#knocks.set(network, knocks + 1);
      return null;
    }
    this.#knocks.delete(network);
    this.#forgetEnded(now);
    return {
      id: toHex(this.#random(16)),
      network,
      state: "pending",
      keyIds: [snapshot.keyId],
      request,
      since: now,
      lastSeen: now,
      attempts: knocks,
      expiresAt: now + PENDING_MS,
      familiar,
      announced: false,
      generation: 0,
      nonce: toHex(this.#random(32)),
      number: this.freshNumber(now),
      matching: this.isSuspicious(now),
      mismatches: 0,
      settled: false,
    };
  }

  #forgetEnded(now: number): void {
    const ended = this.#store
      .pending()
      .filter((entry) => !isOpen(entry, now) && !(entry.state === "locked" && now < entry.expiresAt))
      .sort((one, other) => other.lastSeen - one.lastSeen);
    for (const [index, entry] of ended.entries()) {
      if (index >= MAX_ENDED || now - entry.lastSeen >= ENDED_MS) this.#store.removePending(entry.id);
    }
  }
}

export function isOpen(entry: StoredPending, now: number): boolean {
  return entry.state === "pending" && now < entry.expiresAt;
}
