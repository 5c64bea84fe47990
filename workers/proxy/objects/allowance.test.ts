import fc from "fast-check";
import { expect, test } from "vitest";
import { NO_LIMITS } from "@relaykey/core/limits";
import type { Limits } from "@relaykey/core/limits";
import { allot } from "./allowance.ts";
import type { StoredUse } from "./holder-store.ts";

/** An isolate that asks, uses some of what it got, and hands the rest back or dies with it. */
const ask = fc.record({
  want: fc.integer({ min: 1, max: 50 }),
  usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
  handsBack: fc.boolean(),
  pauseMs: fc.integer({ min: 0, max: 4_000 }),
});

function run(limits: Limits, asks: readonly (typeof ask extends fc.Arbitrary<infer T> ? T : never)[]) {
  let stored: StoredUse | null = null;
  let now = 1_000_000;
  let unused: { count: number; windowStart: number | null } | null = null;
  let started = 0;
  const perWindow = new Map<number, number>();
  for (const { want, usedShare, handsBack, pauseMs } of asks) {
    const allowance = allot(limits, stored, { want, unused }, now);
    if (allowance.use !== null) stored = allowance.use;
    const count = allowance.count ?? want;
    const used = Math.floor(count * usedShare);
    started += used;
    const window = allowance.windowStart ?? 0;
    perWindow.set(window, (perWindow.get(window) ?? 0) + used);
    unused = handsBack ? { count: count - used, windowStart: allowance.windowStart } : null;
    now += pauseMs;
  }
  return { started, perWindow };
}

test("G7: never more than N uses in all, whatever isolates do with their shares", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.array(ask, { maxLength: 60 }), (uses, asks) => {
      expect(run({ ...NO_LIMITS, uses }, asks).started).toBeLessThanOrEqual(uses);
    }),
  );
});

test("G7: never more than L requests in any window", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.array(ask, { maxLength: 60 }), (limit, asks) => {
      const { perWindow } = run({ ...NO_LIMITS, rate: { limit, windowSeconds: 5 } }, asks);
      for (const count of perWindow.values()) expect(count).toBeLessThanOrEqual(limit);
    }),
  );
});

test("demand gets the whole limit, one request at a time", () => {
  const asks = Array.from({ length: 25 }, () => ({ want: 1, usedShare: 1, handsBack: false, pauseMs: 0 }));
  expect(run({ ...NO_LIMITS, uses: 20 }, asks).started).toBe(20);
});

test("a lease never outlives the window it was granted in", () => {
  const limits = { ...NO_LIMITS, rate: { limit: 10, windowSeconds: 1 } };
  expect(allot(limits, null, { want: 1, unused: null }, 1_700).leaseMs).toBe(300);
});

test("a key without limits costs no counter", () => {
  expect(allot(NO_LIMITS, null, { want: 5, unused: null }, 0)).toMatchObject({ count: null, use: null });
});
