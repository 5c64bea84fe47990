import {
  changeIntegration,
  createIntegration,
  listIntegrations,
  showIntegration,
} from "../../service/integrations.ts";
import type { Integration } from "@relaykey/db/queries/integrations";
import { presentIntegration, presentPage } from "../presenters.ts";
import { statusOf } from "../respond.ts";
import { answered, route } from "../route.ts";
import { pageRequest } from "../schemas/fields.ts";
import {
  integrationAnswer,
  integrationChange,
  integrationChangeAnswer,
  integrationInput,
  integrationPage,
  integrationParams,
  integrationQuery,
} from "../schemas/integrations.ts";

function presented(integration: Integration) {
  return { json: { integration: presentIntegration(integration) } };
}

/** A vendor key goes in and never comes out again, not even sealed. */
export const integrationRoutes = [
  route({
    method: "POST",
    path: "/integrations",
    id: "createIntegration",
    action: "integration.change",
    tag: "Integrations",
    summary: "Create an integration",
    description:
      "Seals the vendor key; nobody can read it back here. What is left out comes from the catalogue entry, then from the defaults.",
    body: integrationInput,
    example: { slug: "openai", secret: "sk-vendor-key" },
    answer: integrationAnswer,
    statuses: [201],
    errors: ["plan_limit", "name_taken"],
    creates: async ({ deps, caller, made }) =>
      answered(await showIntegration(deps, caller, made.id), presented),
    handle: async ({ deps, caller, body }) =>
      answered(await createIntegration(deps, caller, body), presented),
  }),
  route({
    method: "GET",
    path: "/integrations",
    id: "listIntegrations",
    action: "integration.read",
    tag: "Integrations",
    summary: "List integrations",
    query: integrationQuery,
    answer: integrationPage,
    statuses: [200],
    handle: async ({ deps, caller, query }) =>
      answered(await listIntegrations(deps, caller, pageRequest(query)), (page) => ({
        json: presentPage(page, presentIntegration),
      })),
  }),
  route({
    method: "GET",
    path: "/integrations/{integration}",
    id: "showIntegration",
    action: "integration.read",
    tag: "Integrations",
    summary: "Show an integration",
    params: integrationParams,
    answer: integrationAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await showIntegration(deps, caller, params.integration), (integration) => ({
        json: { integration: presentIntegration(integration) },
        revision: integration.revision,
      })),
  }),
  route({
    method: "PATCH",
    path: "/integrations/{integration}",
    id: "changeIntegration",
    action: "integration.change",
    tag: "Integrations",
    summary: "Change an integration",
    description:
      "Its keys follow. The vendor key was sealed for its upstream, credential and scrub_responses: give it again to change one of them. By itself it is replaced by rotating it.",
    params: integrationParams,
    body: integrationChange,
    example: { enabled: true },
    answer: integrationChangeAnswer,
    statuses: [200, 202],
    errors: ["changed_meanwhile"],
    conditional: true,
    handle: async ({ deps, caller, params, body, expected }) =>
      answered(
        await changeIntegration(deps, caller, params.integration, body, expected),
        ({ integration, enforcement }) => ({
          json: { integration: presentIntegration(integration), enforcement },
          status: statusOf(enforcement, 200),
        }),
      ),
  }),
];
