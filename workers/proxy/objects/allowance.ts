import type { Limits } from "@relaykey/core/limits";
import type { StoredUse } from "./holder-store.ts";
import { LEASE_MS } from "./lease.ts";
import type { HolderBlock, LeaseRequest, Quota } from "./lease.ts";

/** Limits on how often, and what is taken of them already: of the key, and of its holder. */
export interface Budget {
  readonly limits: Pick<Limits, "rate" | "uses">;
  readonly stored: StoredUse | null;
}

/** What of a key's budgets is handed to one isolate with one lease. */
export interface Allowance {
  /** Requests that may start; null = no budget has a limit. */
  readonly count: number | null;
  /** The window of each budget, in their order; null for one without windows. */
  readonly windows: readonly (number | null)[];
  readonly leaseMs: number;
  readonly block: Extract<HolderBlock, "rate_limited" | "uses_exhausted"> | null;
  readonly retryAfterMs: number | null;
  /** The counters of each budget after the hand-out; null for one without limits. */
  readonly uses: readonly (StoredUse | null)[];
  readonly quota: Quota | null;
}

/** No isolate takes more than this part of what is left for later, so that one location cannot starve the others. */
const SHARE = 4;
/** A lease takes no larger part of a window than one of so many: what an isolate does not use, others can use yet. */
const LEASES_PER_WINDOW = 4;
/** How long "nothing left" is relied on: short, because another isolate may hand unused allowance back. */
const EMPTY_LEASE_MS = 250;

const NO_USE: StoredUse = { taken: 0, windowStart: 0, windowTaken: 0 };

/**
 * Takes a share of the budgets out of the global counters. What is handed out counts as used until it is handed back, so
 * the sum over all isolates can never exceed a limit, whatever the number of locations (fixed windows, aligned on the
 * object's clock). A lease never outlives a window it was granted in.
 *
 * @param now object clock, epoch ms.
 */
export function allot(
  budgets: readonly Budget[],
  request: Pick<LeaseRequest, "want" | "ahead" | "unused">,
  now: number,
): Allowance {
  const accounts = budgets.map((budget, index) => open(budget, index, request.unused, now));
  const limited = accounts.filter((account) => account !== null);
  const windows = accounts.map((account) => account?.windowStart ?? null);
  const leaseMs = Math.min(LEASE_MS, ...limited.map((account) => longestMs(account, request.want)));
  if (limited.length === 0) {
    return {
      count: null,
      windows,
      leaseMs,
      block: null,
      retryAfterMs: null,
      uses: accounts.map(() => null),
      quota: null,
    };
  }

  const left = Math.min(...limited.map((account) => account.left));
  const count = request.want <= 0 ? 0 : share(left, request);
  const uses = accounts.map((account) => (account === null ? null : take(account.use, count)));
  const quota = tightest(limited, count);
  if (count > 0 || request.want <= 0) {
    return { count, windows, leaseMs, block: null, retryAfterMs: null, uses, quota };
  }
  const usedUp = limited.some(({ leftOfUses }) => leftOfUses <= 0);
  return {
    count: 0,
    windows,
    leaseMs: Math.min(EMPTY_LEASE_MS, leaseMs),
    block: usedUp ? "uses_exhausted" : "rate_limited",
    // Until the last of the windows that are full has ended.
    retryAfterMs: usedUp
      ? null
      : Math.max(...limited.filter((account) => account.left <= 0).map(({ untilReset }) => untilReset)),
    uses,
    quota,
  };
}

/** A budget with a limit, brought to this moment. */
interface Account {
  readonly rate: Limits["rate"];
  readonly windowStart: number | null;
  readonly use: StoredUse;
  readonly leftOfUses: number;
  readonly leftOfWindow: number;
  readonly left: number;
  /** ms until the window ends; Infinity without a rate. */
  readonly untilReset: number;
}

function open(
  { limits: { rate, uses }, stored }: Budget,
  index: number,
  unused: LeaseRequest["unused"],
  now: number,
): Account | null {
  if (rate === null && uses === null) return null;
  const windowMs = rate === null ? null : rate.windowSeconds * 1_000;
  const start = windowMs === null ? 0 : Math.floor(now / windowMs) * windowMs;
  const current = rollOver(stored ?? NO_USE, start);
  const use = handBack(current, unused, unused?.windows[index] ?? null, rate !== null);
  const leftOfUses = uses === null ? Infinity : Math.max(0, uses - use.taken);
  const leftOfWindow = rate === null ? Infinity : Math.max(0, rate.limit - use.windowTaken);
  return {
    rate,
    windowStart: rate === null ? null : start,
    use,
    leftOfUses,
    leftOfWindow,
    left: Math.min(leftOfUses, leftOfWindow),
    untilReset: windowMs === null ? Infinity : start + windowMs - now,
  };
}

/** The clock counts whole ms: the window may end up to one earlier than it shows. */
function longestMs({ rate, untilReset }: Account, want: number): number {
  const untilEnd = untilReset - 1;
  if (rate === null || want <= 0) return untilEnd;
  return Math.min(untilEnd, Math.max(EMPTY_LEASE_MS, (rate.windowSeconds * 1_000) / LEASES_PER_WINDOW));
}

/** All that waits gets its share at once; of what is expected no more than a part of the rest. */
function share(left: number, { want, ahead }: Pick<LeaseRequest, "want" | "ahead">): number {
  const now = Math.min(left, want);
  return now + Math.min(Math.max(0, ahead), Math.floor((left - now) / SHARE));
}

function take(use: StoredUse, count: number): StoredUse {
  return { ...use, taken: use.taken + count, windowTaken: use.windowTaken + count };
}

/** The rate of which the smallest part is left. */
function tightest(accounts: readonly Account[], count: number): Quota | null {
  const [first] = accounts
    .flatMap(({ rate, leftOfWindow, untilReset }) => {
      if (rate === null) return [];
      const left = Math.max(0, leftOfWindow - count);
      return [{ limit: rate.limit, windowSeconds: rate.windowSeconds, left, resetMs: untilReset }];
    })
    .sort((one, other) => one.left / one.limit - other.left / other.limit);
  return first ?? null;
}

function rollOver(use: StoredUse, windowStart: number): StoredUse {
  // `<`, not `!==`: a clock that steps back must not open a window twice.
  return use.windowStart < windowStart ? { ...use, windowStart, windowTaken: 0 } : use;
}

function handBack(
  use: StoredUse,
  unused: LeaseRequest["unused"],
  window: number | null,
  hasRate: boolean,
): StoredUse {
  if (unused === null || unused.count <= 0) return use;
  const sameWindow = !hasRate || window === use.windowStart;
  return {
    ...use,
    taken: Math.max(0, use.taken - unused.count),
    windowTaken: sameWindow ? Math.max(0, use.windowTaken - unused.count) : use.windowTaken,
  };
}
