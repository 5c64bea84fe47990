import { lt, sql } from "drizzle-orm";
import type { Database } from "../client.ts";
import { throttles } from "../schema/access.ts";

/** What is counted, and over how long. Windows begin at multiples of their length. */
export interface Window {
  /** "what:whom", such as "token:01890a5d…". */
  readonly bucket: string;
  readonly seconds: number;
}

export interface Counted {
  readonly bucket: string;
  /** In the window that is open, this one included. */
  readonly count: number;
}

/**
 * One more in each bucket, as a statement for a batch. Buckets are taken in the order of their names, so that two calls
 * cannot wait for each other. A clock that is behind counts in the newer window.
 */
export function countUp(db: Database, windows: readonly Window[], now: Date) {
  const rows = windows
    .map(({ bucket, seconds }) => {
      const ms = seconds * 1_000;
      return { bucket, windowStart: new Date(Math.floor(now.getTime() / ms) * ms), count: 1 };
    })
    .sort((left, right) => (left.bucket < right.bucket ? -1 : 1));
  return db
    .insert(throttles)
    .values(rows)
    .onConflictDoUpdate({
      target: throttles.bucket,
      set: {
        count: sql`CASE WHEN excluded.window_start > ${throttles.windowStart} THEN 1 ELSE ${throttles.count} + 1 END`,
        windowStart: sql`greatest(excluded.window_start, ${throttles.windowStart})`,
      },
    })
    .returning({ bucket: throttles.bucket, count: throttles.count });
}

/** Forgets counters of windows that began before then. */
export async function dropThrottles(db: Database, before: Date): Promise<void> {
  await db.delete(throttles).where(lt(throttles.windowStart, before));
}
