import type { BatchEntry, ChainEntry, RetentionEntry } from "./entry.ts";

const DAY_MS = 86_400_000;

/**
 * Messages that were made under a former retention still come for a while after it was shortened; their events are moved
 * to the shorter one as well.
 */
export const LATE_DAYS = 14;

/** Events that an older version of the audit plane still wrote when a chain began are older than it. */
export const BEGINNING_MS = 600_000;

/**
 * The first day (UTC, YYYY-MM-DD) on which a batch's events may be gone: that of the retention they were made under, or
 * of a shorter one that came later. A longer one promises nothing for what is there already.
 */
export function dueDay(batch: BatchEntry, retentions: readonly RetentionEntry[]): string {
  const shorter = retentions
    .filter(({ writtenAt }) => writtenAt > batch.writtenAt - LATE_DAYS * DAY_MS)
    .map(({ retentionDays }) => retentionDays);
  const days = Math.min(batch.retentionDays, ...shorter);
  return new Date(Date.parse(batch.day) + (days + 1) * DAY_MS).toISOString().slice(0, 10);
}

export function isRetention(entry: ChainEntry): entry is RetentionEntry {
  return entry.kind === "retention";
}
