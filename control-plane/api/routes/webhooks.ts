import {
  listDeliveries,
  replayDelivery,
  replaySince,
  testEndpoint,
} from "../../service/webhooks/deliveries.ts";
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  rotateSecret,
  showCreatedEndpoint,
  showEndpoint,
} from "../../service/webhooks/endpoints.ts";
import type { EndpointWithSecret } from "../../service/webhooks/endpoints.ts";
import { presentPage } from "../presenters.ts";
import { answered, route } from "../route.ts";
import { pageRequest, withoutAbsent } from "../schemas/fields.ts";
import {
  deliveryAnswer,
  deliveryPage,
  deliveryParams,
  deliveryQuery,
  endpointAnswer,
  endpointChange,
  endpointInput,
  endpointList,
  endpointParams,
  endpointSecretAnswer,
  presentDelivery,
  presentEndpoint,
  replayAnswer,
  replayInput,
} from "../schemas/webhooks.ts";

const tag = "Webhooks";

function withSecret({ endpoint, secret }: EndpointWithSecret) {
  return { json: { webhook: presentEndpoint(endpoint), secret: secret.reveal() } };
}

export const webhookRoutes = [
  route({
    method: "POST",
    path: "/webhooks",
    id: "createWebhook",
    action: "webhook.change",
    tag,
    summary: "Create a webhook endpoint",
    description: "The answer holds its signing secret, which is not shown again.",
    body: endpointInput,
    example: { url: "https://hooks.example.com/relaykey", types: ["key.frozen", "integration.failing"] },
    answer: endpointSecretAnswer,
    statuses: [201],
    errors: ["plan_limit"],
    creates: async ({ deps, caller, made }) =>
      answered(await showCreatedEndpoint(deps, caller, made.id), withSecret),
    handle: async ({ deps, caller, body }) => answered(await createEndpoint(deps, caller, body), withSecret),
  }),
  route({
    method: "GET",
    path: "/webhooks",
    id: "listWebhooks",
    action: "webhook.read",
    tag,
    summary: "List webhook endpoints",
    answer: endpointList,
    statuses: [200],
    handle: async ({ deps, caller }) =>
      answered(await listEndpoints(deps, caller), (endpoints) => ({
        json: { data: endpoints.map(presentEndpoint) },
      })),
  }),
  route({
    method: "GET",
    path: "/webhooks/{webhook}",
    id: "showWebhook",
    action: "webhook.read",
    tag,
    summary: "Show a webhook endpoint",
    params: endpointParams,
    answer: endpointAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await showEndpoint(deps, caller, params.webhook), (endpoint) => ({
        json: { webhook: presentEndpoint(endpoint) },
        revision: endpoint.revision,
        // Since when it fails goes on by itself.
        validated: [endpoint.id, endpoint.revision],
      })),
  }),
  route({
    method: "PATCH",
    path: "/webhooks/{webhook}",
    id: "changeWebhook",
    action: "webhook.change",
    tag,
    summary: "Change a webhook endpoint",
    description: "Enabling it again sends what waits for it.",
    params: endpointParams,
    body: endpointChange,
    example: { enabled: true },
    answer: endpointAnswer,
    statuses: [200],
    errors: ["changed_meanwhile"],
    conditional: true,
    handle: async ({ deps, caller, params, body, expected }) => {
      const changed = await changeEndpoint(deps, caller, params.webhook, withoutAbsent(body), expected);
      return answered(changed, (endpoint) => ({ json: { webhook: presentEndpoint(endpoint) } }));
    },
  }),
  route({
    method: "DELETE",
    path: "/webhooks/{webhook}",
    id: "deleteWebhook",
    action: "webhook.change",
    tag,
    summary: "Delete a webhook endpoint",
    description: "With what waits for it.",
    params: endpointParams,
    answer: endpointAnswer,
    statuses: [200],
    conditional: true,
    handle: async ({ deps, caller, params, expected }) =>
      answered(await deleteEndpoint(deps, caller, params.webhook, expected), (endpoint) => ({
        json: { webhook: presentEndpoint(endpoint) },
      })),
  }),
  route({
    method: "POST",
    path: "/webhooks/{webhook}/rotate-secret",
    id: "rotateWebhookSecret",
    action: "webhook.change",
    tag,
    summary: "Rotate the signing secret",
    description: "For a day messages are signed with the former secret as well.",
    params: endpointParams,
    answer: endpointSecretAnswer,
    statuses: [200],
    errors: ["changed_meanwhile"],
    conditional: true,
    handle: async ({ deps, caller, params, expected }) =>
      answered(await rotateSecret(deps, caller, params.webhook, expected), withSecret),
  }),
  route({
    method: "POST",
    path: "/webhooks/{webhook}/test",
    id: "testWebhook",
    action: "webhook.change",
    tag,
    summary: "Send a test message",
    description: "At once; the answer says what became of it.",
    params: endpointParams,
    answer: deliveryAnswer,
    statuses: [200],
    errors: ["webhook_disabled"],
    handle: async ({ deps, caller, params }) =>
      answered(await testEndpoint(deps, caller, params.webhook), (delivery) => ({
        json: { delivery: presentDelivery(delivery) },
      })),
  }),
  route({
    method: "GET",
    path: "/webhooks/{webhook}/deliveries",
    id: "listDeliveries",
    action: "webhook.read",
    tag,
    summary: "List deliveries",
    description: "What was, or is to be, sent to the endpoint, newest first.",
    params: endpointParams,
    query: deliveryQuery,
    answer: deliveryPage,
    statuses: [200],
    handle: async ({ deps, caller, params, query }) => {
      const filter = query.state === undefined ? {} : { state: query.state };
      const page = await listDeliveries(deps, caller, params.webhook, filter, pageRequest(query));
      return answered(page, (deliveries) => ({ json: presentPage(deliveries, presentDelivery) }));
    },
  }),
  route({
    method: "POST",
    path: "/webhooks/{webhook}/deliveries/{delivery}/replay",
    id: "replayDelivery",
    action: "webhook.change",
    tag,
    summary: "Send a delivery again",
    description: "At once, with the same webhook-id.",
    params: deliveryParams,
    answer: deliveryAnswer,
    statuses: [200],
    errors: ["webhook_disabled"],
    handle: async ({ deps, caller, params }) =>
      answered(await replayDelivery(deps, caller, params.webhook, params.delivery), (delivery) => ({
        json: { delivery: presentDelivery(delivery) },
      })),
  }),
  route({
    method: "POST",
    path: "/webhooks/{webhook}/replay",
    id: "replayWebhook",
    action: "webhook.change",
    tag,
    summary: "Send what was missed",
    description: "All that the endpoint has not received since a moment of the last 30 days.",
    params: endpointParams,
    body: replayInput,
    example: { since: "2027-01-31T12:00:00Z" },
    answer: replayAnswer,
    statuses: [200],
    errors: ["webhook_disabled"],
    handle: async ({ deps, caller, params, body }) =>
      answered(await replaySince(deps, caller, params.webhook, body.since), (json) => ({ json })),
  }),
];
