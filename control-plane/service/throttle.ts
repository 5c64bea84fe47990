import { canonicalIp } from "@relaykey/core/ip";
import { readTaken, take } from "@relaykey/db/queries/throttles";
import type { Throttle } from "@relaykey/db/queries/throttles";
import type { ServiceDependencies } from "./dependencies.ts";

/**
 * Whom calls from an address are counted for: whoever has one IPv6 address has the whole /64 that it lies in.
 *
 * @param ip null: it cannot be told.
 */
export function networkOf(ip: string | null): string {
  return (ip === null ? null : canonicalIp(ip)?.network) ?? "unknown";
}

/**
 * Takes once from each throttle, or from none when one of them has nothing left, in one statement: calls at the same time
 * cannot both be the last one that passes.
 *
 * @returns in how many seconds all of them admit again; 0 when they admit this one.
 */
export async function takeAll(deps: ServiceDependencies, throttles: readonly Throttle[]): Promise<number> {
  const now = deps.now();
  const taken = readTaken(await take(deps.db, throttles, new Date(now)));
  const waits = taken
    .filter(({ admitted }) => !admitted)
    .map(({ freeAt }) => Math.max(1, Math.ceil(((freeAt ?? now) - now) / 1_000)));
  return Math.max(0, ...waits);
}
