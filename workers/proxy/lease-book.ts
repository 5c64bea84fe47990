import type { RateLimitStatus } from "@relaykey/core/rate-limit-fields";
import { BoundedMap } from "./bounded-map.ts";
import { within } from "./deadline.ts";
import type { Directory } from "./directory.ts";
import { LEASE_MS } from "./objects/lease.ts";
import type { HolderBlock, LeaseAnswer, LeaseRequest, Quota } from "./objects/lease.ts";

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
  readonly windows: readonly (number | null)[];
  /** Requests that may be under way at the same time; null = not limited. */
  readonly slots: number | null;
  /** Until when "all slots are taken" is relied on without asking for more. */
  readonly fullUntil: number;
  readonly flight: Flight;
  readonly quota: (Quota & { readonly resetAt: number }) | null;
  /** Requests that may still start; null = not limited. */
  remaining: number | null;
  /** Requests started under it: how hot the key is. */
  started: number;
}

/** The requests of one key from one network that are under way in this isolate. */
interface Flight {
  count: number;
  /** Until when the object was told of it. */
  heldUntil: number;
  /** Requests that wait for one of these to end. */
  readonly waiting: Set<() => void>;
}

/** "Nothing newer than this version has been reported as enforced" until a moment of this isolate's clock. */
interface CurrencyLease {
  readonly until: number;
  /** null: the object knows no such key. */
  readonly version: number | null;
}

