import type { Holder, HolderWorld } from "../objects/holder.ts";
import type { HolderStore } from "../objects/holder-store.ts";
import { EPOCH_MS } from "./plan.ts";
import type { Plan, PlannedRestart } from "./plan.ts";
import type { Random } from "./random.ts";
import { MemoryStore, Tables } from "./store.ts";
import type { Write } from "./store.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What the platform promises about answers and writes; mutants take promises away. */
export interface PlatformRules {
  /** An answer leaves only when all that was written before it is on disk. */
  readonly answersWaitForWrites: boolean;
  /** An instance whose write was refused, because another one took over, cannot answer any more. */
  readonly supersededAnswersAreHeld: boolean;
}

export const REAL_PLATFORM: PlatformRules = { answersWaitForWrites: true, supersededAnswersAreHeld: true };

export type MakeHolder = (store: HolderStore, world: HolderWorld) => Holder;

/** The call cannot be answered any more: the instance died, or its writes were refused. */
class Gone extends Error {
  override readonly name = "Gone";
}

/**
 * The home of one Durable Object: at any time one instance owns the disk, and older ones may still run without knowing.
 * Writes reach the disk in order, a turn's writes together, some time after they were made, and only if their instance
 * owns the disk at that moment.
 */
export class ObjectHome {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #plan: Pick<Plan, "weather" | "objectClockMs">;
  readonly #rules: PlatformRules;
  readonly #makeHolder: MakeHolder;
  readonly #disk = new Tables();
  #owner: Instance;
  #lingering: Instance | null = null;
  #incarnations = 0;

  constructor(
    time: VirtualTime,
    random: Random,
    plan: Pick<Plan, "weather" | "objectClockMs">,
    rules: PlatformRules,
    makeHolder: MakeHolder,
  ) {
    this.#time = time;
    this.#random = random;
    this.#plan = plan;
    this.#rules = rules;
    this.#makeHolder = makeHolder;
    this.#owner = this.#start(plan.objectClockMs);
  }

  /** A new instance takes the disk over. */
  restart({ lingersMs, clockMs }: PlannedRestart): void {
    const previous = this.#owner;
    this.#lingering?.kill();
    this.#lingering = null;
    if (lingersMs === null) {
      previous.kill();
    } else {
      this.#lingering = previous;
      this.#time.after(lingersMs, () => {
        previous.kill();
      });
    }
    this.#owner = this.#start(clockMs);
  }

  /** A call from somewhere else. It, or its answer, may be late or lost; then it fails some time later, or never ends. */
  call<T>(work: (holder: Holder) => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const lose = (): void => {
        if (this.#random.chance(0.5)) {
          this.#time.after(this.#delay(), () => {
            reject(new Gone("The connection was lost."));
          });
        }
      };
      if (this.#random.chance(this.#plan.weather.lost)) {
        lose();
        return;
      }
      this.#time.after(this.#delay(), () => {
        this.#route()
          .serve(work)
          .then((answer) => {
            if (this.#random.chance(this.#plan.weather.lost)) lose();
            else {
              this.#time.after(this.#delay(), () => {
                resolve(answer);
              });
            }
          }, lose);
      });
    });
  }

  #start(clockMs: number): Instance {
    this.#incarnations += 1;
    const life: Life = {
      time: this.#time,
      clockMs,
      incarnation: `incarnation ${String(this.#incarnations)}`,
      confirmMs: () => this.#random.ms(0, this.#random.chance(0.8) ? 2 : this.#plan.weather.writeMs),
      randomByte: () => this.#random.int(0, 255),
      ownsDisk: (instance) => this.#owner === instance,
      rules: this.#rules,
      disk: this.#disk,
    };
    return new Instance(life, this.#makeHolder);
  }

  /** Callers that are still connected to an older instance do not know that there is a newer one. */
  #route(): Instance {
    const old = this.#lingering;
    return old?.isAlive === true && this.#random.chance(0.6) ? old : this.#owner;
  }

  #delay(): number {
    const { usualMs, worstMs } = this.#plan.weather;
    return this.#random.ms(0, this.#random.chance(0.85) ? usualMs : worstMs);
  }
}

interface Life {
  readonly time: VirtualTime;
  readonly clockMs: number;
  readonly incarnation: string;
  readonly rules: PlatformRules;
  readonly disk: Tables;
  confirmMs(): number;
  randomByte(): number;
  ownsDisk(instance: Instance): boolean;
}

class Instance {
  readonly #life: Life;
  readonly #holder: Holder;
  #alive = true;
  #refused = false;
  /** Written but not confirmed, oldest first. */
  readonly #unconfirmed: { readonly turn: number; readonly writes: Write[] }[] = [];
  #batches = 0;
  #confirmed = 0;
  #waiting: { readonly batches: number; readonly open: () => void }[] = [];

  constructor(life: Life, makeHolder: MakeHolder) {
    this.#life = life;
    const { time } = life;
    const store = new MemoryStore(life.disk.copy(), (write) => {
      this.#write(write);
    });
    this.#holder = makeHolder(store, {
      now: () => EPOCH_MS + Math.floor(time.now() + life.clockMs),
      wait: (ms) =>
        new Promise((resolve) => {
          time.after(ms, () => {
            // A dead instance does not go on.
            if (this.#alive) resolve();
          });
        }),
      incarnation: life.incarnation,
      random: (count) => Uint8Array.from({ length: count }, () => life.randomByte()),
    });
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  kill(): void {
    this.#alive = false;
  }

  async serve<T>(work: (holder: Holder) => T | Promise<T>): Promise<T> {
    if (!this.#alive) throw new Gone("There is nobody here.");
    const answer = await work(this.#holder);
    await this.#outputGate();
    return answer;
  }

  #outputGate(): Promise<void> {
    if (!this.#life.rules.answersWaitForWrites) return Promise.resolve();
    if (this.#alive && !this.#isHeld() && this.#confirmed >= this.#batches) return Promise.resolve();
    // It may never open: then the caller hears nothing.
    return new Promise((open) => this.#waiting.push({ batches: this.#batches, open }));
  }

  #isHeld(): boolean {
    return this.#refused && this.#life.rules.supersededAnswersAreHeld;
  }

  #write(write: Write): void {
    const { time } = this.#life;
    const newest = this.#unconfirmed.at(-1);
    if (newest?.turn === time.turn()) {
      newest.writes.push(write);
      return;
    }
    this.#unconfirmed.push({ turn: time.turn(), writes: [write] });
    this.#batches += 1;
    time.after(this.#life.confirmMs(), () => {
      this.#confirmOldest();
    });
  }

  #confirmOldest(): void {
    const writes = this.#unconfirmed.shift()?.writes ?? [];
    if (!this.#alive) return;
    if (this.#life.ownsDisk(this)) for (const write of writes) write(this.#life.disk);
    else this.#refused = true;
    this.#confirmed += 1;
    if (this.#isHeld()) return;
    const open = this.#waiting.filter(({ batches }) => batches <= this.#confirmed);
    this.#waiting = this.#waiting.filter(({ batches }) => batches > this.#confirmed);
    for (const waiting of open) waiting.open();
  }
}
