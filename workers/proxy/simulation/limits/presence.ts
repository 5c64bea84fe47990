/** How many there were at the same time, of things that came and went. */
export class Presence {
  readonly #comings: readonly number[];
  readonly #goings: readonly number[];

  constructor(stays: readonly { readonly from: number; readonly to: number }[]) {
    this.#comings = stays.map(({ from }) => from).sort((one, other) => one - other);
    this.#goings = stays.map(({ to }) => to).sort((one, other) => one - other);
  }

  /** The most at any moment of a span. Who goes at a moment is still there at it. */
  peak(from: number, to: number): number {
    let come = countUntil(this.#comings, from, true);
    let gone = countUntil(this.#goings, from, false);
    let most = come - gone;
    for (; come < this.#comings.length; come += 1) {
      const moment = this.#comings[come] ?? Infinity;
      if (moment > to) break;
      while ((this.#goings[gone] ?? Infinity) < moment) gone += 1;
      most = Math.max(most, come + 1 - gone);
    }
    return most;
  }
}

/** How many of the sorted moments are before one, or at it as well. */
function countUntil(sorted: readonly number[], moment: number, inclusive: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = sorted[middle] ?? Infinity;
    if (value < moment || (inclusive && value === moment)) low = middle + 1;
    else high = middle;
  }
  return low;
}
