import { LEASE_MS } from "../../objects/lease.ts";
import type { BlockReason } from "@relaykey/core/block-reasons";
import { EPOCH_MS } from "../plan.ts";
import { CROWD_MS, WORK_MS } from "./plan.ts";
import type { LimitsPlan } from "./plan.ts";
import { Presence } from "./presence.ts";
import type { Fate, LimitsHistory } from "./world.ts";

/**
 * # What is promised from below
 *
 * What an isolate holds and does not use is lost to the others until it hands it back. Of a lease that an isolate j asks
 * for, those who wait are started; beyond them it gets at most twice what it started under the lease before, and one for
 * the question itself. So when a question is asked, j holds back at most
 *
 *     held(j) = 2·s(j) + 1
 *
 * where s(j) counts what it started within the last HORIZON: its lease, the lease before it, the pause that may lie between
 * the two, and the way there. An isolate that started nothing for so long holds nothing: its lease has ended, and what was
 * left is back. One whose last request was refused holds nothing either. Hence, without crashes:
 *
 * - a window with demand to its end admits at least N − Σ held(j), over all j that were not refused last;
 * - in all exactly N uses are made while somebody asks;
 * - whoever is refused for a rate or a use cap is refused when started + Σ held(j) ≥ N;
 * - whoever is refused for a concurrency cap is refused when Σ peak(j) ≥ N, where peak(j) is the most that j had at the
 *   same time within HORIZON, waiting or under way: slots are kept for no more.
 *
 * A crashed isolate takes along held(j) and what was waiting in it; a restarted object takes along what its answers under
 * way granted and what had come back with their questions.
 */
export type LimitsProperty =
  | "G7: never more"
  | "a window is used up while demand lasts"
  | "all uses are made while demand lasts"
  | "a refusal says that a limit is reached"
  | "no other refusal";

export interface LimitsViolation {
  readonly property: LimitsProperty;
  readonly story: string;
}

/** How much of the windows that had demand to their end was admitted. */
export interface Yield {
  windows: number;
  full: number;
  offered: number;
  /** By the formula above, window by window. */
  promised: number;
  admitted: number;
}

/** "Nothing left" is believed for so long. */
const EMPTY_MS = 250;
/** A lease that ended no longer ago than this still says how hot a key is. */
const RECENT_MS = 500;

/** A limit, and what falls under it. */
interface Bound {
  readonly name: string;
  readonly kind: "rate" | "uses" | "concurrency";
  readonly limit: number;
  readonly windowMs: number;
  readonly fates: readonly Fate[];
  /** By whom they were asked for. */
  readonly lessees: ReadonlyMap<string, readonly Fate[]>;
  readonly presences: readonly Presence[];
}

export function checkLimits(plan: LimitsPlan, history: LimitsHistory, seen: Yield): LimitsViolation[] {
  const bounds = boundsOf(plan, history);
  const isFaultless = plan.restarts.length === 0 && plan.crashes.length === 0;
  return [
    ...bounds.flatMap((bound) => neverMore(bound, plan)),
    ...(plan.isAlone ? bounds.flatMap((bound) => neverFarBelow(bound, plan, history, seen)) : []),
    ...(isFaultless ? refusals(bounds, plan, history) : []),
  ];
}

function boundsOf({ limits, holder }: LimitsPlan, { fates }: LimitsHistory): Bound[] {
  const bounds: Bound[] = [];
  for (const [index, { rate, uses, concurrency }] of [...limits, holder].entries()) {
    const isHolder = index === limits.length;
    const mine = isHolder ? fates : fates.filter(({ key }) => key === index);
    const lessees = Map.groupBy(mine, ({ lessee }) => lessee);
    const common = {
      name: isHolder ? "holder" : `key ${String(index)}`,
      fates: mine,
      lessees,
      presences: [...lessees.values()].map(presenceOf),
    };
    const windowMs = rate === null ? Infinity : rate.windowSeconds * 1_000;
    if (rate !== null) bounds.push({ ...common, kind: "rate", limit: rate.limit, windowMs });
    if (uses !== null) bounds.push({ ...common, kind: "uses", limit: uses, windowMs: Infinity });
    if (concurrency !== null)
      bounds.push({ ...common, kind: "concurrency", limit: concurrency, windowMs: Infinity });
  }
  return bounds;
}

function presenceOf(fates: readonly Fate[]): Presence {
  return new Presence(
    fates.map(({ at, started, settled, over }) => ({ from: at, to: (started ? over : settled) ?? Infinity })),
  );
}

/** A question and its answer, with the write between them, and the work after it. */
function roundTripMs({ weather }: LimitsPlan): number {
  return 2 * weather.worstMs + weather.writeMs + WORK_MS;
}

/** HORIZON of the formula above. */
function horizonMs(bound: Bound, plan: LimitsPlan): number {
  const leaseMs = Math.min(LEASE_MS, Math.max(EMPTY_MS, bound.windowMs / 4));
  return 2 * leaseMs + RECENT_MS + EMPTY_MS + 2 * roundTripMs(plan);
}

function windowOf(ms: number, { windowMs }: Bound, { objectClockMs }: LimitsPlan): number {
  return windowMs === Infinity ? 0 : Math.floor(Math.floor(EPOCH_MS + ms + objectClockMs) / windowMs);
}

