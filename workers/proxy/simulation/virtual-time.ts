import type { Random } from "./random.ts";

/** Something that will happen; `run` is null once it happened or was called off. */
export interface Timer {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

/**
 * The one clock behind all clocks of a simulated world, and its queue of what happens next. Each event is a turn: it
 * runs with everything it makes ready (promise reactions) before the next one begins. What falls on the same moment
 * happens in an order that chance decides.
 */
export class VirtualTime {
  #now = 0;
  #turn = 0;
  #instant = 0;
  readonly #queue: Timer[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** True time in ms, not rounded. No part of the simulated system may see it but through its own clock. */
  now(): number {
    return this.#now;
  }

  /** Counts events. What happens in one turn cannot be interrupted. */
  turn(): number {
    return this.#turn;
  }

  /** A number larger than all given out before: the total order of what was observed. */
  instant(): number {
    this.#instant += 1;
    return this.#instant;
  }

  after(ms: number, run: () => void): Timer {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#random.next(), run };
    this.#queue.push(timer);
    this.#siftUp(this.#queue.length - 1);
    return timer;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Runs events until none is left or `until` is reached. */
  async run(until: number): Promise<void> {
    for (;;) {
      const next = this.#pop();
      if (next === undefined || next.at > until) return;
      if (next.run === null) continue;
      this.#now = next.at;
      this.#turn += 1;
      const run = next.run;
      next.run = null;
      run();
      // A macrotask of the real event loop: all microtasks of this turn come before it.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /**
   * Lets the real code's own timers (`setTimeout` in deadline.ts, `scheduler.wait` in watch.ts) run on this clock.
   *
   * @returns a function that puts the real ones back.
   */
  install(): () => void {
    const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
    const hadScheduler = Object.getOwnPropertyDescriptor(globalThis, "scheduler");
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms: number) => this.after(ms, run),
      clearTimeout: (timer: Timer | undefined) => {
        if (timer !== undefined) timer.run = null;
      },
    });
    Object.defineProperty(globalThis, "scheduler", {
      configurable: true,
      value: { wait: (ms: number) => this.sleep(ms) },
    });
    return () => {
      Object.assign(globalThis, real);
      if (hadScheduler === undefined) Reflect.deleteProperty(globalThis, "scheduler");
      else Object.defineProperty(globalThis, "scheduler", hadScheduler);
    };
  }

  // A binary heap, smallest moment first.

  #pop(): Timer | undefined {
    const first = this.#queue[0];
    const last = this.#queue.pop();
    if (first === undefined || last === undefined || first === last) return first;
    this.#queue[0] = last;
    this.#siftDown();
    return first;
  }

  #siftUp(from: number): void {
    for (let index = from; index > 0;) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfLater(parent, index)) return;
      index = parent;
    }
  }

  #siftDown(): void {
    for (let index = 0; ;) {
      const left = 2 * index + 1;
      const child = this.#isLater(left, left + 1) ? left + 1 : left;
      if (!this.#swapIfLater(index, child)) return;
      index = child;
    }
  }

  #swapIfLater(parent: number, child: number): boolean {
    const upper = this.#queue[parent];
    const lower = this.#queue[child];
    if (upper === undefined || lower === undefined || !this.#isLater(parent, child)) return false;
    this.#queue[parent] = lower;
    this.#queue[child] = upper;
    return true;
  }

  #isLater(one: number, other: number): boolean {
    const a = this.#queue[one];
    const b = this.#queue[other];
    if (a === undefined || b === undefined) return false;
    return a.at === b.at ? a.order > b.order : a.at > b.at;
  }
}
