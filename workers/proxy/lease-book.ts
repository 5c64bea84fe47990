import { BoundedMap } from "./bounded-map.ts";
import { within } from "./deadline.ts";
import type { Directory } from "./directory.ts";
import { LEASE_MS } from "./objects/lease.ts";
import type { HolderBlock, LeaseAnswer, LeaseRequest } from "./objects/lease.ts";

/** The token a lease is on: its hash, and the locator that names its holder's object. */
export interface LeaseSubject {
  readonly hash: string;
  readonly locator: string;
}

/** Permission to start requests from one network, until a moment of this isolate's clock. */
export interface StartLease {
  readonly until: number;
  /** The policy version the object answered under. */
  readonly version: number;
  readonly block: HolderBlock | null;
  readonly retryAfterMs: number | null;
  readonly windowStart: number | null;
  /** Requests that may still start; null = not limited. */
  remaining: number | null;
  /** Requests started under it: how hot the key is. */
  started: number;
}

/** "Nothing newer than this version has been reported as enforced" until a moment of this isolate's clock. */
interface CurrencyLease {
  readonly until: number;
  /** null: the object knows no such key. */
  readonly version: number | null;
}

const CAPACITY = 10_000;
const ASK_DEADLINE_MS = 5_000;
/** A hot key's lease is renewed when less than this is left of it. */
const RENEW_AHEAD_MS = LEASE_MS / 4;
/** Most requests asked for at once on behalf of a key that has limits. */
const MAX_WANT = 1_000;

/**
 * The leases this isolate holds. Time is counted from *before* the object was asked, the object counts from *after*:
 * a lease here always ends before it ends there, with no agreement between the clocks.
 *
 * Workers note: the platform's clock stands still while code runs and moves at I/O. Every check follows the I/O that
 * delivered the request or an await, so it is late by at most the CPU time since then.
 */
export class LeaseBook {
  readonly #starts = new BoundedMap<string, StartLease>(CAPACITY);
  readonly #currency = new BoundedMap<string, CurrencyLease>(CAPACITY);
  readonly #asking = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, number>();
  readonly #ask: (locator: string, request: LeaseRequest) => Promise<LeaseAnswer>;
  readonly #directory: Directory;
  readonly #now: () => number;

  constructor(
    ask: (locator: string, request: LeaseRequest) => Promise<LeaseAnswer>,
    directory: Directory,
    now: () => number,
  ) {
    this.#ask = ask;
    this.#directory = directory;
    this.#now = now;
  }

