import type { Limits } from "@relaykey/core/limits";
import { NO_LIMITS } from "@relaykey/core/limits";
import { AIMS } from "./policies.ts";
import type { Aim, PolicyKind } from "./policies.ts";
import type { Random } from "./random.ts";

/** How badly messages fare. */
export interface Weather {
  readonly name: "calm" | "normal" | "slow" | "wild";
  /** Most messages take up to this long (ms), some up to `worstMs`. */
  readonly usualMs: number;
  readonly worstMs: number;
  readonly lost: number;
  /** How long a write of the object takes to be confirmed, at most. */
  readonly writeMs: number;
}

/** How the KV cache behaves: how old what it returns may be, and how often it returns nothing or fails. */
export interface CacheHabits {
  readonly staleMs: number;
  readonly empty: number;
  readonly fails: number;
  readonly worstMs: number;
}

export interface PlannedChange {
  readonly version: number;
  readonly kind: PolicyKind;
  readonly at: number;
}

export interface PlannedRequest {
  readonly isolate: number;
  readonly aim: Aim;
  readonly network: string;
  /** Time between the decision and the last check: opening the vendor key. */
  readonly workMs: number;
  /** How long the exchange with the vendor takes. 0: over at once, not watched. */
  readonly openMs: number;
}

/** The object moves: the old instance dies at once, or runs on for a while without knowing (`lingersMs`). */
export interface PlannedRestart {
  readonly at: number;
  readonly lingersMs: number | null;
  /** The new host's clock, against true time. */
  readonly clockMs: number;
}

/** All that will happen in one schedule but for what chance decides on the way. */
export interface Plan {
  readonly weather: Weather;
  readonly cache: CacheHabits;
  readonly limits: Limits;
  /** Each isolate's clock against true time. */
  readonly isolateClocks: readonly number[];
  readonly objectClockMs: number;
  readonly changes: readonly PlannedChange[];
  readonly requests: readonly (PlannedRequest & { readonly at: number })[];
  readonly restarts: readonly PlannedRestart[];
  /** Moments at which an isolate forgets what it knows of the key (its bounded memory was full) but not its leases. */
  readonly forgets: readonly { readonly at: number; readonly isolate: number }[];
}

/** True time begins here, so that clocks that are behind still show a date. */
export const EPOCH_MS = 1_800_000_000_000;

const CALM: Weather = { name: "calm", usualMs: 4, worstMs: 20, lost: 0, writeMs: 4 };
const NORMAL: Weather = { name: "normal", usualMs: 40, worstMs: 400, lost: 0.02, writeMs: 20 };
const WEATHERS: readonly Weather[] = [
  CALM,
  CALM,
  NORMAL,
  NORMAL,
  NORMAL,
  { name: "slow", usualMs: 300, worstMs: 2_500, lost: 0.05, writeMs: 300 },
  { name: "wild", usualMs: 1_000, worstMs: 9_000, lost: 0.12, writeMs: 1_500 },
];
const NETWORKS = ["203.0.113.7", "198.51.100.9"] as const;
const RATE_WINDOW_SECONDS = 3;

/** Draws a schedule. */
export function drawPlan(random: Random): Plan {
  const weather = random.pick(WEATHERS);
  const horizon = random.int(5_000, 14_000);
  const isolates = random.int(2, 4);
  const limits = drawLimits(random);
  const objectClockMs = random.ms(-600_000, 600_000);
  return {
    weather,
    cache: drawCache(random, weather),
    limits,
    isolateClocks: Array.from({ length: isolates }, () => random.ms(-600_000, 600_000)),
    objectClockMs,
    changes: drawChanges(random, horizon),
    requests: drawRequests(random, horizon, isolates, limits),
    restarts: weather.name === "calm" ? [] : drawRestarts(random, horizon, limits, objectClockMs),
    forgets: Array.from({ length: random.pick([0, 0, 1, 3]) }, () => ({
      at: random.ms(0, horizon),
      isolate: random.int(0, isolates - 1),
    })),
  };
}

