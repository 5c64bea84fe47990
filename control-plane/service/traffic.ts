import * as queries from "@relaykey/db/queries/traffic";
import type { Attention } from "@relaykey/db/queries/traffic";
import { countByKey } from "@relaykey/db/queries/key-traffic";
import type { KeyTraffic } from "@relaykey/db/queries/key-traffic";
import { countTraffic } from "@relaykey/db/queries/traffic-counts";
import type { TrafficSlice } from "@relaykey/db/queries/traffic-counts";
import type { AuditFilter } from "@relaykey/db/queries/audit";
import { CONFIRMATION_MINUTES } from "@relaykey/core/confirmation";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import type { TimeRange } from "./time-range.ts";
import { findUnusual } from "./unusual.ts";
import type { Unusual } from "./unusual.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A key that expires within so many days is said to expire soon. */
export const SOON_DAYS = 7;
/** Whole days (UTC) that the last 24 hours are compared with. */
const DAYS_BEFORE = 7;
/** Keys that are looked at for unusual use, the busiest first. */
const MAX_KEYS = 200;
const MAX_EXPIRING = 5;

export interface Standing extends Attention {
  /** Addresses that were blocked as new ones and may still be confirmed. */
  readonly newAddresses: number;
  readonly expiring: readonly {
    readonly id: string;
    readonly name: string;
    readonly expiresAt: Date | null;
  }[];
  /** The busiest keys of the last day first. */
  readonly keys: readonly KeyTraffic[];
  readonly unusual: readonly Unusual[];
}

/** Requests over time by how they ended. */
export async function showTraffic(
  deps: ServiceDependencies,
  caller: Caller,
  filter: Omit<AuditFilter, "from" | "to">,
  range: TimeRange,
): Promise<Outcome<readonly TrafficSlice[]>> {
  const allowed = authorize(caller, "audit.read");
  if (!allowed.ok) return allowed;
  const { from, to, bucketMs } = range;
  return ok(await countTraffic(deps.db, caller.organizationId, { ...filter, from, to }, bucketMs));
}

/** How the organization stands: what waits for somebody, what is out of the ordinary. */
export async function showStanding(deps: ServiceDependencies, caller: Caller): Promise<Outcome<Standing>> {
  const allowed = authorize(caller, "audit.read");
  if (!allowed.ok) return allowed;
  const { db } = deps;
  const { organizationId } = caller;
  const now = deps.now();
  const times = { now: new Date(now), soon: new Date(now + SOON_DAYS * DAY_MS) };
  const since = Math.floor((now - DAY_MS) / HOUR_MS) * HOUR_MS;
  const beforeUntil = Math.floor(since / DAY_MS) * DAY_MS;
  const range = {
    since: new Date(since),
    before: new Date(beforeUntil - DAYS_BEFORE * DAY_MS),
    beforeUntil: new Date(beforeUntil),
  };
  const [attention, newAddresses, keys, expiring] = await Promise.all([
    queries.countAttention(db, organizationId, times),
    queries.countUnconfirmedAddresses(db, organizationId, new Date(now - CONFIRMATION_MINUTES * 60_000)),
    countByKey(db, organizationId, range, MAX_KEYS),
    queries.listExpiringKeys(db, organizationId, times, MAX_EXPIRING),
  ]);
  const unusual = findUnusual(keys, DAYS_BEFORE);
  return ok({ ...attention, newAddresses, expiring, keys, unusual });
}
