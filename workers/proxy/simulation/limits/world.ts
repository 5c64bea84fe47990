import type { BlockReason } from "@relaykey/core/block-reasons";
import { judge } from "@relaykey/core/judge";
import type { Limits } from "@relaykey/core/limits";
import { decodeSnapshot, encodeSnapshot } from "@relaykey/core/snapshot";
import type { ForgetfulDirectory, Ask } from "../isolate.ts";
import type { LeaseBook } from "../../lease-book.ts";
import type { LeaseSubject } from "../../start-lease.ts";
import type { KnownKey } from "../../directory.ts";
import type { LeaseAnswer } from "../../objects/lease.ts";
import { passed } from "../../outcome.ts";
import { outrun } from "../../steps/lease.ts";
import { EPOCH_MS } from "../plan.ts";
import { ObjectHome } from "../platform.ts";
import { intake, snapshotText } from "../policies.ts";
import { Random } from "../random.ts";
import type { System } from "../system.ts";
import { VirtualTime } from "../virtual-time.ts";
import { drawLimitsPlan } from "./plan.ts";
import type { LimitsPlan, PlannedRequest } from "./plan.ts";

/** What became of one request. */
export interface Fate {
  readonly key: number;
  /** The isolate (each successor of a crashed one is another), the network and the key: who holds a lease. */
  readonly lessee: string;
  readonly at: number;
  /** When it was sent to the vendor, or refused; null: it ended with its isolate. */
  settled: number | null;
  started: boolean;
  reason: BlockReason | null;
  /** When its exchange with the vendor ended. */
  over: number;
  /** The same two moments in the total order of all that happened. */
  settledOrder: number;
  overOrder: number;
}

/** What was seen of one schedule, and the moments at which something ended without a word. */
export interface LimitsHistory {
  readonly fates: readonly Fate[];
  /** Lessees, by the beginning of their name, that crashed. */
  readonly crashed: ReadonlyMap<string, number>;
}

/** As in relay.ts. */
const MAX_ATTEMPTS = 16;

export function subjectOf(key: number): LeaseSubject {
  return { hash: `${String(key)}e`.repeat(32), locator: "0123456789abcdef" };
}

/** Runs the schedule of one seed. The same seed gives the same history. */
export async function simulateLimits(
  seed: number,
  system: System,
): Promise<{ readonly plan: LimitsPlan; readonly history: LimitsHistory }> {
  const random = new Random(seed);
  const plan = drawLimitsPlan(random);
  const time = new VirtualTime(random);
  const uninstall = time.install();
  try {
    const home = new ObjectHome(time, random, plan, system.platform, system.makeHolder);
    const fates: Fate[] = [];
    const crashed = new Map<string, number>();
    let born = 0;
    const bear = (index: number): LimitedIsolate => {
      born += 1;
      return new LimitedIsolate(
        `isolate ${String(born)}`,
        plan.isolateClocks[index] ?? 0,
        time,
        home,
        fates,
        system,
      );
    };
    const isolates = plan.isolateClocks.map((_, index) => bear(index));
    for (const [key, limits] of plan.limits.entries()) {
      time.after(0, () => void home.call((holder) => holder.apply(snapshotOf(key, limits, plan.holder))));
    }
    for (const request of plan.requests) {
      time.after(request.at, () => void isolates[request.isolate]?.serve(request));
    }
    for (const { at, isolate } of plan.crashes) {
      time.after(at, () => {
        const old = isolates[isolate];
        if (old === undefined) return;
        old.crash();
        crashed.set(old.name, time.now());
        isolates[isolate] = bear(isolate);
      });
    }
    for (const at of plan.restarts) {
      time.after(at, () => {
        home.restart({ at, lingersMs: null, clockMs: plan.objectClockMs });
      });
    }
    await time.run(plan.endMs + 60_000);
    return { plan, history: { fates, crashed } };
  } finally {
    uninstall();
  }
}

function snapshotOf(key: number, limits: Limits, ofHolder: Limits): string {
  const decoded = decodeSnapshot(snapshotText("wide", 1, limits));
  if (!decoded.ok) throw new Error(decoded.error);
  const { snapshot } = decoded;
  return encodeSnapshot({
    ...snapshot,
    keyId: `key_${String(key)}`,
    tokenHash: subjectOf(key).hash,
    holder: { ...snapshot.holder, limits: ofHolder },
  });
}

