import type { Fragment } from "./fragment.ts";

/** Leaps over bytes that cannot belong to an occurrence. */
export interface Filter {
  /** The first position at or after `from` at which an occurrence could begin. The last byte always could. */
  skip(bytes: Uint8Array, from: number): number;
  /** How far to look byte by byte before it pays to leap again. */
  readonly stride: number;
}

/** A longer window leaps further, but more pairs of bytes look like a part of the secret. */
const MAX_WINDOW = 32;

/**
 * Every occurrence is at least `window` bytes long. So an occurrence that begins within a window of that length reaches
 * its end, and the last two bytes of the window are a pair from the occurrence's beginning. Where they are no such pair,
 * no occurrence begins before the second of them, and one look has cleared the window (after Wu and Manber's and
 * Navarro and Raffinot's string matching). Where they are, the pairs before them are asked, from the back.
 */
export function createFilter(forms: readonly (readonly Fragment[])[]): Filter {
  const window = forms.reduce((least, form) => Math.min(least, shortestOf(form)), MAX_WINDOW);
  const stride = window >> 1;
  const pairs = new Uint32Array(65_536 / 32);
  for (const form of forms) addPairs(pairs, form, window - 2);

  function skip(bytes: Uint8Array, from: number): number {
    const last = bytes.length - 2;
    let start = from;
    for (;;) {
      // Cut off at the end of the bytes, the window is shorter and says no less.
      let at = Math.min(start + window - 2, last);
      while (at >= start) {
        const pair = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
        if ((((pairs[pair >>> 5] ?? 0) >>> (pair & 31)) & 1) === 0) break;
        at -= 1;
      }
      // Small leaps would read the same bytes again and again: let the automaton go over them, once.
      if (at < start + stride) return Math.max(start, at + 1);
      start = at + 1;
    }
  }
  return { skip, stride };
}

/** The pairs that an occurrence can have in its first bytes, those that begin at `reach` included. */
function addPairs(pairs: Uint32Array, form: readonly Fragment[], reach: number): void {
  const add = (pair: number): void => {
    pairs[pair >>> 5] = (pairs[pair >>> 5] ?? 0) | (1 << (pair & 31));
  };
  let before = 0;
  for (const [index, fragment] of form.entries()) {
    if (before > reach) return;
    fragment.pairs.forEach(add);
    for (let after = index + 1; after < form.length; after += 1) {
      const following = form[after];
      if (following === undefined) break;
      for (const last of fragment.lasts) for (const first of following.firsts) add((last << 8) | first);
      // What may be left out lets its neighbours touch.
      if (following.shortest > 0) break;
    }
    before += fragment.shortest;
  }
}

function shortestOf(form: readonly Fragment[]): number {
  return form.reduce((sum, { shortest }) => sum + shortest, 0);
}
