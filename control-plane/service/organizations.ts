import { newId } from "@relaykey/core/ids";
import type { Secret } from "@relaykey/core/secret";
import { mintToken } from "@relaykey/core/token";
import * as queries from "@relaykey/db/queries/organizations";
import type { Organization } from "@relaykey/db/queries/organizations";
import type { Caller, ServiceDependencies } from "./dependencies.ts";
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
    event: {
      organizationId: id,
      actor: caller.actor,
      action: "organization.created",
      subjectKind: "organization",
      subjectId: id,
      metadata: { name: input.name, token: minted.display },
    },
  });
  return ok({ organization, managementToken: minted.token });
}

export async function showOrganization(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<Outcome<Organization>> {
  const organization = await queries.findOrganization(deps.db, caller.organizationId);
  return organization === null ? fail("not_found") : ok(organization);
}

export async function changeOrganization(
  deps: ServiceDependencies,
  caller: Caller,
  input: { readonly name: string },
): Promise<Outcome<Organization>> {
  const { organizationId, actor } = caller;
  const organization = await queries.renameOrganization(deps.db, organizationId, {
    name: input.name,
    event: {
      organizationId,
      actor,
      action: "organization.changed",
      subjectKind: "organization",
      subjectId: organizationId,
      metadata: { name: input.name },
    },
  });
  return organization === null ? fail("not_found") : ok(organization);
}

/** Refuses every key of the organization, or ends that. Keys beyond one run stay pending: see `continueEnforcement`. */
export async function freezeOrganization(
  deps: ServiceDependencies,
  caller: Caller,
  frozen: boolean,
): Promise<Outcome<{ readonly organization: Organization; readonly enforcement: FanOut }>> {
  const { organizationId, actor } = caller;
  const changed = await queries.setFrozen(deps.db, organizationId, {
    frozen,
    event: {
      organizationId,
      actor,
      action: frozen ? "organization.frozen" : "organization.unfrozen",
      subjectKind: "organization",
      subjectId: organizationId,
      metadata: {},
    },
  });
  if (changed === null) return fail("not_found");
  const { organization, keys } = changed;
  const { state, pending } = await enforceOpenKeys(deps, organizationId);
  return ok({ organization, enforcement: { state, keys, pending } });
}

/** Brings the organization's open changes to the data plane, as many as one run can, and tells how many are left. */
export async function continueEnforcement(deps: ServiceDependencies, caller: Caller): Promise<FanOut> {
  return enforceOpenKeys(deps, caller.organizationId);
}
