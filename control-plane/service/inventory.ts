import type { FirstSteps } from "@relaykey/db/queries/inventory";
import { dailyUse } from "@relaykey/db/queries/key-traffic";
import * as queries from "@relaykey/db/queries/inventory";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

const DAY_MS = 86_400_000;
/** Days of a sparkline, today included. */
export const SPARK_DAYS = 7;
/** Names offered in a list to choose from; others are typed. */
const MAX_NAMES = 500;

/** Requests per day of the last week, the oldest day first. A key without any is absent. */
export async function weekOfUse(
  deps: ServiceDependencies,
  caller: Caller,
  keyIds: readonly string[],
): Promise<Outcome<ReadonlyMap<string, readonly number[]>>> {
  const allowed = authorize(caller, "audit.read");
  if (!allowed.ok) return allowed;
  const since = firstSparkDay(deps.now());
  const until = new Date(since.getTime() + SPARK_DAYS * DAY_MS);
  return ok(await dailyUse(deps.db, caller.organizationId, keyIds, since, until));
}

/** The first moment of the week that a sparkline shows (UTC). */
export function firstSparkDay(now: number): Date {
  return new Date((Math.floor(now / DAY_MS) - (SPARK_DAYS - 1)) * DAY_MS);
}

/** How many keys each integration, or each holder, has. */
export async function countKeysBy(
  deps: ServiceDependencies,
  caller: Caller,
  owner: "integration" | "holder",
): Promise<Outcome<ReadonlyMap<string, queries.KeyCount>>> {
  const allowed = authorize(caller, "key.read");
  if (!allowed.ok) return allowed;
  return ok(await queries.countKeysBy(deps.db, caller.organizationId, owner, new Date(deps.now())));
}

/** What of the first run is done. */
export async function showFirstSteps(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<Outcome<FirstSteps>> {
  const allowed = authorize(caller, "audit.read");
  if (!allowed.ok) return allowed;
  return ok(await queries.findFirstSteps(deps.db, caller.organizationId));
}

/** Names of integrations and holders, to choose from. */
export async function showNames(deps: ServiceDependencies, caller: Caller) {
  const allowed = authorize(caller, "holder.read");
  if (!allowed.ok) return allowed;
  return ok(await queries.listNames(deps.db, caller.organizationId, MAX_NAMES));
}
