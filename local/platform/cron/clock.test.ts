import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ProbeClient, probe } from "../../test/probe-client.ts";
import type { Ring } from "../../test/probe-client.ts";
import { until } from "../../test/run-workerd.ts";
import { startSmallStack } from "../../test/small-stack.ts";
import type { SmallStack } from "../../test/small-stack.ts";

const MINUTE_MS = 60_000;

let stack: SmallStack;
let before = 0;
beforeAll(async () => {
  before = Date.now();
  // There is no 30 February. `*/1 * * * *` is the trigger that the probe fails at.
  stack = await startSmallStack([
    probe("often", 'triggers.crons = ["* * * * *", "0 0 30 2 *"]'),
    probe("failing", 'triggers.crons = ["*/1 * * * *"]'),
    probe("never", ""),
  ]);
});
afterAll(() => stack.stop());

async function rings(worker: string): Promise<Ring[]> {
  return new ProbeClient(stack, worker).notes<Ring>();
}

async function nextRing(): Promise<{ first: number; next: number | null }> {
  return (await (await stack.operator("GET", "/next-ring")).json()) as { first: number; next: number | null };
}

test("a due trigger calls scheduled() of its own Worker with its expression and the minute; no other is called", async () => {
  await until(async () => (await rings("often")).length > 0 && (await rings("failing")).length > 0);
  for (const { cron, scheduledTime, at } of await rings("often")) {
    expect(cron).toBe("* * * * *");
    expect(scheduledTime % MINUTE_MS).toBe(0);
    expect(at - scheduledTime).toBeGreaterThanOrEqual(0);
    expect(scheduledTime).toBeGreaterThan(before - MINUTE_MS);
  }
  expect(await rings("never")).toEqual([]);
});

test("the clock rings at the next full minute, whether just started or just rung, also when a handler failed", async () => {
  await until(async () => (await rings("failing")).length > 0);
  const { first, next } = await nextRing();
  const now = Date.now();
  for (const ring of [first, next ?? Number.NaN]) {
    expect(ring % MINUTE_MS).toBe(0);
    expect(ring).toBeGreaterThan(before);
    expect(ring).toBeLessThanOrEqual(now + MINUTE_MS);
  }
  await until(() =>
    /"cron_failed","worker":"failing","cron":"\*\/1 \* \* \* \*"/.test(
      readFileSync(join(stack.folder, "workerd.log"), "utf8"),
    ),
  );
});

test("a crash does not stop the clock, and starting it again does not make it ring twice", async () => {
  await until(async () => (await rings("often")).length > 0);
  await stack.crash();
  const { next } = await nextRing();
  expect((next ?? Number.NaN) % MINUTE_MS).toBe(0);
  await stack.operator("POST", "/start");
  const again = (await nextRing()).next ?? Number.NaN;
  // The minute may have ended in between.
  expect([next, (next ?? Number.NaN) + MINUTE_MS]).toContain(again);
  const minutes = (await rings("often")).map(({ scheduledTime }) => scheduledTime);
  expect(new Set(minutes).size).toBe(minutes.length);
});
