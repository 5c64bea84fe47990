import type { AuditEvent } from "@relaykey/core/audit-event";
import { BLOCK_REASONS, isBlockReason } from "@relaykey/core/block-reasons";
import type { Notice } from "@relaykey/core/notice";
import type { Database } from "@relaykey/db/client";
import { expiryDay } from "@relaykey/db/queries/audit";
import { blockedKeys, noteHealth, vendorAnswers } from "@relaykey/db/queries/watch";
import type { VendorAnswers, WrittenDays } from "@relaykey/db/queries/watch";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** So many refused requests of a key within so long are a storm; the next one is told of after the pause. */
export const STORM = { requests: 50, windowMinutes: 10, pauseHours: 6 } as const;
/** New addresses have a storm of their own, which the data plane tells of. */
const NOT_STORMY = ["ip_unconfirmed", "ip_unconfirmable"];

/** A customer's key that goes on saying no is told of again after this long. */
const CUSTODY_PAUSE_MS = 6 * HOUR_MS;

/** So many refusals in a row make a vendor's key fail; so many other answers in a row make it well again. */
export const HEALTH = { failingAfter: 5, wellAfter: 3 } as const;

/**
 * Looks at what was just written, and around it, for what admins should know. Told again, a happening is the same one: the
 * name of a notice follows from what is in the database, and the database notes it after the notice is on its way.
 *
 * @param send hands a notice to the queue.
 */
export async function watch(
  db: Database,
  events: readonly AuditEvent[],
  send: (notice: Notice) => Promise<void>,
  now: number,
): Promise<void> {
  const written = { days: writtenDays(events) };
  await watchKeys(db, events, written, send, now);
  await watchVendors(db, events, written, send, now);
  await watchCustody(events, send, now);
}

/** A customer's key that says no stops every integration under it: told of at once, and again while it lasts. */
async function watchCustody(
  events: readonly AuditEvent[],
  send: (notice: Notice) => Promise<void>,
  now: number,
): Promise<void> {
  const refused = events.filter(({ reason }) => reason === "custody_key_refused");
  const told = new Set<string>();
  for (const { organizationId, integrationId, integrationSlug } of refused) {
    if (organizationId === null || told.has(organizationId)) continue;
    told.add(organizationId);
    await send({
      v: 1,
      type: "custody.key_refused",
      dedupeKey: `custody.key_refused.${organizationId}.${String(Math.floor(now / CUSTODY_PAUSE_MS))}`,
      organizationId,
      keyId: null,
      holderId: null,
      integrationId,
      at: now,
      data: { integration: integrationSlug },
    });
  }
}

async function watchKeys(
  db: Database,
  events: readonly AuditEvent[],
  written: WrittenDays,
  send: (notice: Notice) => Promise<void>,
  now: number,
): Promise<void> {
  const refused = events.filter(({ decision, keyId }) => decision === "blocked" && keyId !== null);
  const stormy = await blockedKeys(db, unique(refused.map(({ keyId }) => keyId)), written, {
    since: new Date(now - STORM.windowMinutes * MINUTE_MS),
    atLeast: STORM.requests,
    quietSince: new Date(now - STORM.pauseHours * HOUR_MS),
    without: NOT_STORMY,
  });
  for (const { keyId, organizationId, holderId, integrationId, name, count, reason } of stormy) {
    await send({
      v: 1,
      type: "key.blocked_storm",
      dedupeKey: `key.blocked_storm.${keyId}.${String(Math.floor(now / HOUR_MS))}`,
      organizationId,
      keyId,
      holderId,
      integrationId,
      at: now,
      data: {
        key: name,
        count,
        minutes: STORM.windowMinutes,
        reason,
        reason_title: isBlockReason(reason) ? BLOCK_REASONS[reason].title : reason,
      },
    });
  }
}

async function watchVendors(
  db: Database,
  events: readonly AuditEvent[],
  written: WrittenDays,
  send: (notice: Notice) => Promise<void>,
  now: number,
): Promise<void> {
  const answered = events.filter(({ upstreamStatus }) => upstreamStatus !== null);
  const ids = unique(answered.map(({ integrationId }) => integrationId));
  for (const vendor of await vendorAnswers(db, ids, written, HEALTH.failingAfter)) {
    const health = judgeHealth(vendor);
    if (health === null || health === vendor.health) continue;
    if (health === "failing") await send(failing(vendor, now));
    await noteHealth(db, vendor, health, new Date(now));
  }
}

/** @returns null when the last answers do not tell. */
export function judgeHealth({ statuses }: Pick<VendorAnswers, "statuses">): "ok" | "failing" | null {
  const isRefusal = (status: number): boolean => status === 401 || status === 403;
  const { failingAfter, wellAfter } = HEALTH;
  // 403 alone may be about one resource only; a key that is dead is answered 401 somewhere.
  if (statuses.length >= failingAfter && statuses.slice(0, failingAfter).every(isRefusal)) {
    return statuses.slice(0, failingAfter).includes(401) ? "failing" : null;
  }
  const isWell =
    statuses.length >= wellAfter &&
    !statuses.slice(0, wellAfter).some((status) => isRefusal(status) || status >= 500);
  return isWell ? "ok" : null;
}

function failing(vendor: VendorAnswers, now: number): Notice {
  const { integrationId, organizationId, slug, healthAt, statuses } = vendor;
  return {
    v: 1,
    type: "integration.failing",
    // Until the health is noted every report is of the same fall.
    dedupeKey: `integration.failing.${integrationId}.${String(healthAt?.getTime() ?? 0)}`,
    organizationId,
    keyId: null,
    holderId: null,
    integrationId,
    at: now,
    data: { integration: slug, answers: HEALTH.failingAfter, status: statuses[0] ?? null },
  };
}

/** The partitions of the events, and of those of the day before. */
function writtenDays(events: readonly AuditEvent[]): string[] {
  return unique(
    events.flatMap(({ at, retentionDays }) => [
      expiryDay({ at, retentionDays }),
      expiryDay({ at: at - DAY_MS, retentionDays }),
    ]),
  );
}

function unique(values: readonly (string | null)[]): string[] {
  return [...new Set(values.filter((value) => value !== null))];
}
