import { deleteIntegration } from "../../service/integrations.ts";
import type { IntegrationAnswer } from "../../service/integrations.ts";
import {
  listVendorKeyVersions,
  rollBackVendorKey,
  rotateVendorKey,
  testNewIntegration,
  testVendorKey,
} from "../../service/vendor-keys.ts";
import { presentIntegration, presentProbe, presentSecretVersion } from "../presenters.ts";
import { statusOf } from "../respond.ts";
import { answered, route } from "../route.ts";
import { deletedAnswer } from "../schemas/answers.ts";
import { integrationChangeAnswer, integrationInput, integrationParams } from "../schemas/integrations.ts";
import {
  probeAnswer,
  rollbackInput,
  rotationInput,
  testInput,
  versionsAnswer,
} from "../schemas/vendor-keys.ts";

/** What becomes of the vendor key of an integration. It is in no answer, not even sealed. */
export const vendorKeyRoutes = [
  route({
    method: "POST",
    path: "/integrations/{integration}/rotate",
    id: "rotateIntegration",
    action: "integration.rotate",
    tag: "Integrations",
    summary: "Replace the vendor key",
    description:
      "RelayKeys stay as they are, and use the new vendor key when this answers 200. The former one can be restored for a while.",
    params: integrationParams,
    body: rotationInput,
    example: { secret: "sk-new-vendor-key", restorable_for: "7d" },
    answer: integrationChangeAnswer,
    statuses: [200, 202],
    errors: ["changed_meanwhile", "vendor_refuses", "data_plane_away"],
    conditional: true,
    handle: async ({ deps, caller, params, body, expected }) =>
      answered(await rotateVendorKey(deps, caller, params.integration, body, expected), presentChanged),
  }),
  route({
    method: "POST",
    path: "/integrations/{integration}/rollback",
    id: "rollBackIntegration",
    action: "integration.rotate",
    tag: "Integrations",
    summary: "Restore the vendor key that was replaced last",
    description: "The one it takes the place of can be restored in turn.",
    params: integrationParams,
    body: rollbackInput,
    example: {},
    answer: integrationChangeAnswer,
    statuses: [200, 202],
    errors: ["nothing_to_restore", "changed_meanwhile"],
    conditional: true,
    handle: async ({ deps, caller, params, body, expected }) =>
      answered(await rollBackVendorKey(deps, caller, params.integration, body, expected), presentChanged),
  }),
  route({
    method: "GET",
    path: "/integrations/{integration}/versions",
    id: "listVendorKeyVersions",
    action: "integration.read",
    tag: "Integrations",
    summary: "List the versions of the vendor key",
    params: integrationParams,
    answer: versionsAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await listVendorKeyVersions(deps, caller, params.integration), ({ current, versions }) => ({
        json: { data: versions.map((version) => presentSecretVersion(version, current)) },
      })),
  }),
  route({
    method: "POST",
    path: "/integrations/{integration}/test",
    id: "testIntegration",
    action: "integration.change",
    tag: "Integrations",
    summary: "Ask the vendor whether it accepts the vendor key",
    description: "One harmless request, named by the catalogue. A key that is given is tried and not stored.",
    params: integrationParams,
    body: testInput,
    example: {},
    answer: probeAnswer,
    statuses: [200],
    errors: ["data_plane_away", "changed_meanwhile"],
    handle: async ({ deps, caller, params, body }) =>
      answered(await testVendorKey(deps, caller, params.integration, body), (result) => ({
        json: { result: presentProbe(result) },
      })),
  }),
  route({
    method: "POST",
    path: "/integrations/test",
    id: "testNewIntegration",
    changes: "nothing",
    action: "integration.change",
    tag: "Integrations",
    summary: "Try an integration before it is created",
    description: "Takes what POST /integrations takes. Nothing is stored.",
    body: integrationInput,
    example: { slug: "openai", secret: "sk-vendor-key" },
    answer: probeAnswer,
    statuses: [200],
    errors: ["data_plane_away"],
    handle: async ({ deps, caller, body }) =>
      answered(await testNewIntegration(deps, caller, body), (result) => ({
        json: { result: presentProbe(result) },
      })),
  }),
  route({
    method: "DELETE",
    path: "/integrations/{integration}",
    id: "deleteIntegration",
    action: "integration.change",
    tag: "Integrations",
    summary: "Delete an integration that no key was ever issued for",
    params: integrationParams,
    answer: deletedAnswer,
    statuses: [200],
    errors: ["in_use"],
    conditional: true,
    handle: async ({ deps, caller, params, expected }) =>
      answered(await deleteIntegration(deps, caller, params.integration, expected), () => ({
        json: { deleted: true as const },
      })),
  }),
];

function presentChanged({ integration, enforcement }: IntegrationAnswer) {
  return {
    json: { integration: presentIntegration(integration), enforcement },
    status: statusOf(enforcement, 200),
  };
}
