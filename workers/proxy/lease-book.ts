import { BoundedMap } from "./bounded-map.ts";
import { within } from "./deadline.ts";
import type { BlockedRequest } from "@relaykey/core/rpc";
import type { Directory } from "./directory.ts";
import type { LeaseAnswer, LeaseRequest, Unused } from "./objects/lease.ts";
import { isFull, newFlight, startLease } from "./start-lease.ts";
import type {
  CurrencyLease,
  Flight,
  LeaseSubject,
  NetworkLease,
  Question,
  StartLease,
} from "./start-lease.ts";

const CAPACITY = 10_000;
const ASK_DEADLINE_MS = 5_000;
/** How long a request waits for a slot before it is refused. */
const LANDING_MS = 50;
/** A lease that ended no longer ago than this still says how hot a key is. */
const RECENT_MS = 500;
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
  readonly #networks = new BoundedMap<string, NetworkLease>(CAPACITY);
  readonly #flights = new Map<string, Flight>();
  readonly #asking = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, number>();
  /** The number of the last question for each lease: an answer to an earlier one comes too late. */
  readonly #asked = new BoundedMap<string, number>(CAPACITY);
  #questions = 0;
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

  /** Whether the holder admits this network right now; null: that is not known right now. */
  admits(hash: string, network: string): boolean | null {
    const lease = this.#networks.get(startKey(hash, network));
    return lease === undefined || this.#now() >= lease.until ? null : lease.isAdmitted;
  }

  /** Whether the object may have to be told who calls: not while the network was admitted the last time. */
  isNewHere(hash: string, network: string): boolean {
    return this.#networks.get(startKey(hash, network))?.isAdmitted !== true;
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

  /** Whether all slots of the last lease are taken. */
  isFull(hash: string, network: string): boolean {
    const lease = this.#starts.get(startKey(hash, network));
    return lease !== undefined && isFull(lease);
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
    lease.flight.peak = Math.max(lease.flight.peak, lease.flight.count);
    return true;
  }

  /** A request that was taken out of this lease is over: its slot is free. */
  land(subject: LeaseSubject, network: string, lease: StartLease, keep: Keep): void {
    const { flight } = lease;
    flight.count -= 1;
    for (const wake of flight.waiting) wake();
    // While the lease lasts, more may be started in the slots; after it nobody else would give them back.
    const isOver = this.#now() >= (this.#starts.get(startKey(subject.hash, network))?.until ?? 0);
    if (lease.slots !== null && isOver) keep(this.#giveBack(subject, network, keep));
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

  /** When a lease ends without having been renewed, what is left of it goes back: others may be waiting for it. */
  async #settle(subject: LeaseSubject, network: string, lease: StartLease, keep: Keep): Promise<void> {
    await pause(Math.max(0, lease.until - this.#now()) + 1);
    if (this.#starts.get(startKey(subject.hash, network)) === lease) {
      await this.#giveBack(subject, network, keep);
    }
  }

  /** Hands back what nothing can be started with any more: allowance of a lease that is over, slots without requests. */
  async #giveBack(subject: LeaseSubject, network: string, keep: Keep): Promise<void> {
    const key = startKey(subject.hash, network);
    // The question that is under way may have been sent before the lease was over.
    await this.#asking.get(key)?.catch(() => undefined);
    const lease = this.#starts.get(key);
    if (lease !== undefined && this.#now() < lease.until) return;
    const flight = this.#flights.get(key);
    const hasSlots = flight?.count === 0;
    if (hasSlots) this.#flights.delete(key);
    if (!hasSlots && (lease?.remaining ?? 0) === 0) return;
    // If it fails, the object takes the slots back by itself, later. The allowance counts as used.
    await this.#once(key, keep, () => this.#fetchLease(subject, network, 0, keep)).catch(() => undefined);
  }

  /** Asks whether the known version is current, without using anything up. Concurrent askers share one call. */
  async refresh(subject: LeaseSubject, keep: Keep): Promise<void> {
    await this.#once(subject.hash, keep, () => this.#fetchLease(subject, "", 0, keep));
  }

  /** Asks whether the known version is current, and whether its holder still admits the network. */
  async recheck(subject: LeaseSubject, network: string, keep: Keep): Promise<void> {
    await this.#once(startKey(subject.hash, network), keep, () =>
      this.#fetchLease(subject, network, 0, keep),
    );
  }

  /**
   * Keeps the slot of an exchange that is under way: the object takes a slot back that nobody speaks for. Does nothing
   * while the object knows of it, or when the key has no slots.
   */
  async hold(subject: LeaseSubject, network: string, keep: Keep): Promise<void> {
    const key = startKey(subject.hash, network);
    const flight = this.#flights.get(key);
    if (flight === undefined || this.#now() < flight.heldUntil) return;
    await this.#once(key, keep, () => this.#fetchLease(subject, network, 0, keep));
  }

  /**
   * Asks for a lease to start requests from `network`. Concurrent askers share one call and say how many they are.
   *
   * @param caller one of them, when the holder may have to be asked about the network.
   */
  async renew(
    subject: LeaseSubject,
    network: string,
    keep: Keep,
    caller: BlockedRequest | null = null,
  ): Promise<void> {
    const key = startKey(subject.hash, network);
    this.#waiting.set(key, (this.#waiting.get(key) ?? 0) + 1);
    try {
      await this.#once(key, keep, () =>
        this.#fetchLease(subject, network, this.#waiting.get(key) ?? 1, keep, caller),
      );
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
    if (this.#now() < lease.renewFrom && !runningOut) return;
    if (this.#asking.has(startKey(subject.hash, network))) return;
    // A renewal that fails is felt by the next request that finds no lease; it is refused there, closed.
    keep(this.renew(subject, network, keep).catch(() => undefined));
  }

  /** @param waiting requests that wait to be started; 0 only gives back and speaks for what is under way. */
  async #fetchLease(
    subject: LeaseSubject,
    network: string,
    waiting: number,
    keep: Keep,
    caller: BlockedRequest | null = null,
  ): Promise<void> {
    const key = startKey(subject.hash, network);
    const askedAt = this.#now();
    const lease = this.#starts.get(key);
    const isLive = lease !== undefined && askedAt < lease.until;
    const recent = lease !== undefined && askedAt < lease.until + RECENT_MS ? lease : null;
    const want = waiting === 0 ? 0 : Math.max(waiting, recent?.unserved ?? 0);
    const flight = this.#flights.get(key);
    const flying = flight?.count ?? 0;
    // Until the answer comes, no more slots are used than were needed of late: the others may have the rest.
    if (isLive && want > 0 && lease.slots !== null) {
      lease.slots = Math.min(lease.slots, Math.max(flying, lease.flight.peak));
    }
    if (want > 0 && flight !== undefined) flight.peak = flight.count;
    const question = { askedAt, network, want, flying };
    const sent = await this.#send(subject, network, {
      caller,
      want,
      // As many again as the lease before was used for.
      ahead: Math.min(MAX_AHEAD, (recent?.started ?? 0) * 2),
      unused: lease !== undefined && (want > 0 || !isLive) ? takeBack(lease) : null,
      flying,
      keeps: isLive ? Math.max(flying, lease.slots ?? 0) : flying,
    });
    const { number, answer } = sent;
    const isLatest = this.#asked.get(key) === number;
    const accepted = this.#accept(subject, key, question, answer, isLatest);
    if (accepted !== null) {
      const isLimited = accepted.remaining !== null || accepted.slots !== null;
      if (isLimited) keep(this.#settle(subject, network, accepted, keep));
    } else if (answer.kind === "known" && (answer.allowance ?? 0) > 0) {
      // Nothing can be started with it, so it must not be kept. The slots are another question's business.
      const unused = { count: answer.allowance ?? 0, windows: answer.windows };
      await this.#send(subject, "", { caller: null, want: 0, ahead: 0, unused, flying: 0, keeps: 0 });
    }
  }

  async #send(
    { hash, locator }: LeaseSubject,
    network: string,
    wish: Pick<LeaseRequest, "caller" | "want" | "ahead" | "unused" | "flying" | "keeps">,
  ): Promise<{ readonly number: number; readonly answer: LeaseAnswer }> {
    this.#questions += 1;
    const number = this.#questions;
    this.#asked.set(startKey(hash, network), number);
    const answer = await this.#ask(locator, {
      tokenHash: hash,
      network,
      haveVersion: this.#directory.known(hash)?.snapshot.version ?? null,
      ...wish,
      lessee: `${this.#isolate} ${network}`,
      number,
    });
    return { number, answer };
  }

  /** @returns the lease that the answer is, if requests may be started under it. */
  #accept(
    subject: LeaseSubject,
    key: string,
    question: Question,
    answer: LeaseAnswer,
    isLatest: boolean,
  ): StartLease | null {
    const until = question.askedAt + answer.leaseMs;
    let lease: StartLease | null = null;
    if (answer.kind === "known") {
      if (answer.snapshot !== null) this.#directory.remember(subject.hash, answer.snapshot);
      // Answers can overtake each other: an older one says nothing about the newer version known by now.
      const known = this.#directory.known(subject.hash);
      if (known === null || known.snapshot.version < answer.version) return null;
      this.#acceptNetwork(key, question, until, answer);
      if (question.want > 0 && isLatest) {
        // Without slots nobody counts.
        const flight = answer.slots === null ? newFlight() : this.#flight(key);
        lease = startLease(answer, question, flight, this.#waiting.get(key) ?? 0);
        this.#starts.set(key, lease);
      }
    }
    const flight = this.#flights.get(key);
    if (flight !== undefined) flight.heldUntil = Math.max(flight.heldUntil, until);
    const version = answer.kind === "known" ? answer.version : null;
    const held = this.#currency.get(subject.hash);
    if (held === undefined || held.until < until || held.version !== version) {
      this.#currency.set(subject.hash, { until, version });
    }
    return lease;
  }

  /** Of answers that overtake each other the one that was asked for last counts: "admitted" is a lease like any other. */
  #acceptNetwork(
    key: string,
    { network }: Question,
    until: number,
    { block }: Extract<LeaseAnswer, { kind: "known" }>,
  ): void {
    if (network === "") return;
    const held = this.#networks.get(key);
    if (held === undefined || held.until < until) {
      this.#networks.set(key, { until, isAdmitted: block !== "ip_unconfirmed" });
    }
  }

  #flight(key: string): Flight {
    let flight = this.#flights.get(key);
    if (flight === undefined) this.#flights.set(key, (flight = newFlight()));
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

/** Handed back means gone: from here on nobody can take from it, whether or not the answer arrives. */
function takeBack(lease: StartLease): Unused | null {
  const count = lease.remaining ?? 0;
  if (count <= 0) return null;
  lease.remaining = 0;
  return { count, windows: lease.windows };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function startKey(hash: string, network: string): string {
  return `${hash} ${network}`;
}
