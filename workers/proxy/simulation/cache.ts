import type { CacheHabits } from "./plan.ts";
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Workers KV for one name: reads may return any value it held within the staleness of the schedule, or nothing, or fail. */
export class PolicyCache {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #habits: CacheHabits;
  /** Newest last. */
  readonly #held: { readonly since: number; readonly value: string | null }[] = [{ since: 0, value: null }];

  constructor(time: VirtualTime, random: Random, habits: CacheHabits) {
    this.#time = time;
    this.#random = random;
    this.#habits = habits;
  }

  put(value: string | null): void {
    this.#held.push({ since: this.#time.now(), value });
  }

  /** The binding, as far as `Directory` uses it. */
  namespace(): KVNamespace {
    return { get: () => this.#get() } as unknown as KVNamespace;
  }

  async #get(): Promise<string | null> {
    await this.#time.sleep(this.#random.ms(0, this.#habits.worstMs));
    if (this.#random.chance(this.#habits.fails)) throw new Error("KV failed.");
    if (this.#random.chance(this.#habits.empty)) return null;
    const oldest = this.#time.now() - this.#habits.staleMs;
    // What was replaced before the oldest moment that may be seen cannot be seen.
    const visible = this.#held.filter((_, index) => (this.#held[index + 1]?.since ?? Infinity) >= oldest);
    return this.#random.pick(visible).value;
  }
}
