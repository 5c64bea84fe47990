import { toHex } from "@relaykey/core/bytes";
import { canonicalIp, compileNetworks } from "@relaykey/core/ip";
import type { BlockedRequest } from "@relaykey/core/rpc";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { PENDING_MS } from "./announcer.ts";
import type { Announcer } from "./announcer.ts";
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

  constructor(store: NetworkStore, trust: Trust, announcer: Announcer, random: RandomBytes) {
    this.#store = store;
    this.#trust = trust;
    this.#announcer = announcer;
    this.#random = random;
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
    const counted = { ...seen, keyIds, lastSeen: now, attempts: seen.attempts + want };
    if (seen.state === "locked") {
      this.#store.putPending(counted);
      return { mail: "locked", number: null, expiresInMs: seen.expiresAt - now };
    }
    const { entry, mail } = this.#announcer.announce(snapshot, counted, now);
    this.#store.putPending(entry);
    return { mail, number: entry.number, expiresInMs: entry.expiresAt - now };
  }

  /** The entry of a network that still counts: it can be confirmed, or is locked for a while. */
  current(network: string, now: number): StoredPending | null {
    const isCurrent = (entry: StoredPending): boolean =>
      entry.network === network &&
      now < entry.expiresAt &&
      (entry.state === "pending" || entry.state === "locked");
    return this.#store.pending().find(isCurrent) ?? null;
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

  /** Makes room for one more. @returns false when everybody else asks as eagerly. */
  makeRoom(familiar: boolean, now: number): boolean {
    const open = this.open(now);
    if (open.length < MAX_OPEN) return true;
    const [idle] = open
      // Who was mailed about, can be confirmed: that must not be taken away.
      .filter(
        (entry) => !entry.announced && (now - entry.lastSeen >= IDLE_MS || (familiar && !entry.familiar)),
      )
      .sort((one, other) => Number(one.familiar) - Number(other.familiar) || one.lastSeen - other.lastSeen);
    if (idle === undefined) return false;
    this.#store.removePending(idle.id);
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

  #open(
    snapshot: PolicySnapshot,
    network: string,
    request: BlockedRequest,
    now: number,
  ): StoredPending | null {
    this.#forgetEnded(now);
    this.#announcer.noteArrival(snapshot, now);
    const familiar = this.#trust.isFamiliar(request.place);
    if (!this.makeRoom(familiar, now)) return null;
    const others = this.open(now);
    const { suspectedAt, storm } = this.#store.notes();
    const isSuspicious = suspectedAt !== null && now - suspectedAt < SUSPICION_MS;
    // Two at the same time could be told apart by their numbers only.
    for (const other of others) if (!other.matching) this.#store.putPending({ ...other, matching: true });
    return {
      id: toHex(this.#random(16)),
      network,
      state: "pending",
      keyIds: [snapshot.keyId],
      request,
      since: now,
      lastSeen: now,
      attempts: 0,
      expiresAt: now + PENDING_MS,
      familiar,
      announced: false,
      generation: 0,
      nonce: toHex(this.#random(32)),
      number: this.freshNumber(now),
      matching: others.length > 0 || isSuspicious || storm !== null,
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