function neverMore(bound: Bound, plan: LimitsPlan): LimitsViolation[] {
  const { kind, name, limit } = bound;
  const started = bound.fates.filter((fate) => fate.started);
  const found: LimitsViolation[] = [];
  const report = (count: number, where: string): void => {
    if (count <= limit) return;
    const story = `${name}: ${String(count)} requests ${where}, ${String(limit)} were allowed`;
    found.push({ property: "G7: never more", story });
  };
  if (kind === "concurrency") {
    for (const { settledOrder: at } of started) {
      report(
        started.filter((fate) => fate.settledOrder <= at && fate.overOrder > at).length,
        "were under way",
      );
    }
  } else {
    const windows = Map.groupBy(started, ({ settled }) => windowOf(settled ?? 0, bound, plan));
    for (const [window, fates] of windows) report(fates.length, `started in window ${String(window)}`);
  }
  return found;
}

/** What a lessee may hold at a moment, by the formula. */
function held(fates: readonly Fate[], from: number, to: number): number {
  const started = startedIn(fates, from, to);
  return started === 0 ? 0 : 2 * started + 1;
}

function startedIn(fates: readonly Fate[], from: number, to: number): number {
  return fates.filter(
    ({ started, settled }) => started && settled !== null && settled >= from && settled <= to,
  ).length;
}

function neverFarBelow(
  bound: Bound,
  plan: LimitsPlan,
  history: LimitsHistory,
  seen: Yield,
): LimitsViolation[] {
  const { kind, limit, name, lessees } = bound;
  const lost = lostBefore(bound, plan, history);
  if (kind === "uses") {
    const used = startedIn(bound.fates, 0, Infinity);
    if (used >= limit - lost(Infinity)) return [];
    const story = `${name}: ${String(used)} of ${String(limit)} uses were made, ${String(lost(Infinity))} may be lost`;
    return [{ property: "all uses are made while demand lasts", story }];
  }
  if (kind === "concurrency") return [];
  const found: LimitsViolation[] = [];
  const horizon = horizonMs(bound, plan) + CROWD_MS;
  const { windowMs } = bound;
  for (let window = windowOf(200, bound, plan) + 1; ; window += 1) {
    const start = window * windowMs - EPOCH_MS - plan.objectClockMs;
    const end = start + windowMs;
    if (end > plan.endMs + 1) return found;
    // Who asked an object that then was gone waits for it for five seconds.
    if (plan.restarts.some((at) => at < end && at > start - 5_500)) continue;
    let kept = lost(end);
    for (const fates of lessees.values()) {
      const last = fates
        .filter(({ settled }) => settled !== null && settled >= start && settled < end)
        .at(-1);
      if (last?.reason !== "rate_limited") kept += held(fates, end - horizon, end);
    }
    const admitted = startedIn(bound.fates, start, end - 0.1);
    seen.windows += 1;
    seen.offered += limit;
    seen.promised += Math.max(0, limit - kept);
    seen.admitted += admitted;
    if (admitted >= limit) seen.full += 1;
    if (admitted >= limit - kept) continue;
    const story = `${name}: ${String(admitted)} of ${String(limit)} started in the window from ${String(start)} to ${String(end)} ms, ${String(kept)} may be held`;
    found.push({ property: "a window is used up while demand lasts", story });
  }
}

/** What ended isolates and objects may have taken along before a moment, at most. */
function lostBefore(bound: Bound, plan: LimitsPlan, { crashed }: LimitsHistory): (before: number) => number {
  const horizon = horizonMs(bound, plan);
  const taken = (at: number, fates: readonly Fate[]): number =>
    held(fates, at - horizon, at) +
    fates.filter((fate) => fate.at <= at && (fate.settled === null || fate.settled >= at)).length;
  return (before) => {
    let lost = 0;
    for (const [lessee, fates] of bound.lessees) {
      for (const [name, at] of crashed) {
        if (at < before && lessee.startsWith(`${name} `)) lost += taken(at, fates);
      }
      for (const at of plan.restarts) if (at < before) lost += 2 * taken(at, fates);
    }
    return lost;
  };
}

const KINDS: Partial<Record<BlockReason, Bound["kind"]>> = {
  rate_limited: "rate",
  uses_exhausted: "uses",
  concurrency_limited: "concurrency",
};

function refusals(bounds: readonly Bound[], plan: LimitsPlan, { fates }: LimitsHistory): LimitsViolation[] {
  return fates.flatMap((fate): LimitsViolation[] => {
    const { reason, settled, key } = fate;
    if (reason === null || settled === null) return [];
    const who = `${fate.lessee}, asked at ${String(fate.at)} ms, refused at ${String(settled)} ms (${reason})`;
    const kind = KINDS[reason];
    if (kind === undefined) return [{ property: "no other refusal", story: who }];
    const over = bounds.filter(
      (bound) => bound.kind === kind && (bound.name === "holder" || bound.name === `key ${String(key)}`),
    );
    if (over.some((bound) => isReached(bound, plan, settled))) return [];
    return [{ property: "a refusal says that a limit is reached", story: who }];
  });
}

function isReached(bound: Bound, plan: LimitsPlan, at: number): boolean {
  const from = at - horizonMs(bound, plan);
  const to = at + roundTripMs(plan);
  if (bound.kind === "concurrency") {
    let peaks = 0;
    for (const presence of bound.presences) peaks += presence.peak(from, to);
    return peaks >= bound.limit;
  }
  let kept = 0;
  for (const fates of bound.lessees.values()) kept += held(fates, from, to);
  const window = windowOf(at, bound, plan);
  const used = bound.fates.filter(
    ({ started, settled }) =>
      started && settled !== null && settled <= to && windowOf(settled, bound, plan) === window,
  ).length;
  return used + kept >= bound.limit;
}