const CAPACITY = 10_000;
const ASK_DEADLINE_MS = 5_000;
/** How long a request waits for a slot before it is refused. */
const LANDING_MS = 50;
/** How long "all slots are taken" is believed. */
const FULL_MS = 100;
/** A hot key's lease is renewed when less than this is left of it. */
const RENEW_AHEAD_MS = LEASE_MS / 4;
/** Most requests asked for in advance on behalf of a key that has limits. */
const MAX_AHEAD = 1_000;

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
  readonly #flights = new Map<string, Flight>();
  readonly #asking = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, number>();
  readonly #ask: (locator: string, request: LeaseRequest) => Promise<LeaseAnswer>;
  readonly #directory: Directory;
  readonly #now: () => number;
  readonly #isolate: string;

  /** @param isolate names this isolate among all that ask the same objects. */
  constructor(
    ask: (locator: string, request: LeaseRequest) => Promise<LeaseAnswer>,
    directory: Directory,
    now: () => number,
    isolate: string = crypto.randomUUID(),
  ) {
    this.#ask = ask;
    this.#directory = directory;
    this.#now = now;
    this.#isolate = isolate;
  }

  /** Whether this version of a key's policy (null: "there is no such key") may be relied on right now. */
  isCurrent(hash: string, version: number | null): boolean {
    const lease = this.#currency.get(hash);
    if (lease === undefined || this.#now() >= lease.until) return false;
    return version === null || lease.version === null ? version === lease.version : version >= lease.version;
  }

  /**
   * A live lease to start requests from `network`, or null. A blocked lease is returned too: it says why.
   * An empty one, or one whose slots are all taken, is not: it must be asked for again.
   */
  live(hash: string, network: string): StartLease | null {
    const lease = this.#starts.get(startKey(hash, network));
    if (lease === undefined || this.#now() >= lease.until) return null;
    if (lease.block !== null) return lease;
    // A slot becomes free when an answer ends, here or elsewhere: "full" is asked about again soon, but not each time.
    if (isFull(lease))
      return this.#now() < lease.fullUntil ? { ...lease, block: "concurrency_limited" } : null;
    return lease.remaining === 0 ? null : lease;
  }

  /**
   * Takes one request out of a lease. Synchronous on purpose: it is called in the turn that calls `fetch`. A request that
   * was taken out must be landed once it is over.
   *
   * @returns false when the lease has lapsed, is blocked, empty or full; nothing may be sent then.
   */
  take(lease: StartLease): boolean {
    if (this.#now() >= lease.until || lease.block !== null || lease.remaining === 0 || isFull(lease)) {
      return false;
    }
    if (lease.remaining !== null) lease.remaining -= 1;
    lease.started += 1;
    lease.flight.count += 1;
    return true;
  }

  /** A request that was taken out of this lease is over: its slot is free. */
  land(subject: LeaseSubject, network: string, lease: StartLease, keep: Keep): void {
    const { flight } = lease;
    flight.count -= 1;
    for (const wake of flight.waiting) wake();
    // The slots go back once nothing can be started in them any more; others may be waiting.
    if (flight.count === 0 && lease.slots !== null) keep(this.#giveBack(subject, network, flight));
  }

  /**
   * Waits a moment for a slot of a full lease. A caller that has just read an answer to its end may be back before the
   * end has been noticed here: it must not be refused for its own last request.
   */
  async landing(lease: StartLease): Promise<void> {
    const { waiting } = lease.flight;
    let wake: () => void = () => undefined;
    const landed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    waiting.add(wake);
    await Promise.race([landed, pause(LANDING_MS)]);
    waiting.delete(wake);
  }

  async #giveBack(subject: LeaseSubject, network: string, flight: Flight): Promise<void> {
    const key = startKey(subject.hash, network);
    const lease = this.#starts.get(key);
    await pause(Math.max(0, (lease?.until ?? 0) - this.#now()) + 1);
    if (flight.count > 0 || this.live(subject.hash, network) !== null) return;
    this.#flights.delete(key);
    // If it fails, the object takes the slots back by itself, later.
    await this.#fetchLease(subject, network, 0).catch(() => undefined);
  }

  /** Asks whether the known version is current, without using anything up. Concurrent askers share one call. */
  async refresh(subject: LeaseSubject, keep: Keep): Promise<void> {
    await this.#once(subject.hash, keep, () => this.#fetchLease(subject, "", 0));
  }

  /**
   * Keeps the slot of an exchange that is under way: the object takes a slot back that nobody speaks for. Does nothing
   * while the object knows of it, or when the key has no slots.
   */
  async hold(subject: LeaseSubject, network: string, keep: Keep): Promise<void> {
    const flight = this.#flights.get(startKey(subject.hash, network));
    if (flight === undefined || this.#now() < flight.heldUntil) return;
    await this.#once(`hold ${startKey(subject.hash, network)}`, keep, () =>
      this.#fetchLease(subject, network, 0),
    );
  }

  /** Asks for a lease to start requests from `network`. Concurrent askers share one call and say how many they are. */
  async renew(subject: LeaseSubject, network: string, keep: Keep): Promise<void> {
    const key = startKey(subject.hash, network);
    this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + 1);
    try {
      await this.#once(key, keep, () => this.#fetchLease(subject, network, this.#waiting.get(key) ?? 1));
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

  async #fetchLease(subject: LeaseSubject, network: string, want: number): Promise<void> {
    const key = startKey(subject.hash, network);
    const previous = want > 0 ? this.#starts.get(key) : undefined;
    const unused =
      previous?.remaining !== undefined && previous.remaining !== null && previous.remaining > 0
        ? { count: previous.remaining, windows: previous.windows }
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
      // As many again as the lease before was used for.
      ahead: Math.min(MAX_AHEAD, (previous?.started ?? 0) * 2),
      unused,
      lessee: `${this.#isolate} ${network}`,
      flying: this.#flights.get(key)?.count ?? 0,
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
          block: answer.block === "concurrency_limited" ? null : answer.block,
          retryAfterMs: answer.retryAfterMs,
          windows: answer.windows,
          slots: answer.slots,
          fullUntil: askedAt + FULL_MS,
          // Without slots nobody counts.
          flight: answer.slots === null ? { count: 0, heldUntil: 0, waiting: new Set() } : this.#flight(key),
          quota: answer.quota === null ? null : { ...answer.quota, resetAt: askedAt + answer.quota.resetMs },
          remaining: answer.allowance,
          started: 0,
        });
      }
    }
    const flight = this.#flights.get(key);
    if (flight !== undefined) flight.heldUntil = Math.max(flight.heldUntil, until);
    const version = answer.kind === "known" ? answer.version : null;
    const held = this.#currency.get(subject.hash);
    if (held === undefined || held.until < until || held.version !== version) {
      this.#currency.set(subject.hash, { until, version });
    }
  }

  #flight(key: string): Flight {
    let flight = this.#flights.get(key);
    if (flight === undefined)
      this.#flights.set(key, (flight = { count: 0, heldUntil: 0, waiting: new Set() }));
    return flight;
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

function isFull(lease: StartLease): boolean {
  return lease.slots !== null && lease.flight.count >= lease.slots;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function startKey(hash: string, network: string): string {
  return `${hash} ${network}`;
}

/** What is left of the rate this lease is under, as far as this isolate knows. */
export function rateStatus(lease: StartLease, now: number): RateLimitStatus | null {
  if (lease.quota === null) return null;
  const { limit, windowSeconds, left, resetAt } = lease.quota;
  const resetSeconds = (resetAt - now) / 1_000;
  return { limit, windowSeconds, remaining: left + (lease.remaining ?? 0), resetSeconds };
}
