import fc from "fast-check";
import { expect, test } from "vitest";
import { NO_LIMITS } from "@relaykey/core/limits";
import type { Limits } from "@relaykey/core/limits";
import { allot } from "./allowance.ts";
import type { StoredUse } from "./holder-store.ts";
import type { Unused } from "./lease.ts";

/** An isolate that asks, uses some of what it got, and hands the rest back or dies with it. */
const ask = fc.record({
  want: fc.integer({ min: 1, max: 50 }),
  ahead: fc.integer({ min: 0, max: 50 }),
  usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
  handsBack: fc.boolean(),
  pauseMs: fc.integer({ min: 0, max: 4_000 }),
});

type Ask = typeof ask extends fc.Arbitrary<infer T> ? T : never;

/** Requests started in all, and by window of each budget. */
function run(budgets: readonly Limits[], asks: readonly Ask[]) {
  let stored: readonly (StoredUse | null)[] = budgets.map(() => null);
  let now = 1_000_000;
  let unused: Unused | null = null;
  let started = 0;
  const perWindow = budgets.map(() => new Map<number, number>());
  for (const { want, ahead, usedShare, handsBack, pauseMs } of asks) {
    const accounts = budgets.map((limits, index) => ({ limits, stored: stored[index] ?? null }));
    const allowance = allot(accounts, { want, ahead, unused }, now);
    stored = allowance.uses.map((use, index) => use ?? stored[index] ?? null);
    const count = allowance.count ?? want;
    const used = Math.floor(count * usedShare);
    started += used;
    for (const [index, windows] of perWindow.entries()) {
      const window = allowance.windows[index] ?? 0;
      windows.set(window, (windows.get(window) ?? 0) + used);
    }
    unused = handsBack ? { count: count - used, windows: allowance.windows } : null;
    now += pauseMs;
  }
  return { started, perWindow };
}

const uses = (count: number): Limits => ({ ...NO_LIMITS, uses: count });
const rate = (limit: number, windowSeconds: number): Limits => ({
  ...NO_LIMITS,
  rate: { limit, windowSeconds },
});

test("G7: never more than N uses in all, of key and holder alike, whatever isolates do with their shares", () => {
  const count = fc.integer({ min: 1, max: 200 });
  fc.assert(
    fc.property(count, count, fc.array(ask, { maxLength: 60 }), (ofKey, ofHolder, asks) => {
      expect(run([uses(ofKey), uses(ofHolder)], asks).started).toBeLessThanOrEqual(Math.min(ofKey, ofHolder));
    }),
  );
});

test("G7: never more than L requests in any window, of windows of different lengths", () => {
  const limit = fc.integer({ min: 1, max: 100 });
  fc.assert(
    fc.property(limit, limit, fc.array(ask, { maxLength: 60 }), (ofKey, ofHolder, asks) => {
      const { perWindow } = run([rate(ofKey, 5), rate(ofHolder, 7)], asks);
      for (const [index, most] of [ofKey, ofHolder].entries()) {
        for (const count of perWindow[index]?.values() ?? []) expect(count).toBeLessThanOrEqual(most);
      }
    }),
  );
});

test("all that waits is served at once, as far as the limit goes", () => {
  const budgets = [{ limits: uses(100), stored: null }];
  expect(allot(budgets, { want: 300, ahead: 600, unused: null }, 0).count).toBe(100);
  expect(allot(budgets, { want: 20, ahead: 600, unused: null }, 0).count).toBe(40);
});

test("demand gets the whole limit, one request at a time", () => {
  const asks = Array.from({ length: 25 }, () => ({
    want: 1,
    ahead: 0,
    usedShare: 1,
    handsBack: false,
    pauseMs: 0,
  }));
  expect(run([uses(20), NO_LIMITS], asks).started).toBe(20);
});

test("what is handed back goes back to every budget it came from", () => {
  const limits = [rate(10, 60), uses(10)];
  const first = allot(
    limits.map((each) => ({ limits: each, stored: null })),
    { want: 2, ahead: 0, unused: null },
    0,
  );
  expect(first.uses.map((use) => use?.taken)).toEqual([2, 2]);
  const accounts = limits.map((each, index) => ({ limits: each, stored: first.uses[index] ?? null }));
  const unused = { count: 2, windows: first.windows };
  const again = allot(accounts, { want: 0, ahead: 0, unused }, 1_000);
  expect(again.uses.map((use) => use?.taken)).toEqual([0, 0]);
  expect(again.uses[0]?.windowTaken).toBe(0);
});

test("a lease never outlives a window it was granted in", () => {
  const budgets = [rate(10, 1), rate(10, 60)].map((limits) => ({ limits, stored: null }));
  expect(allot(budgets, { want: 1, ahead: 0, unused: null }, 1_800).leaseMs).toBe(199);
});

test("a lease takes no more than a quarter of a window, or what is not used would be lost to the others", () => {
  const lease = (windowSeconds: number, want: number): number =>
    allot([{ limits: rate(10, windowSeconds), stored: null }], { want, ahead: 0, unused: null }, 0).leaseMs;
  expect([1, 4, 60].map((seconds) => lease(seconds, 1))).toEqual([250, 1_000, 2_000]);
  // Nothing is handed out with it.
  expect(lease(1, 0)).toBe(999);
});

test("the caller is told of the rate that is nearest to its end, and to wait for the last that is full", () => {
  const budgets = [
    { limits: rate(10, 10), stored: { taken: 10, windowStart: 0, windowTaken: 10 } },
    { limits: rate(4, 60), stored: { taken: 4, windowStart: 0, windowTaken: 4 } },
  ];
  expect(allot(budgets, { want: 1, ahead: 0, unused: null }, 1_000)).toMatchObject({
    block: "rate_limited",
    retryAfterMs: 59_000,
  });
  const half = [{ limits: rate(10, 10), stored: null }, budgets[1] ?? { limits: NO_LIMITS, stored: null }];
  expect(allot(half, { want: 0, ahead: 0, unused: null }, 1_000).quota).toEqual({
    limit: 4,
    windowSeconds: 60,
    left: 0,
    resetMs: 59_000,
  });
});

test("a key without limits costs no counter", () => {
  const budgets = [NO_LIMITS, NO_LIMITS].map((limits) => ({ limits, stored: null }));
  expect(allot(budgets, { want: 5, ahead: 0, unused: null }, 0)).toMatchObject({
    count: null,
    uses: [null, null],
    quota: null,
  });
});