  /** Whether this version of a key's policy (null: "there is no such key") may be relied on right now. */
  isCurrent(hash: string, version: number | null): boolean {
    const lease = this.#currency.get(hash);
    if (lease === undefined || this.#now() >= lease.until) return false;
    return version === null || lease.version === null ? version === lease.version : version >= lease.version;
  }

  /**
   * A live lease to start requests from `network`, or null. A blocked lease is returned too: it says why.
   * An empty one is not: it must be asked for again.
   */
  live(hash: string, network: string): StartLease | null {
    const lease = this.#starts.get(startKey(hash, network));
    if (lease === undefined || this.#now() >= lease.until) return null;
    return lease.block === null && lease.remaining === 0 ? null : lease;
  }

  /**
   * Takes one request out of a lease. Synchronous on purpose: it is called in the turn that calls `fetch`.
   *
   * @returns false when the lease has lapsed, is blocked or is empty; nothing may be sent then.
   */
  take(lease: StartLease): boolean {
    if (this.#now() >= lease.until || lease.block !== null || lease.remaining === 0) return false;
    if (lease.remaining !== null) lease.remaining -= 1;
    lease.started += 1;
    return true;
  }

  /** Asks whether the known version is current, without using anything up. Concurrent askers share one call. */
  async refresh(subject: LeaseSubject, keep: Keep): Promise<void> {
    await this.#once(subject.hash, keep, () => this.#fetchLease(subject, "", 0));
  }

  /** Asks for a lease to start requests from `network`. Concurrent askers share one call and say how many they are. */
  async renew(subject: LeaseSubject, network: string, keep: Keep): Promise<void> {
    const key = startKey(subject.hash, network);
    this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + 1);
    try {
      await this.#once(key, keep, () => this.#fetchLease(subject, network, this.#want(key)));
    } finally {
      const left = (this.#waiting.get(key) ?? 1) - 1;
      if (left > 0) this.#waiting.set(key, left);
      else this.#waiting.delete(key);
    }
  }

  /** Renews a hot key's lease ahead of its end, so that no request has to wait for it. */
  renewAhead(subject: LeaseSubject, network: string, lease: StartLease, keep: Keep): void {
    const runningOut = lease.remaining !== null && lease.remaining * 4 < lease.started;
    if (lease.block !== null || lease.started < 2) return;
    if (lease.until - this.#now() > RENEW_AHEAD_MS && !runningOut) return;
    if (this.#asking.has(startKey(subject.hash, network))) return;
    // A renewal that fails is felt by the next request that finds no lease; it is refused there, closed.
    keep(this.renew(subject, network, keep).catch(() => undefined));
  }

  #want(key: string): number {
    const waiting = this.#waiting.get(key) ?? 1;
    const started = this.#starts.get(key)?.started ?? 0;
    return Math.min(MAX_WANT, Math.max(1, waiting, started * 2));
  }

  async #fetchLease(subject: LeaseSubject, network: string, want: number): Promise<void> {
    const key = startKey(subject.hash, network);
    const previous = want > 0 ? this.#starts.get(key) : undefined;
    const unused =
      previous?.remaining !== undefined && previous.remaining !== null && previous.remaining > 0
        ? { count: previous.remaining, windowStart: previous.windowStart }
        : null;
    // Handed back means gone: from here on nobody can take from it, whether or not the answer arrives.
    if (previous !== undefined && unused !== null) previous.remaining = 0;
    const known = this.#directory.known(subject.hash);
    const askedAt = this.#now();
    const answer = await this.#ask(subject.locator, {
      tokenHash: subject.hash,
      network,
      haveVersion: known?.snapshot.version ?? null,
      want,
      unused,
    });
    this.#accept(subject, key, want, askedAt, answer);
  }

  #accept(subject: LeaseSubject, key: string, want: number, askedAt: number, answer: LeaseAnswer): void {
    const until = askedAt + answer.leaseMs;
    if (answer.kind === "known") {
      if (answer.snapshot !== null) this.#directory.remember(subject.hash, answer.snapshot);
      // Answers can overtake each other: an older one says nothing about the newer version known by now.
      const known = this.#directory.known(subject.hash);
      if (known === null || known.snapshot.version < answer.version) return;
      if (want > 0) {
        this.#starts.set(key, {
          until,
          version: answer.version,
          block: answer.block,
          retryAfterMs: answer.retryAfterMs,
          windowStart: answer.windowStart,
          remaining: answer.allowance,
          started: 0,
        });
      }
    }
    const version = answer.kind === "known" ? answer.version : null;
    const held = this.#currency.get(subject.hash);
    if (held === undefined || held.until < until || held.version !== version) {
      this.#currency.set(subject.hash, { until, version });
    }
  }

  /** One call for all who ask at the same time; kept alive when the request that began it is cancelled. */
  async #once(key: string, keep: Keep, call: () => Promise<void>): Promise<void> {
    let running = this.#asking.get(key);
    if (running === undefined) {
      running = within(call(), ASK_DEADLINE_MS, "The holder object").finally(() => {
        this.#asking.delete(key);
      });
      this.#asking.set(key, running);
      keep(running.catch(() => undefined));
    }
    await within(running, ASK_DEADLINE_MS, "The holder object");
  }
}

/** `ctx.waitUntil`: keeps work alive after the request that began it has gone. */
export type Keep = (work: Promise<unknown>) => void;

function startKey(hash: string, network: string): string {
  return `${hash} ${network}`;
}