/** A request as those of the plan, for moments that are not known beforehand. */
export function drawRequest(random: Random, isolate: number): PlannedRequest {
  return {
    isolate,
    aim: random.pick(AIMS),
    network: random.chance(0.8) ? NETWORKS[0] : NETWORKS[1],
    workMs: random.chance(0.75) ? random.ms(0, 15) : random.ms(0, 3_500),
    openMs: random.chance(0.25) ? random.ms(1, 12_000) : 0,
  };
}

function drawLimits(random: Random): Limits {
  const kind = random.pick(["none", "none", "none", "uses", "rate", "both", "slots"] as const);
  return {
    ...NO_LIMITS,
    uses: kind === "uses" || kind === "both" ? random.pick([1, 5, 20, 60]) : null,
    rate:
      kind === "rate" || kind === "both"
        ? { limit: random.pick([1, 4, 12]), windowSeconds: RATE_WINDOW_SECONDS }
        : null,
    concurrency: kind === "slots" ? random.pick([1, 2, 5]) : null,
  };
}

function drawCache(random: Random, weather: Weather): CacheHabits {
  const lostAltogether = random.chance(0.15);
  return {
    staleMs: random.pick([0, 1_000, 60_000, Infinity]),
    empty: lostAltogether ? 1 : random.pick([0, 0.1]),
    fails: random.pick([0, 0.1]),
    worstMs: random.pick([5, 5, 100, 1_200]) + weather.usualMs / 10,
  };
}

function drawChanges(random: Random, horizon: number): PlannedChange[] {
  const count = random.int(2, 5);
  const changes: PlannedChange[] = [];
  let at = random.ms(0, 500);
  for (let version = 1; version <= count; version += 1) {
    const last = version === count;
    const kinds: readonly PolicyKind[] =
      version === 1
        ? ["wide", "wide", "wide", "narrow"]
        : last
          ? ["revoked", "narrow", "wide", "frozen"]
          : ["wide", "wide", "wide", "narrow", "narrow", "frozen", "disabled"];
    changes.push({ version, kind: random.pick(kinds), at });
    // Close together, so that they overlap, or far enough apart for one to be enforced first.
    at += random.chance(0.3) ? random.ms(0, 200) : random.ms(200, (2 * horizon) / count);
  }
  return changes;
}

function drawRequests(random: Random, horizon: number, isolates: number, limits: Limits): Plan["requests"] {
  const requests: (PlannedRequest & { readonly at: number })[] = [];
  const isLimited = limits.uses !== null || limits.rate !== null || limits.concurrency !== null;
  for (let isolate = 0; isolate < isolates; isolate += 1) {
    // A hot isolate renews ahead; a cold one lets its leases lapse.
    const count = random.pick([3, 6, 14]);
    for (let index = 0; index < count; index += 1) {
      requests.push({ at: random.ms(0, horizon), ...drawRequest(random, isolate) });
    }
    const burst = random.ms(0, horizon / 2);
    const lengthMs = random.pick([2, 200]);
    for (let index = random.int(0, isLimited ? 24 : 4); index > 0; index -= 1) {
      requests.push({ at: burst + random.ms(0, lengthMs), ...drawRequest(random, isolate) });
    }
  }
  return requests;
}

function drawRestarts(
  random: Random,
  horizon: number,
  limits: Limits,
  firstClockMs: number,
): PlannedRestart[] {
  const count = random.pick([0, 1, 1, 2, 4]);
  const moments = Array.from({ length: count }, () => random.ms(0, horizon)).sort((a, b) => a - b);
  let clockMs = firstClockMs;
  return moments.map((at) => {
    // Windows of a rate are those of the object's clock: one that steps back would show the same window twice.
    clockMs = limits.rate === null ? random.ms(-600_000, 600_000) : clockMs + random.ms(0, 5_000);
    return { at, lingersMs: random.chance(0.5) ? random.ms(0, 6_000) : null, clockMs };
  });
}
