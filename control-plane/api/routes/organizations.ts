import type { Caller } from "../../service/caller.ts";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import {
  changeOrganization,
  continueEnforcement,
  createOrganization,
  freezeOrganization,
  showCreatedOrganization,
  showOrganization,
} from "../../service/organizations.ts";
import type { CreatedOrganization } from "../../service/organizations.ts";
import { presentOrganization } from "../presenters.ts";
import { statusOf } from "../respond.ts";
import { answered, route, secretOf } from "../route.ts";
import { withoutAbsent } from "../schemas/fields.ts";
import {
  createdOrganizationAnswer,
  organizationChangeAnswer,
  openChangesAnswer,
  organizationAnswer,
  organizationChange,
  organizationInput,
} from "../schemas/organizations.ts";

function withToken({ organization, managementToken }: CreatedOrganization) {
  return {
    json: {
      organization: presentOrganization(organization),
      management_token: managementToken.reveal(),
    },
  };
}

/** `/organizations` is the installation's; `/organization` is the caller's own. */
export const organizationRoutes = [
  route({
    method: "POST",
    path: "/organizations",
    id: "createOrganization",
    action: "organization.create",
    tag: "Installation",
    summary: "Create an organization",
    description: "Answers with the first token that may act in it.",
    body: organizationInput,
    example: { name: "Acme" },
    answer: createdOrganizationAnswer,
    statuses: [201],
    creates: async ({ deps, caller, made }) =>
      answered(await showCreatedOrganization(deps, caller, made.id), (organization) =>
        withToken({ organization, managementToken: secretOf(made) }),
      ),
    handle: async ({ deps, caller, body }) =>
      answered(await createOrganization(deps, caller, body), withToken),
  }),
  route({
    method: "GET",
    path: "/organization",
    id: "showOrganization",
    action: "organization.read",
    tag: "Organization",
    summary: "Show your organization",
    answer: organizationAnswer,
    statuses: [200],
    handle: async ({ deps, caller }) =>
      answered(await showOrganization(deps, caller), (organization) => ({
        json: { organization: presentOrganization(organization) },
        revision: organization.revision,
      })),
  }),
  route({
    method: "PATCH",
    path: "/organization",
    id: "changeOrganization",
    action: "organization.change",
    tag: "Organization",
    summary: "Change your organization",
    description: "Settings of how new addresses are confirmed change one by one; the keys concerned follow.",
    body: organizationChange,
    example: { name: "Acme Ltd" },
    answer: organizationChangeAnswer,
    statuses: [200, 202],
    errors: ["changed_meanwhile"],
    conditional: true,
    handle: async ({ deps, caller, body, expected }) =>
      answered(
        await changeOrganization(deps, caller, withoutAbsent(body), expected),
        ({ organization, enforcement }) => ({
          json: { organization: presentOrganization(organization), enforcement },
          status: statusOf(enforcement, 200),
        }),
      ),
  }),
  route({
    method: "POST",
    path: "/organization/freeze",
    id: "freezeOrganization",
    action: "organization.freeze",
    tag: "Organization",
    summary: "Freeze all keys",
    description:
      "Refuses every key of the organization until it is unfrozen. Enforce goes on with what is pending.",
    answer: organizationChangeAnswer,
    statuses: [200, 202],
    handle: ({ deps, caller }) => setFrozen(deps, caller, true),
  }),
  route({
    method: "POST",
    path: "/organization/unfreeze",
    id: "unfreezeOrganization",
    action: "organization.freeze",
    tag: "Organization",
    summary: "End the freeze of all keys",
    answer: organizationChangeAnswer,
    statuses: [200, 202],
    handle: ({ deps, caller }) => setFrozen(deps, caller, false),
  }),
  route({
    method: "POST",
    path: "/organization/enforce",
    id: "enforceOrganization",
    changes: "nothing",
    action: "organization.enforce",
    tag: "Organization",
    summary: "Go on with pending changes",
    description: "Brings open changes to the proxy, as many as one call can, and tells how many are left.",
    answer: openChangesAnswer,
    statuses: [200, 202],
    handle: async ({ deps, caller }) =>
      answered(await continueEnforcement(deps, caller), (enforcement) => ({
        json: { enforcement },
        status: statusOf(enforcement, 200),
      })),
  }),
];

async function setFrozen(deps: ServiceDependencies, caller: Caller, frozen: boolean) {
  return answered(await freezeOrganization(deps, caller, frozen), ({ organization, enforcement }) => ({
    json: { organization: presentOrganization(organization), enforcement },
    status: statusOf(enforcement, 200),
  }));
}
