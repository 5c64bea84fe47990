import { countUp } from "@relaykey/db/queries/throttles";
import type { ServiceDependencies } from "./dependencies.ts";

/** How often something may happen in a window of time. */
export interface Throttle {
  /** What is counted and for whom, such as "sign-in:network:203.0.113.9". */
  readonly bucket: string;
  readonly limit: number;
  readonly seconds: number;
}

/**
 * Counts once against each throttle, in one statement: calls at the same time cannot both be the last one that passes.
 *
 * @returns in how many seconds all of them admit again; 0 when they admit this one.
 */
export async function takeAll(deps: ServiceDependencies, throttles: readonly Throttle[]): Promise<number> {
  const now = deps.now();
  const counted = await countUp(deps.db, throttles, new Date(now));
  const waits = throttles.map(({ bucket, limit, seconds }) => {
    const count = counted.find((candidate) => candidate.bucket === bucket)?.count ?? 0;
    return count <= limit ? 0 : seconds - (Math.floor(now / 1_000) % seconds);
  });
  return Math.max(0, ...waits);
}
