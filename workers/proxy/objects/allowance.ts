import type { Limits } from "@relaykey/core/limits";
import type { StoredUse } from "./holder-store.ts";
import { LEASE_MS } from "./lease.ts";
import type { HolderBlock, LeaseRequest } from "./lease.ts";

/** What of a key's limits is handed to one isolate with one lease. */
export interface Allowance {
  /** Requests that may start; null = the key has no limit. */
  readonly count: number | null;
  readonly windowStart: number | null;
  readonly leaseMs: number;
  readonly block: Extract<HolderBlock, "rate_limited" | "uses_exhausted"> | null;
  readonly retryAfterMs: number | null;
  /** The counters after the hand-out; null when nothing needs to be stored. */
  readonly use: StoredUse | null;
}

/** An isolate never holds more than this share of what is left, so that one location cannot starve the others. */
const SHARE = 4;
/** How long "nothing left" is relied on: short, because another isolate may hand unused allowance back. */
const EMPTY_LEASE_MS = 250;

const NO_USE: StoredUse = { taken: 0, windowStart: 0, windowTaken: 0 };

/**
 * Takes a share of the key's limits out of the global counters. What is handed out counts as used until it is handed
 * back, so the sum over all isolates can never exceed the limit, whatever the number of locations (fixed windows,
 * aligned on the object's clock). A lease never outlives the window it was granted in.
 *
 * @param now object clock, epoch ms.
 */
export function allot(
  limits: Limits,
  stored: StoredUse | null,
  request: Pick<LeaseRequest, "want" | "unused">,
  now: number,
): Allowance {
  const { rate, uses } = limits;
  if (rate === null && uses === null) {
    return { count: null, windowStart: null, leaseMs: LEASE_MS, block: null, retryAfterMs: null, use: null };
  }
  const windowMs = rate === null ? null : rate.windowSeconds * 1_000;
  const windowStart = windowMs === null ? 0 : Math.floor(now / windowMs) * windowMs;
  const use = handBack(rollOver(stored ?? NO_USE, windowStart), request.unused, rate !== null);

  const leftOfUses = uses === null ? Infinity : uses - use.taken;
  const leftOfWindow = rate === null ? Infinity : rate.limit - use.windowTaken;
  const left = Math.max(0, Math.min(leftOfUses, leftOfWindow));
  const untilWindowEnds = windowMs === null ? Infinity : windowStart + windowMs - now;
  const common = { windowStart: rate === null ? null : windowStart };

  if (left === 0 && request.want > 0) {
    const block = leftOfUses <= 0 ? ("uses_exhausted" as const) : ("rate_limited" as const);
    const retryAfterMs = block === "rate_limited" ? untilWindowEnds : null;
    return {
      ...common,
      count: 0,
      leaseMs: Math.min(EMPTY_LEASE_MS, untilWindowEnds),
      block,
      retryAfterMs,
      use,
    };
  }
  const count = Math.min(request.want, Math.max(1, Math.ceil(left / SHARE)), left);
  return {
    ...common,
    count,
    leaseMs: Math.min(LEASE_MS, untilWindowEnds),
    block: null,
    retryAfterMs: null,
    use: { ...use, taken: use.taken + count, windowTaken: use.windowTaken + count },
  };
}

function rollOver(use: StoredUse, windowStart: number): StoredUse {
  // `<`, not `!==`: a clock that steps back must not open a window twice.
  return use.windowStart < windowStart ? { ...use, windowStart, windowTaken: 0 } : use;
}

function handBack(use: StoredUse, unused: LeaseRequest["unused"], hasRate: boolean): StoredUse {
  if (unused === null || unused.count <= 0) return use;
  const sameWindow = !hasRate || unused.windowStart === use.windowStart;
  return {
    ...use,
    taken: Math.max(0, use.taken - unused.count),
    windowTaken: sameWindow ? Math.max(0, use.windowTaken - unused.count) : use.windowTaken,
  };
}
