/** A stretch of time, cut into equal pieces. */
export interface TimeRange {
  readonly from: Date;
  readonly to: Date;
  readonly bucketMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Ranges that end now, by the name they have in addresses. */
export const RANGES = {
  "1h": { label: "Last hour", ms: HOUR_MS },
  "24h": { label: "Last 24 hours", ms: DAY_MS },
  "7d": { label: "Last 7 days", ms: 7 * DAY_MS },
  "30d": { label: "Last 30 days", ms: 30 * DAY_MS },
} as const;

export type RangeName = keyof typeof RANGES;

export function isRangeName(text: string): text is RangeName {
  return Object.hasOwn(RANGES, text);
}

/** Lengths that people think in. */
const STEPS_MS = [
  1_000,
  5_000,
  15_000,
  MINUTE_MS,
  2 * MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  4 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  7 * DAY_MS,
  30 * DAY_MS,
];
const MAX_BUCKETS = 60;

/**
 * The range of that name. It begins and ends with a whole piece, the last of which is not over yet: so the pieces, and the
 * links to them, stay the same from one look to the next, and each can be counted as a whole.
 */
export function rangeUntil(now: number, name: RangeName): TimeRange {
  const { ms } = RANGES[name];
  const bucketMs = stepFor(ms);
  const from = Math.ceil((now - ms) / bucketMs) * bucketMs;
  const to = (Math.floor(now / bucketMs) + 1) * bucketMs - 1;
  return { from: new Date(from), to: new Date(to), bucketMs };
}

/** A range with ends of its own; null unless it begins before it ends. */
export function rangeBetween(from: Date, to: Date): TimeRange | null {
  const ms = to.getTime() - from.getTime();
  return ms > 0 ? { from, to, bucketMs: stepFor(ms) } : null;
}

/** How many pieces a range has; the last one may be cut short. */
export function bucketsOf({ from, to, bucketMs }: TimeRange): number {
  return Math.floor((to.getTime() - from.getTime()) / bucketMs) + 1;
}

function stepFor(ms: number): number {
  return STEPS_MS.find((step) => ms / step < MAX_BUCKETS) ?? Math.ceil(ms / MAX_BUCKETS);
}
