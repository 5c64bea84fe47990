import { newId } from "@relaykey/core/ids";
import type { Secret } from "@relaykey/core/secret";
import { mintToken } from "@relaykey/core/token";
import * as queries from "@relaykey/db/queries/key-lifecycle";
import type { KeyRecord } from "@relaykey/db/queries/keys";
import { authorize } from "./authorization.ts";
import { adminEvent, creationEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { MAX_KEY_ATTEMPTS, answerChange, findKey, inspectKey } from "./keys.ts";
import type { KeyAnswer } from "./keys.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { withinPlan } from "./plan-limit.ts";

export interface Reroll {
  /** How long the former key goes on, in ms; 0: it is revoked at once. */
  readonly overlapMs: number;
  /** When the new key expires; absent: when the former one would have. */
  readonly expiresAt?: Date | null;
}

/** A new key, and the one it takes the place of. */
export interface RerolledKey extends KeyAnswer {
  readonly token: Secret;
  readonly former: KeyAnswer;
}

/**
 * Issues a new token for what a key may do. The former key goes on for the overlap, so that its holder can change over
 * without a gap; its new end is enforced like any other change. A frozen key has no overlap: somebody stopped it.
 */
export async function rerollKey(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
  reroll: Reroll,
): Promise<Outcome<RerolledKey>> {
  const allowed = authorize(caller, "key.change");
  if (!allowed.ok) return allowed;
  for (let attempt = 0; attempt < MAX_KEY_ATTEMPTS; attempt += 1) {
    const found = await findKey(deps, caller, keyId);
    if (!found.ok) return found;
    const former = found.value;
    if (former.state === "revoked") return fail("key_revoked");
    const plan = planReroll(former, reroll, deps.now());
    if (!plan.ok) return plan;
    const { expiresAt, endsAt } = plan.value;
    const minted = await mintToken("proxy", former.holder.locator, deps.tagKey);
    const id = newId();
    const change = {
      replacement: {
        id,
        tokenHash: minted.hash,
        display: minted.display,
        expiresAt,
        createdBy: caller.actor,
      },
      endsAt,
      now: new Date(deps.now()),
      events: {
        former: adminEvent(
          caller,
          "key.rerolled",
          { kind: "key", id: keyId },
          {
            before: { expiresAt: former.expiresAt, state: former.state },
            after: endsAt === null ? { state: "revoked" } : { expiresAt: earlier(former.expiresAt, endsAt) },
            metadata: { replacedBy: id },
          },
        ),
        replacement: await creationEvent(
          caller,
          "key.created",
          { kind: "key", id },
          {
            after: {
              name: former.name,
              holder: former.holder.name,
              integration: former.integration.slug,
              expiresAt,
            },
            metadata: { replaces: keyId },
          },
          minted.token,
        ),
      },
    };
    const replaced = await withinPlan(deps, caller, "keys", () =>
      queries.replaceKey(deps.db, caller.organizationId, former, change),
    );
    if (!replaced.ok) return replaced;
    const version = replaced.value;
    if (version === null) continue;
    // The new key first: its holder must never be left with none that works.
    const replacement = await answerChange(deps, caller, id, 1);
    if (!replacement.ok) return replacement;
    const ended = await answerChange(deps, caller, keyId, version);
    if (!ended.ok) return ended;
    return ok({ ...replacement.value, token: minted.token, former: ended.value });
  }
  return fail("changed_meanwhile");
}

/** A key that the caller has replaced another one by before, and the other one. */
export async function showRerolledKey(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
): Promise<Outcome<Omit<RerolledKey, "token">>> {
  const allowed = authorize(caller, "key.change");
  if (!allowed.ok) return allowed;
  const found = await findKey(deps, caller, keyId);
  if (!found.ok) return found;
  const former = await findKey(deps, caller, found.value.replacesId ?? "");
  if (!former.ok) return former;
  const replacement = await answerChange(deps, caller, keyId, found.value.policyVersion);
  if (!replacement.ok) return replacement;
  const ended = await answerChange(deps, caller, former.value.id, former.value.policyVersion);
  return ended.ok ? ok({ ...replacement.value, former: ended.value }) : ended;
}

function planReroll(
  former: KeyRecord,
  { overlapMs, expiresAt = former.expiresAt }: Reroll,
  now: number,
): Outcome<{ readonly expiresAt: Date | null; readonly endsAt: Date | null }> {
  if (expiresAt !== null && expiresAt.getTime() <= now) {
    return invalid(
      "expires_at",
      "The key has expired, or is made to expire at once: give a time in the future for the new one.",
    );
  }
  if (expiresAt !== null && former.notBefore !== null && former.notBefore >= expiresAt) {
    return invalid("expires_at", "The key must become valid before it expires.");
  }
  const isOver = former.state === "frozen" || overlapMs === 0;
  return ok({ expiresAt, endsAt: isOver ? null : new Date(now + overlapMs) });
}

function earlier(left: Date | null, right: Date): Date {
  return left === null || right < left ? right : left;
}

/** Refuses every request of a key until an admin ends that. Doing it again changes nothing. */
export async function freezeKey(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
): Promise<Outcome<KeyAnswer>> {
  const allowed = authorize(caller, "key.change");
  if (!allowed.ok) return allowed;
  const event = adminEvent(
    caller,
    "key.frozen",
    { kind: "key", id: keyId },
    { after: { state: "frozen", frozenBy: "admin" } },
  );
  const at = new Date(deps.now());
  const version = await queries.freezeKey(deps.db, caller.organizationId, keyId, { at, event });
  return answerState(deps, caller, keyId, version);
}

/**
 * Lets a frozen key work again, also one that its holder froze: the data plane is asked how often that happened, so that a
 * freeze which comes in meanwhile holds. One by the holder that the database is only now told of is noted and not lifted:
 * whoever lifts it must have been able to see it.
 */
export async function unfreezeKey(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
): Promise<Outcome<KeyAnswer>> {
  const allowed = authorize(caller, "key.change");
  if (!allowed.ok) return allowed;
  const found = await findKey(deps, caller, keyId);
  if (!found.ok) return found;
  const { frozenBy, frozenAt, holder } = found.value;
  const inspection = await inspectKey(deps, caller, keyId);
  if (!inspection.ok) return inspection;
  const freezes = inspection.value?.holderFreezes ?? 0;
  const { organizationId } = caller;
  const unseen = { organizationId, keyId, holderId: holder.id, freezes, at: new Date(deps.now()) };
  if (await noteHolderFreeze(deps, unseen)) return fail("changed_meanwhile");
  const event = adminEvent(
    caller,
    "key.unfrozen",
    { kind: "key", id: keyId },
    { before: { state: "frozen", frozenBy, frozenAt }, after: { state: "active" } },
  );
  const version = await queries.unfreezeKey(deps.db, caller.organizationId, keyId, { freezes, event });
  return answerState(deps, caller, keyId, version);
}

/**
 * Notes that a holder froze a key ("this wasn't me"). The data plane has enforced it already; from here on the database
 * says so too. For the consumer of notices: no caller of a route gets here.
 *
 * @param freeze.freezes how often the holder has frozen the key, as the data plane counts.
 * @returns false when it was noted before, or is lifted by now.
 */
export async function noteHolderFreeze(
  deps: ServiceDependencies,
  freeze: {
    readonly organizationId: string;
    readonly keyId: string;
    readonly holderId: string;
    readonly freezes: number;
    readonly at: Date;
  },
): Promise<boolean> {
  const { organizationId, keyId, holderId, freezes, at } = freeze;
  const caller: Caller = {
    organizationId,
    actor: { kind: "holder", id: holderId },
    via: "confirmation",
    ip: null,
    role: "admin",
    token: null,
    isStrong: true,
  };
  const event = adminEvent(
    caller,
    "key.frozen",
    { kind: "key", id: keyId },
    { after: { state: "frozen", frozenBy: "holder" } },
  );
  const version = await queries.noteHolderFreeze(deps.db, organizationId, keyId, { freezes, at, event });
  if (version === null) return false;
  await answerChange(deps, caller, keyId, version);
  return true;
}

/** The key as it is, enforced anew where it changed or is still pending. */
async function answerState(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
  version: number | null,
): Promise<Outcome<KeyAnswer>> {
  if (version !== null) return answerChange(deps, caller, keyId, version);
  const found = await findKey(deps, caller, keyId);
  if (!found.ok) return found;
  if (found.value.state === "revoked") return fail("key_revoked");
  return answerChange(deps, caller, keyId, found.value.policyVersion);
}
