import type { EnforcementReceipt } from "@relaykey/core/rpc";
import { encodeSnapshot } from "@relaykey/core/snapshot";
import { dueChanges, markEnforced, markFailed, openKeys } from "@relaykey/db/queries/outbox";
import { loadSnapshot } from "@relaykey/db/queries/snapshots";
import type { ServiceDependencies } from "./dependencies.ts";

/** Whether a key's latest policy holds in the data plane. `pending` = stored, retried, not yet in force. */
export type Enforcement =
  | {
      readonly state: "enforced";
      readonly version: number;
      /** Epoch ms. */
      readonly enforcedAt: number;
      readonly waitedMs: number;
    }
  | { readonly state: "pending"; readonly version: number };

/** The same for a change that concerns many keys. */
export interface FanOut {
  readonly state: "enforced" | "pending";
  readonly keys: number;
  readonly pending: number;
}

/** Longer than any lease: after it the change is reported as pending, whatever becomes of the call. */
const APPLY_TIMEOUT_MS = 15_000;
/** Keys enforced at the same time; most of an application is waiting for leases to end. */
const CONCURRENCY = 16;
/** Keys per request or retry run, under the platform's cap on calls per request; the rest waits for the next run. */
export const MAX_KEYS_PER_RUN = 200;

/**
 * Brings the latest policy of a key to the data plane. It always sends the newest version there is, so that runs may
 * overlap, repeat and overtake each other: the data plane ignores a version older than the one it has.
 *
 * Never rejects: what could not be confirmed, for whatever reason, is pending.
 *
 * @param version the version to report on when the key could not even be read.
 */
export async function enforceKey(
  deps: ServiceDependencies,
  organizationId: string,
  keyId: string,
  version: number,
): Promise<Enforcement> {
  try {
    const receipt = await applyLatest(deps, organizationId, keyId);
    if (receipt.version < version) throw new RangeError("The data plane confirmed an older version.");
    const { enforcedAt, waitedMs } = receipt;
    await markEnforced(deps.db, organizationId, keyId, {
      version: receipt.version,
      enforcedAt: new Date(enforcedAt),
      waitedMs,
      now: new Date(deps.now()),
    });
    return { state: "enforced", version: receipt.version, enforcedAt, waitedMs };
  } catch (error) {
    // Only the kind of failure: a message could quote what it choked on.
    const kind = error instanceof Error ? error.name : typeof error;
    deps.log("warn", "enforcement_pending", { keyId, version, error: kind });
    await markFailed(deps.db, organizationId, keyId, { error: kind, now: new Date(deps.now()) }).catch(() => {
      deps.log("error", "enforcement_failure_not_recorded", { keyId });
    });
    return { state: "pending", version };
  }
}

/** Enforces many keys with bounded concurrency; those beyond one run stay pending for the retry job. */
export async function enforceKeys(
  deps: ServiceDependencies,
  organizationId: string,
  keyIds: readonly string[],
): Promise<FanOut> {
  const states = await mapBounded(keyIds.slice(0, MAX_KEYS_PER_RUN), (keyId) =>
    enforceKey(deps, organizationId, keyId, 0),
  );
  const enforced = states.filter(({ state }) => state === "enforced").length;
  const pending = keyIds.length - enforced;
  return { state: pending === 0 ? "enforced" : "pending", keys: keyIds.length, pending };
}

/**
 * Goes on with an organization's open changes, due or not: what a change of many keys could not enforce in its own run.
 * Called again and again it brings every key there, and tells how far it is.
 */
export async function enforceOpenKeys(deps: ServiceDependencies, organizationId: string): Promise<FanOut> {
  const { keyIds, total } = await openKeys(deps.db, organizationId, MAX_KEYS_PER_RUN);
  const { pending } = await enforceKeys(deps, organizationId, keyIds);
  const left = total - keyIds.length + pending;
  return { state: left === 0 ? "enforced" : "pending", keys: total, pending: left };
}

/** The retry job: enforces what is due, of all organizations. */
export async function retryOpenChanges(deps: ServiceDependencies): Promise<FanOut> {
  const due = await dueChanges(deps.db, new Date(deps.now()), MAX_KEYS_PER_RUN);
  const states = await mapBounded(due, ({ organizationId, keyId }) =>
    enforceKey(deps, organizationId, keyId, 0),
  );
  const pending = states.filter(({ state }) => state === "pending").length;
  return { state: pending === 0 ? "enforced" : "pending", keys: due.length, pending };
}

async function applyLatest(
  deps: ServiceDependencies,
  organizationId: string,
  keyId: string,
): Promise<EnforcementReceipt> {
  const snapshot = await loadSnapshot(deps.db, organizationId, keyId);
  if (snapshot === null) throw new ReferenceError("The key is not there.");
  // A revocation needs nothing of the policy, so nothing in the policy can hold it up.
  const call =
    snapshot.state === "revoked"
      ? deps.keyControl.revoke(snapshot, snapshot.version)
      : deps.keyControl.apply(encodeSnapshot(snapshot));
  return withTimeout(call, APPLY_TIMEOUT_MS);
}

async function withTimeout<T>(call: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DOMException("The data plane did not answer in time.", "TimeoutError"));
    }, ms);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function mapBounded<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) results.push(await work(item));
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
  return results;
}
