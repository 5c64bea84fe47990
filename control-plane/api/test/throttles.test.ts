import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { readTaken, take } from "@relaykey/db/queries/throttles";
import type { Taken, Throttle } from "@relaykey/db/queries/throttles";
import { openPglite } from "../../../local/sql/pglite.ts";
import { openPostgres } from "../../../local/sql/postgres.ts";
import { startPostgres } from "../../../local/sql/test-postgres.ts";
import { createApi } from "../app.ts";
import { createWorld } from "./world.ts";
import type { World } from "./world.ts";

const postgres = await startPostgres();
if (postgres === null)
  console.warn("PostgreSQL's server is not installed here: throttles were not tested with calls at once.");

let world: World;

beforeAll(async () => {
  world = await createWorld(() =>
    postgres === null ? openPglite("memory://") : Promise.resolve(openPostgres(postgres.url)),
  );
}, 120_000);

afterAll(async () => {
  await world.close();
  postgres?.stop();
});

const throttle = (limit: number, seconds: number): Throttle => ({ bucket: newId(), limit, seconds });
const takeAt = async (wanted: readonly Throttle[], ms: number): Promise<readonly Taken[]> =>
  readTaken(await take(world.db, wanted, new Date(ms)));
const admitsAt = async (one: Throttle, ms: number): Promise<boolean> =>
  (await takeAt([one], ms))[0]?.admitted === true;

/** Any moment: nothing may depend on where a window would begin on the clock. */
const NOON = Date.UTC(2027, 2, 1, 12);

test("in no stretch as long as the window is more admitted than the limit, and a sixtieth later again all of it", async () => {
  const schedule = fc.record({
    limit: fc.integer({ min: 1, max: 5 }),
    seconds: fc.constantFrom(1, 60, 900, 86_400),
    start: fc.integer({ min: 0, max: 86_400_000 }),
    // As parts of the window, so that calls fall together, at its edges and beyond them.
    pauses: fc.array(
      fc.oneof(
        fc.constantFrom(0, 1 / 60, 0.5, 0.98, 59 / 60, 1, 1.01),
        fc.double({ min: 0, max: 1.2, noNaN: true }),
      ),
      { minLength: 8, maxLength: 16 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(schedule, async ({ limit, seconds, start, pauses }) => {
      const one = throttle(limit, seconds);
      const windowMs = seconds * 1_000;
      const admitted: number[] = [];
      let now = NOON + start;
      for (const pause of pauses) {
        now += Math.round(pause * windowMs);
        const within = (ms: number) => admitted.filter((at) => at > now - ms).length;
        if (await admitsAt(one, now)) {
          expect(within(windowMs)).toBeLessThan(limit);
          admitted.push(now);
        } else {
          expect(within((windowMs * 61) / 60 + 1)).toBeGreaterThanOrEqual(limit);
        }
      }
    }),
    { numRuns: 25 },
  );
});

test("a burst at the edge of two windows is one burst", async () => {
  const minute = throttle(10, 60);
  const edge = NOON + 60_000;
  for (let count = 0; count < 10; count += 1) expect(await admitsAt(minute, edge - 1)).toBe(true);
  expect(await admitsAt(minute, edge)).toBe(false);
  expect(await admitsAt(minute, edge + 58_000)).toBe(false);
});

test("what it says of when it is free again is true, to the millisecond", async () => {
  const one = throttle(2, 60);
  await takeAt([one], NOON + 7);
  await takeAt([one], NOON + 30_500);
  const [refused] = await takeAt([one], NOON + 40_000);
  expect(refused).toMatchObject({ admitted: false, used: 2 });
  const freeAt = refused?.freeAt ?? 0;
  expect(freeAt).toBeGreaterThan(NOON + 60_007);
  expect(freeAt).toBeLessThanOrEqual(NOON + 61_007);
  expect(await admitsAt(one, freeAt - 1)).toBe(false);
  expect(await admitsAt(one, freeAt)).toBe(true);
});

test("who is refused has taken nothing, from no throttle", async () => {
  const [narrow, wide] = [throttle(1, 60), throttle(3, 60)];
  await takeAt([narrow, wide], NOON);
  for (let count = 0; count < 5; count += 1) {
    const answer = await takeAt([wide, narrow], NOON + 1);
    expect(answer.map(({ admitted }) => admitted).sort()).toEqual([false, true]);
  }
  expect(await takeAt([wide], NOON + 2)).toMatchObject([{ admitted: true, used: 2 }]);
  expect(await admitsAt(narrow, NOON + 62_000)).toBe(true);
});

test("a clock that is behind gains nothing", async () => {
  const one = throttle(2, 60);
  await takeAt([one], NOON + 59_000);
  await takeAt([one], NOON);
  expect(await admitsAt(one, NOON + 1)).toBe(false);
  expect(await admitsAt(one, NOON + 61_500)).toBe(false);
});

describe.runIf(postgres !== null)("at the same time, on PostgreSQL", () => {
  test("of many calls exactly as many pass as may, and calls with the same throttles in any order end", async () => {
    const [first, second] = [throttle(25, 60), throttle(40, 60)];
    const both = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        takeAt(index % 2 === 0 ? [first, second] : [second, first], NOON + index),
      ),
    );
    expect(both.filter((answer) => answer.every(({ admitted }) => admitted))).toHaveLength(25);
    const rest = await Promise.all(Array.from({ length: 40 }, () => admitsAt(second, NOON + 100)));
    expect(rest.filter((admitted) => admitted)).toHaveLength(15);
  });
});

test("the API says what is left, and when to come back", async () => {
  const { token } = await world.organization();
  const limits = { token: { limit: 3, windowSeconds: 60 }, address: { limit: 100, windowSeconds: 60 } };
  const api = createApi(world.deps, limits);
  const ask = () =>
    api.request(
      "/api/v1/plan",
      { headers: { Authorization: `Bearer ${token}` } },
      { requestId: newId(), ip: "203.0.113.77" },
    );
  const left = [];
  for (let count = 0; count < 3; count += 1) left.push((await ask()).headers.get("RateLimit"));
  expect(left.map((field) => /;r=(\d+);/.exec(field ?? "")?.[1])).toEqual(["2", "1", "0"]);
  const refused = await ask();
  expect(refused.status).toBe(429);
  expect(refused.headers.get("RateLimit")).toMatch(/^"relaykey";r=0;t=(?:60|61)$/);
  expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThanOrEqual(58);
  world.advance(62_000);
  expect((await ask()).status).toBe(200);
});
