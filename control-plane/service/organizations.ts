import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import { newId } from "@relaykey/core/ids";
import type { Secret } from "@relaykey/core/secret";
import { mintToken } from "@relaykey/core/token";
import * as queries from "@relaykey/db/queries/organizations";
import { isStale } from "@relaykey/db/queries/revisions";
import type { Organization } from "@relaykey/db/queries/organizations";
import { authorize } from "./authorization.ts";
import { adminEvent, changedFacts, creationEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { enforceOpenKeys } from "./enforcement.ts";
import type { FanOut } from "./enforcement.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

export interface CreatedOrganization {
  readonly organization: Organization;
  /** Acts in the new organization. Shown once. */
  readonly managementToken: Secret;
}

/** Creates an organization and the first token that may act in it. */
export async function createOrganization(
  deps: ServiceDependencies,
  caller: Caller,
  input: { readonly name: string },
): Promise<Outcome<CreatedOrganization>> {
  const allowed = authorize(caller, "organization.create");
  if (!allowed.ok) return allowed;
  const id = newId();
  const minted = await mintToken("mgmt", null, deps.tagKey);
  const organization = await queries.createOrganization(deps.db, {
    organization: { id, name: input.name },
    token: {
      id: newId(),
      organizationId: id,
      name: "first",
      kind: "standard",
      tokenHash: minted.hash,
      display: minted.display,
    },
    event: await creationEvent(
      { ...caller, organizationId: id },
      "organization.created",
      { kind: "organization", id },
      { after: { name: input.name }, metadata: { token: minted.display } },
      minted.token,
    ),
  });
  return ok({ organization, managementToken: minted.token });
}

/** An organization that the caller has created before. */
export async function showCreatedOrganization(
  deps: ServiceDependencies,
  caller: Caller,
  id: string,
): Promise<Outcome<Organization>> {
  const allowed = authorize(caller, "organization.create");
  if (!allowed.ok) return allowed;
  const organization = await queries.findOrganization(deps.db, id);
  return organization === null ? fail("not_found") : ok(organization);
}

export async function showOrganization(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<Outcome<Organization>> {
  const allowed = authorize(caller, "organization.read");
  if (!allowed.ok) return allowed;
  const organization = await queries.findOrganization(deps.db, caller.organizationId);
  return organization === null ? fail("not_found") : ok(organization);
}

export interface OrganizationUpdate {
  readonly name?: string;
  /** Only the named settings change. */
  readonly confirmation?: Partial<ConfirmationPolicy>;
}

/**
 * Changes an organization. How addresses are confirmed is part of the policy of its keys, which follow.
 *
 * @param expected the revision that it must be at; null = any.
 */
export async function changeOrganization(
  deps: ServiceDependencies,
  caller: Caller,
  update: OrganizationUpdate,
  expected: number | null = null,
): Promise<Outcome<{ readonly organization: Organization; readonly enforcement: FanOut }>> {
  const allowed = authorize(caller, "organization.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const found = await queries.findOrganization(deps.db, organizationId);
  if (found === null) return fail("not_found");
  const { confirmation, ...settings } = update;
  const change = {
    ...settings,
    ...(confirmation === undefined ? {} : { confirmation: { ...found.confirmation, ...confirmation } }),
  };
  const event = adminEvent(
    caller,
    "organization.changed",
    { kind: "organization", id: organizationId },
    changedFacts(found, change),
  );
  // Members of the settings are merged here, so another change of them in between must not be overwritten.
  const basis = confirmation === undefined ? expected : (expected ?? found.revision);
  try {
    const changed = await queries.changeOrganization(deps.db, organizationId, change, event, basis);
    if (changed === null) return fail("not_found");
    const { state, pending } =
      changed.keys === 0
        ? ({ state: "enforced", pending: 0 } as const)
        : await enforceOpenKeys(deps, organizationId);
    return ok({ organization: changed.organization, enforcement: { state, keys: changed.keys, pending } });
  } catch (error) {
    if (isStale(error)) return fail(expected === null ? "changed_meanwhile" : "precondition_failed");
    throw error;
  }
}

/** Refuses every key of the organization, or ends that. Keys beyond one run stay pending: see `continueEnforcement`. */
export async function freezeOrganization(
  deps: ServiceDependencies,
  caller: Caller,
  frozen: boolean,
): Promise<Outcome<{ readonly organization: Organization; readonly enforcement: FanOut }>> {
  const allowed = authorize(caller, "organization.freeze");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const changed = await queries.setFrozen(deps.db, organizationId, {
    frozen,
    event: adminEvent(caller, frozen ? "organization.frozen" : "organization.unfrozen", {
      kind: "organization",
      id: organizationId,
    }),
  });
  if (changed === null) return fail("not_found");
  const { organization, keys } = changed;
  const { state, pending } = await enforceOpenKeys(deps, organizationId);
  return ok({ organization, enforcement: { state, keys, pending } });
}

/** Brings the organization's open changes to the data plane, as many as one run can, and tells how many are left. */
export async function continueEnforcement(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<Outcome<FanOut>> {
  const allowed = authorize(caller, "organization.enforce");
  if (!allowed.ok) return allowed;
  return ok(await enforceOpenKeys(deps, caller.organizationId));
}