/** The real decision code on a clock of its own, with the shape of relay.ts around it. */
class LimitedIsolate {
  readonly name: string;
  readonly #time: VirtualTime;
  readonly #fates: Fate[];
  readonly #system: System;
  readonly #directory: ForgetfulDirectory;
  readonly #leases: LeaseBook;
  readonly #now: () => number;
  #alive = true;

  constructor(
    name: string,
    clockMs: number,
    time: VirtualTime,
    home: ObjectHome,
    fates: Fate[],
    system: System,
  ) {
    this.name = name;
    this.#time = time;
    this.#fates = fates;
    this.#system = system;
    this.#now = () => EPOCH_MS + Math.floor(time.now() + clockMs);
    const noCache = { get: () => Promise.resolve(null) } as unknown as KVNamespace;
    this.#directory = system.makeDirectory(noCache, this.#now);
    const ask: Ask = async (_locator, request) => {
      const answer = this.#alive ? await home.call((holder) => holder.lease(request)) : null;
      // Nothing reaches or leaves an isolate that has ended.
      return this.#alive && answer !== null ? answer : new Promise<LeaseAnswer>(() => undefined);
    };
    this.#leases = system.makeBook(ask, this.#directory, this.#now);
  }

  crash(): void {
    this.#alive = false;
    for (const fate of this.#fates) if (fate.lessee.startsWith(`${this.name} `)) this.#end(fate);
  }

  async serve(request: PlannedRequest): Promise<void> {
    const subject = subjectOf(request.key);
    const fate: Fate = {
      key: request.key,
      lessee: `${this.name} ${request.network} key ${String(request.key)}`,
      at: this.#time.now(),
      settled: null,
      started: false,
      reason: null,
      over: Infinity,
      settledOrder: Infinity,
      overOrder: Infinity,
    };
    this.#fates.push(fate);
    const read = intake("common", request.network);
    const parts = { directory: this.#directory, leases: this.#leases, now: this.#now };
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const decision = await this.#system.decide(subject, read, parts, keep);
      if (this.#isGone()) return;
      if (!decision.ok) {
        this.#settle(fate, decision.reason);
        return;
      }
      await this.#time.sleep(request.workMs);
      if (this.#isGone()) return;
      const admitted = this.#system.admit(subject, read, decision.value, parts);
      if (admitted === "lapsed") continue;
      this.#settle(fate, admitted.ok ? null : admitted.reason);
      if (!admitted.ok) return;
      await this.#exchange(request, subject);
      this.#end(fate);
      const { lease } = decision.value;
      if (lease !== null && !this.#isGone()) this.#leases.land(subject, request.network, lease, keep);
      return;
    }
    this.#settle(fate, outrun(subject, read, parts).reason);
  }

  #isGone(): boolean {
    return !this.#alive;
  }

  #settle(fate: Fate, reason: BlockReason | null): void {
    fate.settled = this.#time.now();
    fate.settledOrder = this.#time.instant();
    fate.started = reason === null;
    fate.reason = reason;
  }

  #end(fate: Fate): void {
    fate.over = Math.min(fate.over, this.#time.now());
    fate.overOrder = Math.min(fate.overOrder, this.#time.instant());
  }

  /** Until it ends, or is cut: slots must be spoken for while it is open. */
  async #exchange({ openMs, network }: PlannedRequest, subject: LeaseSubject): Promise<void> {
    if (openMs === 0) return;
    const watching = this.#system.watch({
      subject,
      known: () => this.#directory.known(subject.hash),
      judge: (known: KnownKey) => judge(known, intake("common", network), this.#now()),
      hold: (whose) => this.#leases.hold(whose, network, keep),
      refresh: this.#leases.refresh.bind(this.#leases),
      isCurrent: this.#leases.isCurrent.bind(this.#leases),
      opens: () => Promise.resolve(passed(null)),
      keep,
    });
    await Promise.race([this.#time.sleep(openMs), watching.refusal]);
    watching.end();
  }
}

function keep(): void {
  // The world goes on until nothing is left to happen.
}
