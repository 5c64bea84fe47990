import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../client.ts";
import { throttles } from "../schema/access.ts";

/** How often something may happen: `limit` times in a window that begins with the first time. */
export interface Throttle {
  /** What is counted, such as "sign-in:ip:203.0.113.9". */
  readonly bucket: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

/** Counts once against a bucket. Of calls at the same time each counts: it is one statement. */
function take(db: Database, throttle: Throttle, now: Date) {
  const at = sql`${now.toISOString()}::timestamptz`;
  const isOver = sql`${throttles.windowStart} <= ${at} - make_interval(secs => ${throttle.windowSeconds}::int)`;
  // The count stops one above the limit: an attack of days leaves a number that still fits.
  const next: SQL = sql`CASE WHEN ${isOver} THEN 1 ELSE least(${throttles.count} + 1, ${throttle.limit}::int + 1) END`;
  return db
    .insert(throttles)
    .values({ bucket: throttle.bucket, windowStart: now, count: 1 })
    .onConflictDoUpdate({
      target: throttles.bucket,
      set: {
        count: next,
        windowStart: sql`CASE WHEN ${isOver} THEN ${at} ELSE ${throttles.windowStart} END`,
      },
    })
    .returning({ bucket: throttles.bucket, count: throttles.count, windowStart: throttles.windowStart });
}

/**
 * Counts once against each bucket.
 *
 * @returns in how many seconds all of them admit again; 0 when they do now.
 */
export async function takeAll(
  db: Database,
  wanted: readonly [Throttle, ...Throttle[]],
  now: Date,
): Promise<number> {
  // Always in the same order, so that two calls cannot lock each other out.
  const [first, ...rest] = [...wanted].sort((left, right) => (left.bucket < right.bucket ? -1 : 1));
  if (first === undefined) return 0;
  const results = await db.batch([take(db, first, now), ...rest.map((throttle) => take(db, throttle, now))]);
  const waits = results.flat().map(({ bucket, count, windowStart }) => {
    const throttle = wanted.find((candidate) => candidate.bucket === bucket);
    if (throttle === undefined || count <= throttle.limit) return 0;
    return Math.ceil((windowStart.getTime() - now.getTime()) / 1_000) + throttle.windowSeconds;
  });
  return Math.max(0, ...waits);
}
