import { NO_LIMITS } from "@relaykey/core/limits";
import type { Limits } from "@relaykey/core/limits";
import { EPOCH_MS } from "../plan.ts";
import type { Weather } from "../plan.ts";
import type { Random } from "../random.ts";

/** A request of one client of one isolate for one of the holder's keys. */
export interface PlannedRequest {
  readonly at: number;
  readonly isolate: number;
  readonly network: string;
  readonly key: number;
  /** Between the decision and the last check. */
  readonly workMs: number;
  /** How long the exchange with the vendor takes; 0: over at once. */
  readonly openMs: number;
}

/** All that will happen in one schedule. */
export interface LimitsPlan {
  readonly weather: Weather;
  readonly objectClockMs: number;
  readonly isolateClocks: readonly number[];
  /** Of each key. */
  readonly limits: readonly Limits[];
  readonly holder: Limits;
  /** One limit alone: then what it lets through can be bounded from below. */
  readonly isAlone: boolean;
  readonly pattern: Pattern;
  readonly requests: readonly PlannedRequest[];
  /** Isolates that end without a word, and are replaced by others that know nothing. */
  readonly crashes: readonly { readonly at: number; readonly isolate: number }[];
  /** The object starts anew; what it was answering is lost. */
  readonly restarts: readonly number[];
  readonly endMs: number;
}

/** Where demand comes from. */
export type Pattern = (typeof PATTERNS)[number];
const PATTERNS = ["everywhere", "one stays", "moving", "bursts"] as const;
const KINDS = [
  "key rate",
  "key rate",
  "holder rate",
  "holder rate",
  "key uses",
  "holder uses",
  "key slots",
  "holder slots",
  "mixed",
] as const;

/** Before it the policies are applied. */
const BEGIN_MS = 200;
/** Demand at the end of each window, at one isolate: long enough to be asked for again after "nothing is left". */
export const CROWD_MS = 600;
/** Longest work between the decision and the last check. */
export const WORK_MS = 6;

/** Draws a schedule. */
export function drawLimitsPlan(random: Random): LimitsPlan {
  const worstMs = random.pick([2, 10, 30]);
  const kind = random.pick(KINDS);
  const isMixed = kind === "mixed";
  const isolates = random.int(2, 16);
  const keys = kind.startsWith("key") ? random.pick([1, 1, 2]) : random.int(1, 3);
  const windowSeconds = random.pick([1, 2, 4, 6, 10]);
  const most = random.pick([1, 2, 5, 12, 30, 60]);
  const one = (which: "rate" | "uses" | "slots", limit: number): Limits => ({
    ...NO_LIMITS,
    rate: which === "rate" ? { limit, windowSeconds } : null,
    uses: which === "uses" ? limit : null,
    concurrency: which === "slots" ? Math.min(limit, 12) : null,
  });
  const some = (): Limits => ({
    ...NO_LIMITS,
    rate: random.chance(0.5)
      ? { limit: random.pick([2, 8, 25]), windowSeconds: random.pick([1, 3, 5]) }
      : null,
    uses: random.chance(0.4) ? random.pick([3, 20, 80]) : null,
    concurrency: random.chance(0.3) ? random.int(1, 8) : null,
  });
  const which = kind.endsWith("rate") ? "rate" : kind.endsWith("uses") ? "uses" : "slots";
  const ofKey = isMixed ? null : kind.startsWith("key") ? one(which, most) : NO_LIMITS;
  const limits = Array.from({ length: keys }, () => ofKey ?? some());
  const holder = isMixed ? some() : kind.startsWith("key") ? NO_LIMITS : one(which, most);
  const objectClockMs = random.ms(-600_000, 600_000);
  const pattern = random.pick(PATTERNS);
  const demand = drawDemand(random, pattern, {
    isolates,
    keys,
    windowMs: which === "rate" && !isMixed ? windowSeconds * 1_000 : random.pick([2_000, 5_000, 9_000]),
    perWindow: Math.max(20, Math.ceil(most * (1.5 + random.next()))),
    objectClockMs,
    opens: which === "slots" || isMixed,
    isTailed: which === "uses",
    most,
  });
  const isFaulty = random.chance(0.15);
  const fault = (): number => random.ms(BEGIN_MS, demand.endMs * 0.5);
  return {
    weather: { name: "calm", usualMs: worstMs / 2, worstMs, lost: 0, writeMs: 2 },
    objectClockMs,
    isolateClocks: Array.from({ length: isolates }, () => random.ms(-600_000, 600_000)),
    limits,
    holder,
    isAlone: !isMixed,
    pattern,
    ...demand,
    crashes: isFaulty
      ? Array.from({ length: random.int(0, 3) }, () => ({
          at: fault(),
          isolate: random.int(0, isolates - 1),
        }))
      : [],
    restarts: isFaulty ? Array.from({ length: random.int(0, 2) }, fault) : [],
  };
}

