import { newId } from "@relaykey/core/ids";
import type { Secret } from "@relaykey/core/secret";
import { mintToken } from "@relaykey/core/token";
import * as queries from "@relaykey/db/queries/organizations";
import type { Organization } from "@relaykey/db/queries/organizations";
import { authorize } from "./authorization.ts";
import { adminEvent } from "./caller.ts";
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
    event: adminEvent(
      { ...caller, organizationId: id },
      "organization.created",
      { kind: "organization", id },
      { after: { name: input.name }, metadata: { token: minted.display } },
    ),
  });
  return ok({ organization, managementToken: minted.token });
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

export async function changeOrganization(
  deps: ServiceDependencies,
  caller: Caller,
  input: { readonly name: string },
): Promise<Outcome<Organization>> {
  const allowed = authorize(caller, "organization.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const organization = await queries.renameOrganization(deps.db, organizationId, {
    name: input.name,
    event: adminEvent(
      caller,
      "organization.changed",
      { kind: "organization", id: organizationId },
      { after: { name: input.name } },
    ),
  });
  return organization === null ? fail("not_found") : ok(organization);
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
