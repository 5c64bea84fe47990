import * as z from "zod/mini";

/** At most `limit` requests in each window of `windowSeconds`, over all locations. */
export interface RateLimit {
  readonly limit: number;
  readonly windowSeconds: number;
}

/** Bounds on what a key may do. null = not bounded. */
export interface Limits {
  readonly rate: RateLimit | null;
  /** Requests in all, ever; 1 makes a one-time key. */
  readonly uses: number | null;
  /** Requests under way at the same time, open streams included. */
  readonly concurrency: number | null;
  readonly maxBodyBytes: number | null;
}

export const NO_LIMITS: Limits = { rate: null, uses: null, concurrency: null, maxBodyBytes: null };

const MAX_COUNT = 1_000_000_000;
const MAX_WINDOW_SECONDS = 31 * 86_400;
const MAX_BODY_BYTES = 2 ** 40;
const MAX_CONCURRENCY = 100_000;

const count = z.int().check(z.minimum(1), z.maximum(MAX_COUNT));

/** The wire form of `Limits`. */
export const limitsSchema = z.strictObject({
  rate: z.nullable(
    z.strictObject({
      limit: count,
      windowSeconds: z.int().check(z.minimum(1), z.maximum(MAX_WINDOW_SECONDS)),
    }),
  ),
  uses: z.nullable(count),
  // Absent in what was written before there was such a limit.
  concurrency: z._default(z.nullable(z.int().check(z.minimum(1), z.maximum(MAX_CONCURRENCY))), null),
  maxBodyBytes: z.nullable(z.int().check(z.minimum(0), z.maximum(MAX_BODY_BYTES))),
});

const UNIT_SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
const UNIT_NAMES: Record<string, keyof typeof UNIT_SECONDS> = {
  second: "s",
  minute: "m",
  hour: "h",
  day: "d",
};

/** Reads "100/minute", "5/10s", "1000/h". */
export function parseRate(text: string): RateLimit | null {
  const match = /^([1-9]\d{0,9})\/(?:([1-9]\d{0,6})?([smhd])|(second|minute|hour|day))$/.exec(text);
  if (match === null) return null;
  const [, limit = "", amount = "1", unit, name] = match;
  const key = name === undefined ? unit : UNIT_NAMES[name];
  const seconds = Number(amount) * UNIT_SECONDS[key as keyof typeof UNIT_SECONDS];
  if (Number(limit) > MAX_COUNT || seconds > MAX_WINDOW_SECONDS) return null;
  return { limit: Number(limit), windowSeconds: seconds };
}

/**
 * Whether a rate never admits more than another does. Windows begin at multiples of their length, so a longer one has to
 * be made of whole shorter ones; otherwise two of its bursts could meet in one.
 */
export function isWithinRate(rate: RateLimit, bound: RateLimit): boolean {
  return rate.limit <= bound.limit && rate.windowSeconds % bound.windowSeconds === 0;
}

/** The shortest text that `parseRate` reads back: "100/m", "5/10s". */
export function formatRate(rate: RateLimit): string {
  const text = formatDuration(rate.windowSeconds * 1_000);
  return `${String(rate.limit)}/${text.startsWith("1") && text.length === 2 ? text.slice(1) : text}`;
}

/** A century: what is to last longer has no end, and a time far enough away has no form that every reader knows. */
const MAX_DURATION_MS = 36_500 * 86_400_000;

/** Reads "30s", "15m", "2h", "7d", at most "36500d", as milliseconds. */
export function parseDuration(text: string): number | null {
  const match = /^([1-9]\d{0,6})([smhd])$/.exec(text);
  if (match === null) return null;
  const ms = Number(match[1]) * UNIT_SECONDS[match[2] as keyof typeof UNIT_SECONDS] * 1_000;
  return ms <= MAX_DURATION_MS ? ms : null;
}

/** The largest whole unit: 604800000 is "7d". Fractions of a second are cut off. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const unit = (["d", "h", "m"] as const).find(
    (candidate) => seconds >= UNIT_SECONDS[candidate] && seconds % UNIT_SECONDS[candidate] === 0,
  );
  return unit === undefined ? `${String(seconds)}s` : `${String(seconds / UNIT_SECONDS[unit])}${unit}`;
}
