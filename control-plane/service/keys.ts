import { newId } from "@relaykey/core/ids";
import { NEWEST_FIRST, readSort } from "@relaykey/core/key-sort";
import type { KeySort } from "@relaykey/core/key-sort";
import type { Secret } from "@relaykey/core/secret";
import type { KeyInspection } from "@relaykey/core/rpc";
import type { IpPolicy } from "@relaykey/core/snapshot";
import { mintToken } from "@relaykey/core/token";
import * as queries from "@relaykey/db/queries/keys";
import { listKeyPositions } from "@relaykey/db/queries/key-order";
import { listReceipts } from "@relaykey/db/queries/receipts";
import { lastUses } from "@relaykey/db/queries/key-traffic";
import type { Receipt } from "@relaykey/db/queries/receipts";
import type { KeyRecord } from "@relaykey/db/queries/keys";
import { authorize } from "./authorization.ts";
import { adminEvent, changedFacts, creationEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { enforceKey } from "./enforcement.ts";
import type { Enforcement } from "./enforcement.ts";
import { findHolder } from "./holders.ts";
import { findIntegration } from "./integrations.ts";
import { firstSparkDay } from "./inventory.ts";
import { readKeyCursor, writeKeyCursor } from "./key-order.ts";
import { checkPolicy, describePolicy, newPolicy, updatedPolicy } from "./key-policy.ts";
import type { PolicyInput, PolicyUpdate } from "./key-policy.ts";
import { fail, invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { boundsOf, checkBounds, checkMintedPolicy, mintGuard, mintedBy } from "./provision.ts";
import { toPage } from "./page.ts";
import { withinPlan } from "./plan-limit.ts";
import type { Page, PageRequest } from "./page.ts";

export interface KeyInput extends Omit<PolicyInput, "name" | "ip"> {
  /** An id or a name. */
  readonly holder: string;
  /** An id or a slug. */
  readonly integration: string;
  /** null: holder and integration, such as "ci/openai". */
  readonly name: string | null;
  /** null: `confirm` for people, `any` for machines. */
  readonly ip: IpPolicy | null;
}

export interface KeyAnswer {
  readonly key: KeyRecord;
  readonly enforcement: Enforcement;
}

/** Attempts at a change while others change the same key. */
export const MAX_KEY_ATTEMPTS = 10;
/** Receipts shown of a key, newest first. */
const MAX_RECEIPTS = 50;

/** Issues a key. The token is in the answer and nowhere else: only its hash is stored. */
export async function createKey(
  deps: ServiceDependencies,
  caller: Caller,
  input: KeyInput,
): Promise<Outcome<KeyAnswer & { readonly token: Secret }>> {
  const allowed = authorize(caller, "key.create");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const [holder, integration] = await Promise.all([
    findHolder(deps, caller, input.holder),
    findIntegration(deps, caller, input.integration),
  ]);
  const bounds = boundsOf(caller);
  if (bounds !== null) {
    const within = checkBounds(bounds, {
      holderId: holder.ok ? holder.value.id : null,
      integrationId: integration.ok ? integration.value.id : null,
    });
    if (!within.ok) return within;
  }
  if (!holder.ok) {
    return fail("holder_unknown", {
      errors: [{ field: "holder", message: `There is no holder "${input.holder}": create it first.` }],
    });
  }
  if (!integration.ok) {
    return fail("integration_unknown", {
      errors: [
        { field: "integration", message: `There is no integration "${input.integration}": create it first.` },
      ],
    });
  }
  const { locator, kind } = holder.value;
  const { holder: _holder, integration: _integration, ...settings } = input;
  const ip = input.ip ?? { mode: kind === "person" ? "confirm" : "any" };
  const name = input.name ?? `${holder.value.name}/${integration.value.slug}`;
  const policy = newPolicy({ ...settings, name, ip });
  const problem = checkPolicy(policy, deps.now());
  if (problem !== null) return problem;
  if (bounds !== null) {
    const within = checkMintedPolicy(bounds, policy, deps.now());
    if (!within.ok) return within;
  }
  const { rules, ...columns } = policy;
  const minted = await mintToken("proxy", locator, deps.tagKey);
  const id = newId();
  const row = {
    id,
    organizationId,
    holderId: holder.value.id,
    integrationId: integration.value.id,
    tokenHash: minted.hash,
    display: minted.display,
    ...columns,
    createdByKind: caller.actor.kind,
    createdById: caller.actor.id,
  };
  const event = await creationEvent(
    caller,
    "key.created",
    { kind: "key", id },
    { after: { holder: holder.value.name, integration: integration.value.slug, ...describePolicy(policy) } },
    minted.token,
  );
  const mint = { guard: mintGuard(caller), now: new Date(deps.now()) };
  const created = await withinPlan(deps, caller, "keys", () =>
    queries.createKey(deps.db, row, rules, event, mint),
  );
  if (!created.ok) return created;
  if (!created.value) return fail("too_many_alive");
  const answered = await answerChange(deps, caller, id, 1);
  return answered.ok ? ok({ ...answered.value, token: minted.token }) : answered;
}

/** A key that the caller has created before, and how far its enforcement is. */
export async function showCreatedKey(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
): Promise<Outcome<KeyAnswer>> {
  const allowed = authorize(caller, "key.create");
  if (!allowed.ok) return allowed;
  const found = await findKey(deps, caller, keyId);
  return found.ok ? answerChange(deps, caller, keyId, found.value.policyVersion) : found;
}

/** Which keys are meant. Absent = no constraint. */
export interface KeySelection extends Omit<queries.KeyFilter, "holderId" | "integrationId"> {
  /** An id or a name. */
  readonly holder?: string;
  /** An id or a slug. */
  readonly integration?: string;
}

/** A key in a list, and when it last made a request (allowed or not), as far as the audit log reaches. */
export interface ListedKey extends KeyRecord {
  readonly lastUsedAt: Date | null;
}

/** Sorted as asked for, newest first. An unknown holder or integration is an error, not an empty list. */
export async function listKeys(
  deps: ServiceDependencies,
  caller: Caller,
  selection: KeySelection,
  page: PageRequest,
  sort: KeySort = NEWEST_FIRST,
): Promise<Outcome<Page<ListedKey>>> {
  const allowed = authorize(caller, "key.read");
  if (!allowed.ok) return allowed;
  const after = page.cursor === null ? null : readKeyCursor(sort, page.cursor);
  if (page.cursor !== null && after === null)
    return invalid("cursor", "Give the next_cursor of the page before, with the same sort.");
  const filter = await readSelection(deps, caller, selection);
  const createdBy = mintedBy(caller);
  if (!filter.ok) {
    // Whoever sees their own keys only is not told which names there are.
    return createdBy === null ? filter : ok({ entries: [], nextCursor: null });
  }
  const which = { ...filter.value, ...(createdBy === null ? {} : { createdBy }) };
  const limit = page.limit + 1;
  const { by, isDescending } = readSort(sort);
  if (by === "created") {
    const part = { limit, before: after?.id ?? null, isOldestFirst: !isDescending };
    const rows = await queries.listKeys(deps.db, caller.organizationId, which, part);
    return ok(toPage(await withLastUses(deps, caller, rows), page.limit, ({ id }) => id));
  }
  const order = { by, isDescending, usedSince: firstSparkDay(deps.now()) };
  const positions = await listKeyPositions(deps.db, caller.organizationId, which, order, { limit, after });
  const { entries, nextCursor } = toPage(positions, page.limit, (last) => writeKeyCursor(sort, last));
  const ids = entries.map(({ id }) => id);
  const rows = await queries.listKeys(deps.db, caller.organizationId, { ids }, { limit, before: null });
  const listed = new Map((await withLastUses(deps, caller, rows)).map((key) => [key.id, key]));
  return ok({ entries: ids.flatMap((id) => listed.get(id) ?? []), nextCursor });
}

/** Turns names into ids. For services that have authorized an action of their own. */
export async function readSelection(
  deps: ServiceDependencies,
  caller: Caller,
  { holder: holderReference, integration: integrationReference, ...filter }: KeySelection,
): Promise<Outcome<queries.KeyFilter>> {
  const [holder, integration] = await Promise.all([
    holderReference === undefined ? null : findHolder(deps, caller, holderReference),
    integrationReference === undefined ? null : findIntegration(deps, caller, integrationReference),
  ]);
  if (holder?.ok === false) return fail("holder_unknown");
  if (integration?.ok === false) return fail("integration_unknown");
  return ok({
    ...filter,
    ...(holder === null ? {} : { holderId: holder.value.id }),
    ...(integration === null ? {} : { integrationId: integration.value.id }),
  });
}

async function withLastUses(
  deps: ServiceDependencies,
  caller: Caller,
  keys: readonly KeyRecord[],
): Promise<ListedKey[]> {
  const uses = await lastUses(
    deps.db,
    caller.organizationId,
    keys.map(({ id }) => id),
  );
  return keys.map((key) => ({ ...key, lastUsedAt: uses.get(key.id) ?? null }));
}

export async function showKey(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
): Promise<Outcome<ListedKey>> {
  const allowed = authorize(caller, "key.read");
  if (!allowed.ok) return allowed;
  const found = await findKey(deps, caller, keyId);
  if (!found.ok) return found;
  const [listed] = await withLastUses(deps, caller, [found.value]);
  return ok(listed ?? { ...found.value, lastUsedAt: null });
}

/** For services that have authorized an action of their own. */
export async function findKey(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
): Promise<Outcome<KeyRecord>> {
  const key = await queries.findKey(deps.db, caller.organizationId, keyId);
  const createdBy = mintedBy(caller);
  const isSeen = key !== null && (createdBy === null || key.createdById === createdBy);
  return isSeen ? ok(key) : fail("not_found");
}

/**
 * Changes what a key may do and waits until the change holds. A revoked key cannot be changed.
 *
 * @param expected the policy version that it must be at; null = any.
 */
export async function changeKey(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
  update: PolicyUpdate,
  expected: number | null = null,
): Promise<Outcome<KeyAnswer>> {
  const allowed = authorize(caller, "key.change");
  if (!allowed.ok) return allowed;
  for (let attempt = 0; attempt < MAX_KEY_ATTEMPTS; attempt += 1) {
    const found = await findKey(deps, caller, keyId);
    if (!found.ok) return found;
    const { value: current } = found;
    if (current.state === "revoked") return fail("key_revoked");
    if (expected !== null && current.policyVersion !== expected) return fail("precondition_failed");
    const policy = updatedPolicy(current, update);
    const problem = checkPolicy(policy, update.expiresAt === undefined ? null : deps.now());
    if (problem !== null) return problem;
    const event = adminEvent(
      caller,
      "key.changed",
      { kind: "key", id: keyId },
      changedFacts(describePolicy(updatedPolicy(current, {})), describePolicy(policy)),
    );
    const version = await queries.changeKey(
      deps.db,
      caller.organizationId,
      keyId,
      current.policyVersion,
      policy,
      event,
    );
    if (version !== null) return answerChange(deps, caller, keyId, version);
  }
  return fail("changed_meanwhile");
}

/**
 * Revokes a key for good. Doing it again changes nothing, but brings a revocation that is still pending to the data plane
 * once more.
 */
export async function revokeKey(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
): Promise<Outcome<KeyAnswer>> {
  const allowed = authorize(caller, "key.revoke");
  if (!allowed.ok) return allowed;
  const seen = await findKey(deps, caller, keyId);
  if (!seen.ok) return seen;
  const event = adminEvent(caller, "key.revoked", { kind: "key", id: keyId });
  const revokedAt = new Date(deps.now());
  const version = await queries.revokeKey(deps.db, caller.organizationId, keyId, revokedAt, event);
  if (version !== null) return answerChange(deps, caller, keyId, version);
  const found = await findKey(deps, caller, keyId);
  if (!found.ok) return found;
  const key = found.value;
  if (key.enforcedVersion < key.policyVersion) return answerChange(deps, caller, keyId, key.policyVersion);
  const enforcedAt = key.enforcedAt?.getTime() ?? 0;
  return ok({
    key,
    enforcement: { state: "enforced", version: key.enforcedVersion, enforcedAt, waitedMs: 0 },
  });
}

/** What the data plane has of a key right now; null when it was never told of it. */
export async function inspectKey(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
): Promise<Outcome<KeyInspection | null>> {
  const allowed = authorize(caller, "key.read");
  if (!allowed.ok) return allowed;
  const found = await findKey(deps, caller, keyId);
  if (!found.ok) return found;
  const { tokenHash, holder } = found.value;
  try {
    return ok(await deps.keyControl.inspect({ holderLocator: holder.locator, keyId, tokenHash }));
  } catch (error) {
    deps.log("warn", "inspection_failed", {
      keyId,
      error: error instanceof Error ? error.name : typeof error,
    });
    return fail("data_plane_away");
  }
}

/** What was enforced for a key, newest first. */
export async function showReceipts(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
): Promise<Outcome<readonly Receipt[]>> {
  const allowed = authorize(caller, "key.read");
  if (!allowed.ok) return allowed;
  const found = await findKey(deps, caller, keyId);
  if (!found.ok) return found;
  return ok(await listReceipts(deps.db, caller.organizationId, keyId, MAX_RECEIPTS));
}

/** Enforces a change, and says how the key is now. For services that have made one. */
export async function answerChange(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
  version: number,
): Promise<Outcome<KeyAnswer>> {
  const enforcement = await enforceKey(deps, caller.organizationId, keyId, version);
  const found = await findKey(deps, caller, keyId);
  return found.ok ? ok({ key: found.value, enforcement }) : found;
}