interface Demand {
  readonly isolates: number;
  readonly keys: number;
  readonly windowMs: number;
  readonly perWindow: number;
  readonly objectClockMs: number;
  readonly opens: boolean;
  /** Goes on after all leases have ended, so that whatever can be used is used. */
  readonly isTailed: boolean;
  readonly most: number;
}

function drawDemand(
  random: Random,
  pattern: Pattern,
  demand: Demand,
): Pick<LimitsPlan, "requests" | "endMs"> {
  const { isolates, keys, windowMs, perWindow, objectClockMs, opens, isTailed, most } = demand;
  const requests: PlannedRequest[] = [];
  const anybody = (): number => random.int(0, isolates - 1);
  const hasTwoNetworks = random.chance(0.2);
  const ask = (at: number, isolate: number, key = random.int(0, keys - 1)): void => {
    requests.push({
      at: Math.max(BEGIN_MS, at),
      isolate,
      network: hasTwoNetworks && random.chance(0.5) ? "198.51.100.9" : "203.0.113.7",
      key,
      workMs: random.ms(0, WORK_MS),
      openMs: opens && random.chance(0.7) ? random.ms(5, random.pick([60, 1_500])) : 0,
    });
  };
  // A window is one of the object's clock: demand is aimed at its end.
  const into = (EPOCH_MS + objectClockMs + BEGIN_MS) % windowMs;
  const firstEnd = BEGIN_MS + windowMs - into;
  const horizon = firstEnd + windowMs * (windowMs > 5_000 ? 1 : 2);
  const stays = anybody();
  const staysFrom = random.ms(BEGIN_MS, horizon * 0.6);
  let moved = anybody();
  let nextMove = BEGIN_MS;
  const meanGap = windowMs / perWindow;
  let at = BEGIN_MS;
  while (at < horizon) {
    if (at >= nextMove) {
      moved = anybody();
      nextMove = at + random.ms(200, 3_000);
    }
    if (pattern === "everywhere") ask(at, anybody());
    else if (pattern === "one stays") ask(at, at < staysFrom ? anybody() : stays);
    else if (pattern === "moving") ask(at, moved);
    else {
      const size = random.int(1, Math.min(40, perWindow));
      const isolate = random.chance(0.5) ? anybody() : null;
      for (let index = 0; index < size; index += 1) ask(at + random.ms(0, 5), isolate ?? anybody());
      at += meanGap * (size - 1);
    }
    at += random.ms(0, 2 * meanGap) + 0.25;
  }
  for (let end = firstEnd; end <= horizon; end += windowMs) {
    const isolate = anybody();
    for (let key = 0; key < keys; key += 1) {
      for (let index = 0; index < 2 * most; index += 1)
        ask(end - CROWD_MS + random.ms(0, CROWD_MS - 100), isolate, key);
    }
  }
  if (!isTailed) return { requests, endMs: horizon };
  const tail = horizon + 10_000;
  for (let index = 0; index < 2 * most; index += 1) {
    for (let key = 0; key < keys; key += 1) ask(tail + index * 30, stays, key);
  }
  return { requests, endMs: tail + 2 * most * 30 };
}
