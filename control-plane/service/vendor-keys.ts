import { newId } from "@relaykey/core/ids";
import type { IntegrationSnapshot } from "@relaykey/core/integration";
import { encodeProbeOrder } from "@relaykey/core/probe";
import type { ProbeResult, ProbeVerdict } from "@relaykey/core/probe";
import type { Secret } from "@relaykey/core/secret";
import { isUniqueViolation } from "@relaykey/db/queries/conflicts";
import { setHealth } from "@relaykey/db/queries/integrations";
import type { Integration } from "@relaykey/db/queries/integrations";
import { integrationSnapshot } from "@relaykey/db/queries/snapshots";
import type { DescribedIntegration } from "@relaykey/db/queries/snapshots";
import * as queries from "@relaykey/db/queries/vendor-keys";
import type { SecretVersion } from "@relaykey/db/queries/vendor-keys";
import { authorize } from "./authorization.ts";
import { adminEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { enforceKeys } from "./enforcement.ts";
import { findIntegration } from "./integrations.ts";
import type { IntegrationAnswer, IntegrationInput } from "./integrations.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { readUpstream, seal } from "./sealing.ts";
import { unlessStale } from "./stale.ts";

export interface Rotation {
  /** The new vendor key. */
  readonly secret: Secret;
  /** How long the former one can be restored, in ms; 0: it is destroyed at once. */
  readonly restorableMs: number;
  /** Try the new key at the vendor first, and change nothing if it is refused. */
  readonly test: boolean;
}

/** Attempts at sealing a new version while others do the same. */
const MAX_ATTEMPTS = 10;

/**
 * Replaces the vendor key of an integration. RelayKeys stay as they are and use the new one as soon as this answers;
 * requests that are under way end under the former one.
 *
 * @param expected the revision that the integration must be at; null = any.
 */
export async function rotateVendorKey(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  rotation: Rotation,
  expected: number | null = null,
): Promise<Outcome<IntegrationAnswer>> {
  const allowed = authorize(caller, "integration.rotate");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const found = await findIntegration(deps, caller, reference);
    if (!found.ok) return found;
    const { id, secretVersion: from } = found.value;
    const versions = await queries.listSecretVersions(deps.db, organizationId, id);
    const version = (versions.at(-1)?.version ?? 0) + 1;
    const sealed = await seal(deps, organizationId, found.value, version, rotation.secret);
    if (rotation.test && attempt === 0) {
      const tried = await order(deps, organizationId, found.value, sealed);
      if (!tried.ok) return tried;
      if (tried.value.verdict === "refused") return fail("vendor_refuses");
    }
    const restorableUntil = rotation.restorableMs === 0 ? null : new Date(deps.now() + rotation.restorableMs);
    const event = adminEvent(
      caller,
      "integration.rotated",
      { kind: "integration", id },
      {
        before: { secretVersion: from },
        after: { secretVersion: version, formerRestorableUntil: restorableUntil },
      },
    );
    try {
      const done = await unlessStale(async () =>
        ok(await queries.rotateSecret(deps.db, sealed, { from, restorableUntil, expected, event })),
      );
      if (!done.ok) return done;
      if (done.value !== null) return await answer(deps, caller, id, done.value);
    } catch (error) {
      if (!isUniqueViolation(error, queries.SECRET_VERSION_INDEX)) throw error;
    }
  }
  return fail("changed_meanwhile");
}

/**
 * Puts the vendor key back in force that the last rotation replaced, as long as it can be restored. The one that was in
 * force can be restored in turn, so that a roll back can be taken back.
 *
 * @param expected the revision that the integration must be at; null = any.
 */
export async function rollBackVendorKey(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  restorableMs: number,
  expected: number | null = null,
): Promise<Outcome<IntegrationAnswer>> {
  const allowed = authorize(caller, "integration.rotate");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const found = await findIntegration(deps, caller, reference);
  if (!found.ok) return found;
  const { id, secretVersion: from } = found.value;
  const now = new Date(deps.now());
  const to = restorable(await queries.listSecretVersions(deps.db, organizationId, id), now)?.version;
  if (to === undefined) return fail("nothing_to_restore");
  const event = adminEvent(
    caller,
    "integration.rolled_back",
    { kind: "integration", id },
    { before: { secretVersion: from }, after: { secretVersion: to } },
  );
  const restorableUntil = new Date(now.getTime() + restorableMs);
  return unlessStale(async () => {
    const change = { from, to, now, restorableUntil, expected, event };
    const keyIds = await queries.restoreSecret(deps.db, organizationId, id, change);
    return keyIds === null ? fail("changed_meanwhile") : answer(deps, caller, id, keyIds);
  });
}

