import { lt, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../client.ts";
import { throttles } from "../schema/access.ts";

/** How often something may happen in any stretch of time that is as long as the window. */
export interface Throttle {
  /** What is counted and for whom, such as "sign-in:network:203.0.113.9". */
  readonly bucket: string;
  readonly limit: number;
  readonly seconds: number;
}

/** What became of a throttle when something was to be taken from it. */
export interface Taken {
  readonly bucket: string;
  /** Whether this one had something left. Only when all had was anything taken. */
  readonly admitted: boolean;
  /** Within the window that ends now, this one included if it was taken. */
  readonly used: number;
  /** Epoch ms from which on one more can be taken, if nobody else does; null: it never was full, nor is. */
  readonly freeAt: number | null;
}

/** A row of the function `relaykey_take`, as the driver gives it. */
interface TakenRow {
  readonly [column: string]: unknown;
  readonly bucket: string;
  readonly admitted: boolean;
  readonly used: number;
  readonly free_at_ms: string | null;
}

/** Takes from all throttles or from none, as a statement for a batch. `readTaken` reads its rows. */
export function take(db: Database, wanted: readonly Throttle[], now: Date) {
  return db.execute<TakenRow>(sql`SELECT * FROM ${takeFrom(wanted, now)}`);
}

/** The same as a table expression, for a statement that takes only if it does something. */
export function takeFrom(wanted: readonly Throttle[], now: Date): SQL {
  const list = (values: readonly SQL[], type: string) =>
    sql`ARRAY[${sql.join([...values], sql`, `)}]::${sql.raw(type)}[]`;
  const buckets = wanted.map(({ bucket }) => sql`${bucket}`);
  const limits = wanted.map(({ limit }) => sql`${limit}`);
  const seconds = wanted.map((throttle) => sql`${throttle.seconds}`);
  return sql`relaykey_take(${list(buckets, "text")}, ${list(limits, "integer")}, ${list(seconds, "integer")},
    ${now.toISOString()}::timestamptz)`;
}

export function readTaken({ rows }: { readonly rows: readonly TakenRow[] }): Taken[] {
  return rows.map(({ bucket, admitted, used, free_at_ms: freeAt }) => ({
    bucket,
    admitted,
    used,
    freeAt: freeAt === null ? null : Number(freeAt),
  }));
}

/** Forgets throttles from which nothing was taken since then. */
export async function dropThrottles(db: Database, before: Date): Promise<void> {
  await db.delete(throttles).where(lt(throttles.windowStart, before));
}
