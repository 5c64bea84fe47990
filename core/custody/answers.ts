import { challengeContext, challengeDigest } from "./orders.ts";
import type { ChallengeOrder, ChallengeResult, RewrapOrder, RewrapResult } from "./orders.ts";
import { CustodyError } from "./problems.ts";
import type { CustodyProblem } from "./problems.ts";
import { openSecret, rewrapEnvelope, unwrapEnvelope } from "../envelope.ts";
import type { Keyring } from "../envelope.ts";

/** Opens a challenge, as proof that the customer's key lets this proxy use it. Nothing else opens here: its context is fixed. */
export async function proveCustody(order: ChallengeOrder, keyring: Keyring): Promise<ChallengeResult> {
  try {
    const unwrapped = await unwrapEnvelope(order.envelope, challengeContext(order.organizationId), keyring);
    return { ok: true, digest: await challengeDigest((await openSecret(unwrapped)).reveal()) };
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
}

/**
 * Wraps a vendor key's data key anew, always for this proxy's own pair as well: whatever customer's key is ordered, what
 * comes out can be opened by no one but this proxy.
 */
export async function rewrap(order: RewrapOrder, keyring: Keyring): Promise<RewrapResult> {
  const { organizationId, integrationId: recordId, version, destination, envelope, customerKey } = order;
  const [own] = keyring.local;
  if (own === undefined) return { ok: false, problem: "unreadable" };
  const context = { organizationId, recordId, field: "vendor_key", version, destination } as const;
  try {
    const target = { publicKey: own.publicKey, customerKey };
    return { ok: true, envelope: await rewrapEnvelope(envelope, context, keyring, target) };
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
}

function problemOf(error: unknown): CustodyProblem {
  return error instanceof CustodyError ? error.problem : "unreadable";
}