/** The versions of a vendor key there were, oldest first; what is sealed in them is in no answer. */
export async function listVendorKeyVersions(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
): Promise<Outcome<{ readonly current: number; readonly versions: readonly SecretVersion[] }>> {
  const allowed = authorize(caller, "integration.read");
  if (!allowed.ok) return allowed;
  const found = await findIntegration(deps, caller, reference);
  if (!found.ok) return found;
  const versions = await queries.listSecretVersions(deps.db, caller.organizationId, found.value.id);
  return ok({ current: found.value.secretVersion, versions });
}

/**
 * Tries the vendor key at the vendor, with the one harmless request that the catalogue names.
 *
 * @param candidate a key that is not stored: it is sealed, tried and forgotten. null: the one in force.
 */
export async function testVendorKey(
  deps: ServiceDependencies,
  caller: Caller,
  reference: string,
  candidate: Secret | null,
): Promise<Outcome<ProbeResult>> {
  const allowed = authorize(caller, "integration.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const found = await findIntegration(deps, caller, reference);
  if (!found.ok) return found;
  const integration = found.value;
  const { id, secretVersion } = integration;
  if (candidate !== null) {
    const sealed = await seal(deps, organizationId, integration, secretVersion + 1, candidate);
    return order(deps, organizationId, integration, sealed);
  }
  const envelope = await queries.currentEnvelope(deps.db, organizationId, id);
  if (envelope === null) return fail("changed_meanwhile");
  const tried = await order(deps, organizationId, integration, { version: secretVersion, envelope });
  if (!tried.ok) return tried;
  const { verdict } = tried.value;
  const event = adminEvent(
    caller,
    "integration.tested",
    { kind: "integration", id },
    { metadata: { verdict } },
  );
  const health = HEALTH[verdict] ?? integration.health;
  await setHealth(deps.db, organizationId, id, health, new Date(deps.now()), event);
  return tried;
}

/** Tries the vendor key of an integration that is not stored: it is sealed, tried and forgotten. */
export async function testNewIntegration(
  deps: ServiceDependencies,
  caller: Caller,
  input: IntegrationInput,
): Promise<Outcome<ProbeResult>> {
  const allowed = authorize(caller, "integration.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const checked = readUpstream(deps, input.upstream);
  if (!checked.ok) return checked;
  const integration = { ...input, ...checked.value, id: newId(), enabled: true };
  const sealed = await seal(deps, organizationId, integration, 1, input.secret);
  return order(deps, organizationId, integration, sealed);
}

const HEALTH: Partial<Record<ProbeVerdict, Integration["health"]>> = { accepted: "ok", refused: "failing" };

/** The version that a roll back would put in force. */
export function restorable(versions: readonly SecretVersion[], now: Date): SecretVersion | undefined {
  return versions.find(
    ({ restorableUntil, destroyed }) => restorableUntil !== null && restorableUntil > now && !destroyed,
  );
}

async function order(
  deps: ServiceDependencies,
  organizationId: string,
  integration: DescribedIntegration & { readonly catalogue: string | null },
  { version, envelope }: IntegrationSnapshot["secret"],
): Promise<Outcome<ProbeResult>> {
  const snapshot = integrationSnapshot(integration, { version, envelope });
  const catalogue = integration.catalogue ?? "none";
  try {
    return ok(
      await deps.keyControl.probe(
        encodeProbeOrder({ format: 1, organizationId, integration: snapshot, catalogue }),
      ),
    );
  } catch (error) {
    deps.log("warn", "probe_failed", { error: error instanceof Error ? error.name : typeof error });
    return fail("data_plane_away");
  }
}

async function answer(
  deps: ServiceDependencies,
  caller: Caller,
  integrationId: string,
  keyIds: readonly string[],
): Promise<Outcome<IntegrationAnswer>> {
  const enforcement = await enforceKeys(deps, caller.organizationId, keyIds);
  const found = await findIntegration(deps, caller, integrationId);
  return found.ok ? ok({ integration: found.value, enforcement }) : found;
}
