import { encodeRewrapOrder } from "@relaykey/core/custody/orders";
import type { CustodyProblem } from "@relaykey/core/custody/problems";
import { describeEnvelope, envelopeStart, envelopeStarts } from "@relaykey/core/envelope";
import { dueRewraps, markRewrapFailed, storeRewrapped } from "@relaykey/db/queries/rewraps";
import type { DueRewrap } from "@relaykey/db/queries/rewraps";
import { adminEvent, systemCaller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { enforceKeys } from "./enforcement.ts";

/** Envelopes per run: each is a question to the proxy, and up to two of its to the customer's KMS. */
export const MAX_PER_RUN = 20;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

export interface RewrapRun {
  readonly rewrapped: number;
  readonly failed: number;
}

/** Rewraps what waits in an organization, due or not, as far as one run gets. */
export function rewrapWaiting(deps: ServiceDependencies, organizationId: string): Promise<RewrapRun> {
  return run(deps, organizationId);
}

/** The job: rewraps what is due, of all organizations. */
export function rewrapDue(deps: ServiceDependencies): Promise<RewrapRun> {
  return run(deps, null);
}

/**
 * One after the other, each stored before the next is asked for: a run may end anywhere, overlap another and be repeated.
 * Vendor keys are never decrypted; the proxy wraps their data keys anew.
 */
async function run(deps: ServiceDependencies, which: string | null): Promise<RewrapRun> {
  const starts = await envelopeStarts(deps.sealingKey);
  let [rewrapped, failed] = [0, 0];
  for (const due of await dueRewraps(deps.db, starts, which, new Date(deps.now()), MAX_PER_RUN)) {
    const problem = await rewrapOne(deps, due);
    if (problem === null) {
      rewrapped += 1;
      continue;
    }
    failed += 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** due.failures, LONGEST_PAUSE_MS);
    await markRewrapFailed(deps.db, due, { problem, dueAt: new Date(deps.now() + pause) });
  }
  return { rewrapped, failed };
}

/** @returns what kept it from being done; null: it was done, or somebody else was faster. */
async function rewrapOne(deps: ServiceDependencies, due: DueRewrap): Promise<CustodyProblem | null> {
  const { organizationId, integrationId, version, destination, envelope, customerKey } = due;
  const result = await ask(deps, {
    format: 1,
    organizationId,
    integrationId,
    version,
    destination,
    envelope,
    customerKey,
  });
  if (!result.ok) return result.problem;
  // A proxy with another master key than the one that this plane seals for would be asked again and again.
  const start = await envelopeStart({ publicKey: deps.sealingKey, customerKey });
  if (!result.envelope.startsWith(start)) return "unreadable";
  const event = adminEvent(
    systemCaller(organizationId),
    "integration.rewrapped",
    { kind: "integration", id: integrationId },
    { before: describeEnvelope(envelope), after: describeEnvelope(result.envelope), metadata: { version } },
  );
  const change = { envelope: result.envelope, now: new Date(deps.now()), event };
  const keyIds = await storeRewrapped(deps.db, due, change);
  if (keyIds !== null) await enforceKeys(deps, organizationId, keyIds);
  return null;
}

async function ask(deps: ServiceDependencies, order: Parameters<typeof encodeRewrapOrder>[0]) {
  try {
    return await deps.keyControl.rewrap(encodeRewrapOrder(order));
  } catch (error) {
    deps.log("warn", "rewrap_failed", { error: error instanceof Error ? error.name : typeof error });
    return { ok: false, problem: "proxy_away" } as const;
  }
}
