import { Directory } from "../directory.ts";
import type { KnownKey } from "../directory.ts";
import type { LeaseBook } from "../lease-book.ts";
import type { LeaseAnswer, LeaseRequest } from "../objects/lease.ts";
import { passed } from "../outcome.ts";
import type { Outcome, Refused } from "../outcome.ts";
import { outrun, watchDuty } from "../steps/lease.ts";
import type { admit, Admission, decide } from "../steps/lease.ts";
import type { Intake } from "../steps/intake.ts";
import type { watch } from "../watch.ts";
import type { PolicyCache } from "./cache.ts";
import type { History, StartRecord } from "./history.ts";
import { EPOCH_MS } from "./plan.ts";
import type { PlannedRequest } from "./plan.ts";
import type { ObjectHome } from "./platform.ts";
import { intake, SUBJECT } from "./policies.ts";
import type { VirtualTime } from "./virtual-time.ts";

export type Ask = (locator: string, request: LeaseRequest) => Promise<LeaseAnswer>;

/** The parts of an isolate, the real ones or mutants of them. */
export interface IsolateParts {
  makeDirectory(kv: KVNamespace, now: () => number): ForgetfulDirectory;
  makeBook(ask: Ask, directory: Directory, now: () => number): LeaseBook;
  readonly decide: typeof decide;
  readonly admit: typeof admit;
  readonly watch: typeof watch;
  /** Time that passes between the last check and the start: none in the real thing. */
  readonly afterCheckMs: number;
}

/** As in relay.ts. */
const MAX_ATTEMPTS = 16;

/** A directory whose memory is full at moments that the schedule chooses. */
export class ForgetfulDirectory extends Directory {
  #forgotten = false;

  forget(): void {
    this.#forgotten = true;
  }

  override known(tokenHash: string): KnownKey | null {
    return this.#forgotten ? null : super.known(tokenHash);
  }

  override remember(tokenHash: string, text: string): KnownKey {
    const known = super.remember(tokenHash, text);
    this.#forgotten = false;
    return known;
  }
}

/** One isolate at one location: the real decision code on a clock of its own, with the shape of relay.ts around it. */
export class Isolate {
  readonly #index: number;
  readonly #time: VirtualTime;
  readonly #history: History;
  readonly #parts: IsolateParts;
  readonly #directory: ForgetfulDirectory;
  readonly #leases: LeaseBook;
  readonly #now: () => number;

  constructor(
    index: number,
    clockMs: number,
    world: {
      readonly time: VirtualTime;
      readonly history: History;
      readonly home: Pick<ObjectHome, "call">;
      readonly cache: PolicyCache;
      /** An answer arrived that may be relied on until this moment of true time. */
      readonly onLeased: (isolate: number, endsMs: number) => void;
    },
    parts: IsolateParts,
  ) {
    const { time, history, home, cache, onLeased } = world;
    this.#index = index;
    this.#time = time;
    this.#history = history;
    this.#parts = parts;
    this.#now = () => EPOCH_MS + Math.floor(time.now() + clockMs);
    this.#directory = parts.makeDirectory(cache.namespace(), this.#now);
    const ask: Ask = async (_locator, request) => {
      const invoked = time.instant();
      const askedMs = time.now();
      const answer = await home.call((holder) => holder.lease(request));
      const version = answer.kind === "known" ? answer.version : 0;
      history.answers.push({ invoked, returned: time.instant(), version });
      onLeased(index, askedMs + answer.leaseMs);
      return answer;
    };
    this.#leases = parts.makeBook(ask, this.#directory, this.#now);
  }

  /** Its memory was full: it knows nothing of the key any more, but still has its leases. */
  forget(): void {
    this.#directory.forget();
  }

  /** One request, as `decideAndSend` and `receive` of relay.ts handle it. */
  async serve(request: PlannedRequest): Promise<void> {
    const began = this.#time.instant();
    const read = intake(request.aim, request.network);
    const parts = { directory: this.#directory, leases: this.#leases, now: this.#now };
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const decision = await this.#parts.decide(SUBJECT, read, parts, keep);
      if (!decision.ok) {
        this.#refuse(request, began, decision);
        return;
      }
      // The data key is unwrapped, which may take long, the first time only.
      await this.#time.sleep(attempt === 0 ? request.workMs : Math.min(request.workMs, 5));
      const admitted = this.#parts.admit(SUBJECT, read, decision.value, parts);
      if (admitted === "lapsed") continue;
      if (!admitted.ok) {
        this.#refuse(request, began, admitted);
        return;
      }
      if (this.#parts.afterCheckMs > 0) await this.#time.sleep(this.#parts.afterCheckMs);
      const start = this.#start(request, began, decision.value);
      if (request.openMs > 0) await this.#stream(request, request.openMs, read);
      start.over = this.#time.instant();
      const { lease } = decision.value;
      if (lease !== null) this.#leases.land(SUBJECT, request.network, lease, keep);
      return;
    }
    this.#refuse(request, began, outrun(SUBJECT, read, parts));
  }

  #start({ aim, network }: PlannedRequest, began: number, { known, lease }: Admission): StartRecord {
    const start: StartRecord = {
      began,
      at: this.#time.instant(),
      ms: this.#time.now(),
      isolate: this.#index,
      aim,
      network,
      version: known.snapshot.version,
      leaseVersion: lease?.version ?? null,
      windowStart: lease?.windows[0] ?? null,
      over: null,
    };
    this.#history.starts.push(start);
    return start;
  }

  #refuse({ aim, network }: PlannedRequest, began: number, { reason }: Refused): void {
    const { instant, now } = { instant: this.#time.instant(), now: this.#time.now() };
    this.#history.refusals.push({ began, at: instant, ms: now, isolate: this.#index, aim, network, reason });
  }

  /** An exchange that is watched over until it ends or is cut. */
  async #stream({ aim, network }: PlannedRequest, openMs: number, read: Intake): Promise<void> {
    const openedMs = this.#time.now();
    const parts = { directory: this.#directory, leases: this.#leases, now: this.#now };
    // Vendor keys that a customer's key opens have tests of their own.
    const opens = (): Promise<Outcome<unknown>> => Promise.resolve(passed(null));
    const duty = { ...watchDuty(SUBJECT, network, read, parts, keep), opens };
    const watching = this.#parts.watch(duty);
    const ended = this.#time.sleep(openMs).then(() => null);
    const refusal = await Promise.race([ended, watching.refusal]);
    watching.end();
    this.#history.streams.push({
      aim,
      network,
      openedMs,
      closedMs: this.#time.now(),
      closed: this.#time.instant(),
      cut: refusal?.reason ?? null,
    });
  }
}

function keep(): void {
  // The world goes on until nothing is left to happen: there is nobody to keep alive.
}
