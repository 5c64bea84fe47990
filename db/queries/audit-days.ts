import { and, desc, eq, gt, gte, lte } from "drizzle-orm";
import { lowestIdAt } from "@relaykey/core/ids";
import type { Database } from "../client.ts";
import { auditDays } from "../schema/traffic.ts";

const LAST_MS = Date.parse("9999-12-31T00:00:00Z");
/** A request's id is made as it arrives: its time and the event's differ by less, whatever the clock does. */
export const ID_SLACK_MS = 60_000;

/** Days that are looked through together, the newest first; four times as many each time. */
const FIRST_WINDOW_DAYS = 8;
const WINDOW_GROWTH = 4;

/** A day (UTC) of which an organization has events, and the day that they expire on: their partition. YYYY-MM-DD. */
export interface AuditDay {
  readonly day: string;
  readonly expiresOn: string;
}

/** A stretch of time of the audit log, between request ids. */
export interface AuditWindow {
  /** The partitions that have its events. */
  readonly expiresOn: readonly string[];
  /** Inclusive; null: from the beginning. */
  readonly first: string | null;
  /** Exclusive; null: up to now. */
  readonly end: string | null;
}

/** The days between two moments (epoch ms, inclusive; both may be infinite) of which an organization has events, newest first. */
export async function readAuditDays(
  db: Database,
  organizationId: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<AuditDay[]> {
  return db
    .select({ day: auditDays.day, expiresOn: auditDays.expiresOn })
    .from(auditDays)
    .where(
      and(
        eq(auditDays.organizationId, organizationId),
        gt(auditDays.events, 0),
        gte(auditDays.day, dayOf(from)),
        lte(auditDays.day, dayOf(to)),
      ),
    )
    .orderBy(desc(auditDays.day));
}

/** The partitions that days are in, each once. */
export function partitionsOf(days: readonly AuditDay[]): string[] {
  return [...new Set(days.map(({ expiresOn }) => expiresOn))];
}

/**
 * Cuts days, newest first, into windows that follow one another without a gap: whoever needs only the newest events looks into
 * few partitions, however long a log there is.
 */
export function windowsOf(days: readonly AuditDay[]): AuditWindow[] {
  const dates = [...new Set(days.map(({ day }) => day))];
  const windows: AuditWindow[] = [];
  let end: number | null = null;
  for (let begun = 0, size = FIRST_WINDOW_DAYS; begun < dates.length; begun += size, size *= WINDOW_GROWTH) {
    const isLast = begun + size >= dates.length;
    const first: number | null = isLast ? null : Date.parse(dates[begun + size - 1] ?? "");
    windows.push(windowOf(days, first, end));
    end = first;
  }
  return windows;
}

function windowOf(days: readonly AuditDay[], first: number | null, end: number | null): AuditWindow {
  // An event's id may be of the neighbouring day.
  const oldest = first === null ? null : dayOf(first - ID_SLACK_MS);
  const newest = end === null ? null : dayOf(end + ID_SLACK_MS);
  const within = days.filter(
    ({ day }) => (oldest === null || day >= oldest) && (newest === null || day <= newest),
  );
  return {
    expiresOn: partitionsOf(within),
    first: first === null ? null : lowestIdAt(first),
    end: end === null ? null : lowestIdAt(end),
  };
}

/** Within the years that a date can be written in. */
function dayOf(ms: number): string {
  return new Date(Math.min(Math.max(ms, 0), LAST_MS)).toISOString().slice(0, 10);
}
