const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Pauses after failed attempts; a little over a day in all. */
const PAUSES_MS = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  10 * HOUR,
] as const;

/** Each pause is longer or shorter by up to so much, so that what failed together does not come again together. */
const JITTER = 0.2;

/** An endpoint that has only failed for so long is disabled. */
export const DISABLE_AFTER_MS = 72 * HOUR;

/**
 * @param attempts made so far.
 * @param random from 0 (inclusive) to 1.
 * @returns the pause until the next attempt in ms; null: there is none, the delivery is dead.
 */
export function retryPause(attempts: number, random: number): number | null {
  const pause = PAUSES_MS[attempts - 1];
  return pause === undefined ? null : Math.round(pause * (1 - JITTER + 2 * JITTER * random));
}
