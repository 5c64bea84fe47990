import * as queries from "@relaykey/db/queries/webhooks";
import type { Delivery } from "@relaykey/db/queries/webhooks";
import { authorize } from "../authorization.ts";
import { adminEvent } from "../caller.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDependencies } from "../dependencies.ts";
import { fail, invalid, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { toPage } from "../page.ts";
import type { Page, PageRequest } from "../page.ts";
import { deliverWebhooks } from "./deliver.ts";
import { findEndpoint } from "./endpoints.ts";

/** So far back an endpoint's messages can be sent again. */
const MAX_REPLAY_MS = 30 * 86_400_000;

/** What was, or is to be, sent to an endpoint, newest first. */
export async function listDeliveries(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
  filter: { readonly state?: Delivery["delivery"]["state"] },
  page: PageRequest,
): Promise<Outcome<Page<Delivery>>> {
  const allowed = authorize(caller, "webhook.read");
  if (!allowed.ok) return allowed;
  const found = await findEndpoint(deps, caller, endpointId);
  if (!found.ok) return found;
  const rows = await queries.listDeliveries(deps.db, caller.organizationId, endpointId, filter, {
    limit: page.limit + 1,
    before: page.cursor,
  });
  return ok(toPage(rows, page.limit, ({ delivery }) => delivery.id));
}

/** Sends a test message at once, and tells what became of it. */
export async function testEndpoint(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
): Promise<Outcome<Delivery>> {
  const allowed = authorize(caller, "webhook.change");
  if (!allowed.ok) return allowed;
  const found = await findEndpoint(deps, caller, endpointId);
  if (!found.ok) return found;
  if (found.value.disabledAt !== null) return fail("webhook_disabled");
  const event = adminEvent(caller, "webhook.tested", { kind: "webhook_endpoint", id: endpointId });
  const id = await queries.createTest(deps.db, found.value, new Date(deps.now()), event);
  return sendNow(deps, caller, endpointId, id);
}

/** Sends one delivery again at once, whatever became of it before. */
export async function replayDelivery(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
  deliveryId: string,
): Promise<Outcome<Delivery>> {
  const allowed = authorize(caller, "webhook.change");
  if (!allowed.ok) return allowed;
  const found = await findEndpoint(deps, caller, endpointId);
  if (!found.ok) return found;
  if (found.value.disabledAt !== null) return fail("webhook_disabled");
  const event = adminEvent(
    caller,
    "webhook.replayed",
    { kind: "webhook_delivery", id: deliveryId },
    { metadata: { endpoint: endpointId } },
  );
  const { organizationId } = caller;
  const now = new Date(deps.now());
  if (!(await queries.replayDelivery(deps.db, organizationId, endpointId, deliveryId, now, event)))
    return fail("not_found");
  return sendNow(deps, caller, endpointId, deliveryId);
}

/** Sends what the endpoint has not received of the notices since a moment, also those it never had a delivery of. */
export async function replaySince(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
  since: Date,
): Promise<Outcome<{ readonly waiting: number }>> {
  const allowed = authorize(caller, "webhook.change");
  if (!allowed.ok) return allowed;
  const now = deps.now();
  if (since.getTime() > now) return invalid("since", "Give a time in the past.");
  if (since.getTime() < now - MAX_REPLAY_MS) return invalid("since", "Give a time of the last 30 days.");
  const found = await findEndpoint(deps, caller, endpointId);
  if (!found.ok) return found;
  if (found.value.disabledAt !== null) return fail("webhook_disabled");
  const event = adminEvent(
    caller,
    "webhook.replayed",
    { kind: "webhook_endpoint", id: endpointId },
    { metadata: { since: since.toISOString() } },
  );
  return ok({ waiting: await queries.replaySince(deps.db, found.value, since, new Date(now), event) });
}

async function sendNow(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
  deliveryId: string,
): Promise<Outcome<Delivery>> {
  await deliverWebhooks(deps, deliveryId);
  const sent = await queries.findDelivery(deps.db, caller.organizationId, endpointId, deliveryId);
  return sent === null ? fail("not_found") : ok(sent);
}
