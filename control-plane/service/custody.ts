import { fromBase64Url, toBase64Url, toHex } from "@relaykey/core/bytes";
import { customerKeyId, readPublicKey } from "@relaykey/core/custody/customer-key";
import type { CustomerKey } from "@relaykey/core/custody/customer-key";
import { parseKeyArn } from "@relaykey/core/custody/key-arn";
import { challengeContext, challengeDigest, encodeChallengeOrder } from "@relaykey/core/custody/orders";
import { CUSTODY_PROBLEMS } from "@relaykey/core/custody/problems";
import { envelopeStarts, sealSecret } from "@relaykey/core/envelope";
import type { SealingTarget } from "@relaykey/core/envelope";
import { Secret } from "@relaykey/core/secret";
import { findCustody, listCustody, rewrapProgress, setCustody } from "@relaykey/db/queries/custody";
import type { CustodyRecord, CustodySetting, RewrapProgress } from "@relaykey/db/queries/custody";
import { authorize } from "./authorization.ts";
import { adminEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { rewrapWaiting } from "./rewrap.ts";

const MAX_INTEGRATIONS = 500;
const CHALLENGE_BYTES = 32;

export interface Custody extends CustodySetting {
  /** SHA-256 of the sealing key, hex: what to compare with the one that the secrets were made with. */
  readonly fingerprint: string;
  readonly progress: RewrapProgress;
  readonly integrations: readonly CustodyRecord[];
}

export interface CustomerKeyInput {
  readonly arn: string;
  /** PEM, or the base64 of its DER. */
  readonly publicKey: string;
}

/** How vendor keys are kept. The control plane has public halves only. */
export async function showCustody(deps: ServiceDependencies, caller: Caller): Promise<Outcome<Custody>> {
  const allowed = authorize(caller, "custody.read");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const publicKey = fromBase64Url(deps.sealingKey) ?? new Uint8Array();
  const digest = await crypto.subtle.digest("SHA-256", publicKey);
  const starts = await envelopeStarts(deps.sealingKey);
  const [setting, progress, integrations] = await Promise.all([
    findCustody(deps.db, organizationId),
    rewrapProgress(deps.db, organizationId, starts),
    listCustody(deps.db, organizationId, starts, MAX_INTEGRATIONS),
  ]);
  return ok({ ...setting, fingerprint: toHex(new Uint8Array(digest)), progress, integrations });
}

/** For whom a vendor key of an organization is sealed from now on. */
export async function sealingTarget(
  deps: ServiceDependencies,
  organizationId: string,
): Promise<SealingTarget> {
  const { customerKey } = await findCustody(deps.db, organizationId);
  const { sealingKey: publicKey } = deps;
  if (customerKey === null) return { publicKey, customerKey };
  return { publicKey, customerKey: { arn: customerKey.arn, publicKey: customerKey.publicKey } };
}

/**
 * Puts all vendor keys of the organization under a customer's key, or back under the proxy's own alone. A customer's key is
 * tried first: nothing comes to depend on one that the proxy cannot use. What is sealed already is rewrapped, here as far
 * as it gets, then each minute.
 *
 * @param expected the revision that the setting must be at; null = any.
 */
export async function changeCustody(
  deps: ServiceDependencies,
  caller: Caller,
  input: CustomerKeyInput | null,
  expected: number | null = null,
): Promise<Outcome<Custody>> {
  const allowed = authorize(caller, "custody.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const read = input === null ? ok(null) : await readCustomerKey(input);
  if (!read.ok) return read;
  const key = read.value;
  if (key !== null) {
    const proven = await prove(deps, organizationId, key);
    if (!proven.ok) return proven;
  }
  const before = (await findCustody(deps.db, organizationId)).customerKey;
  const now = new Date(deps.now());
  const stored = key === null ? null : { ...key, keyId: await customerKeyId(key.publicKey), verifiedAt: now };
  const event = adminEvent(
    caller,
    "custody.changed",
    { kind: "organization", id: organizationId },
    {
      before: { provider: providerOf(before), keyArn: before?.arn ?? null },
      after: { provider: providerOf(stored), keyArn: stored?.arn ?? null },
    },
  );
  if (!(await setCustody(deps.db, organizationId, stored, { now, expected, event }))) {
    return fail("precondition_failed");
  }
  await rewrapWaiting(deps, organizationId);
  return showCustody(deps, caller);
}

/** Goes on rewrapping, due or not: what one run could not do. Called again and again it gets there. */
export async function goOnRewrapping(deps: ServiceDependencies, caller: Caller): Promise<Outcome<Custody>> {
  const allowed = authorize(caller, "custody.rewrap");
  if (!allowed.ok) return allowed;
  await rewrapWaiting(deps, caller.organizationId);
  return showCustody(deps, caller);
}

export function providerOf(customerKey: object | null): "local" | "aws-kms" {
  return customerKey === null ? "local" : "aws-kms";
}

async function readCustomerKey({ arn, publicKey: text }: CustomerKeyInput): Promise<Outcome<CustomerKey>> {
  if (parseKeyArn(arn) === null) {
    return invalid(
      "customer_key.arn",
      "Give the ARN of the key, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-…; an alias can be moved and is not accepted.",
    );
  }
  const read = await readPublicKey(text);
  return read.ok ? ok({ arn, publicKey: read.publicKey }) : invalid("customer_key.public_key", read.error);
}

/** Whether the proxy opens what is sealed for the key: a random text that means nothing. */
async function prove(
  deps: ServiceDependencies,
  organizationId: string,
  customerKey: CustomerKey,
): Promise<Outcome<null>> {
  const challenge = toBase64Url(crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES)));
  const target = { publicKey: deps.sealingKey, customerKey };
  const envelope = await sealSecret(target, challengeContext(organizationId), new Secret(challenge));
  try {
    const result = await deps.keyControl.proveCustody(
      encodeChallengeOrder({ format: 1, organizationId, envelope }),
    );
    if (!result.ok) return fail("custody_unproven", { detail: CUSTODY_PROBLEMS[result.problem] });
    return result.digest === (await challengeDigest(challenge)) ? ok(null) : fail("custody_unproven");
  } catch (error) {
    deps.log("warn", "custody_proof_failed", { error: error instanceof Error ? error.name : typeof error });
    return fail("data_plane_away");
  }
}
