import type { KeyTraffic } from "@relaykey/db/queries/key-traffic";

/** A key that is used otherwise than in the days before. */
export interface Unusual {
  readonly kind: "blocked" | "busy";
  readonly key: { readonly id: string; readonly name: string };
  readonly requests: number;
  /** What a day had on average before. */
  readonly usual: number;
}

/** Fewer are chance. */
const LEAST_BLOCKED = 20;
const LEAST_ALLOWED = 200;
/** Times of the average that are out of the ordinary. */
const BLOCKED_FACTOR = 3;
const ALLOWED_FACTOR = 5;

/**
 * Keys whose last day stands out from the days before it, the most striking first: many blocked requests (somebody tries
 * the key's limits, or a program is misconfigured), or far more use than before.
 */
export function findUnusual(keys: readonly KeyTraffic[], daysBefore: number): Unusual[] {
  const found = keys.flatMap((key): Unusual[] => {
    const usuallyBlocked = key.blockedBefore / daysBefore;
    const usuallyAllowed = key.allowedBefore / daysBefore;
    const about = { key: { id: key.id, name: key.name } };
    const all: Unusual[] = [];
    if (key.blocked >= LEAST_BLOCKED && key.blocked > BLOCKED_FACTOR * usuallyBlocked) {
      all.push({ ...about, kind: "blocked", requests: key.blocked, usual: usuallyBlocked });
    }
    if (key.allowed >= LEAST_ALLOWED && key.allowed > ALLOWED_FACTOR * usuallyAllowed) {
      // A new key has no days before: that it is used says nothing.
      if (key.allowedBefore > 0) {
        all.push({ ...about, kind: "busy", requests: key.allowed, usual: usuallyAllowed });
      }
    }
    return all;
  });
  return found.sort((left, right) => surprise(right) - surprise(left));
}

function surprise({ requests, usual }: Unusual): number {
  return requests / (usual + 1);
}
