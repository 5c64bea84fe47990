import { newId } from "@relaykey/core/ids";
import type { NoticeType } from "@relaykey/core/notice";
import type { Secret } from "@relaykey/core/secret";
import * as queries from "@relaykey/db/queries/webhooks";
import type { EndpointChange, WebhookEndpoint } from "@relaykey/db/queries/webhooks";
import { authorize } from "../authorization.ts";
import { adminEvent, changedFacts, creationEvent } from "../caller.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDependencies } from "../dependencies.ts";
import { fail, ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { withinPlan } from "../plan-limit.ts";
import { unlessStale } from "../stale.ts";
import { checkEndpointUrl } from "./endpoint-url.ts";
import { FORMER_SECRET_MS, endpointSecret } from "./signature.ts";

export interface EndpointInput {
  readonly url: string;
  readonly description: string;
  /** Empty: all. */
  readonly types: readonly NoticeType[];
}

/** Absent = as it is. */
export type EndpointUpdate = Partial<EndpointInput & { readonly enabled: boolean }>;

/** An endpoint and its signing secret, which this answer alone shows. */
export interface EndpointWithSecret {
  readonly endpoint: WebhookEndpoint;
  readonly secret: Secret;
}

/** Attempts at a change while others change the same endpoint. */
const MAX_ATTEMPTS = 10;

export async function createEndpoint(
  deps: ServiceDependencies,
  caller: Caller,
  input: EndpointInput,
): Promise<Outcome<EndpointWithSecret>> {
  const allowed = authorize(caller, "webhook.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const checked = checkEndpointUrl(deps, input.url);
  if (!checked.ok) return checked;
  const id = newId();
  const endpoint = { url: checked.value, description: input.description, types: [...new Set(input.types)] };
  const event = await creationEvent(
    caller,
    "webhook.created",
    { kind: "webhook_endpoint", id },
    { after: endpoint },
  );
  const created = await withinPlan(deps, caller, "webhookEndpoints", () =>
    queries.createEndpoint(deps.db, { id, organizationId, ...endpoint }, event),
  );
  return created.ok ? ok({ endpoint: created.value, secret: await secretOf(deps, created.value) }) : created;
}

/** An endpoint that the caller has created before, with its secret. */
export async function showCreatedEndpoint(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
): Promise<Outcome<EndpointWithSecret>> {
  const allowed = authorize(caller, "webhook.change");
  if (!allowed.ok) return allowed;
  const found = await findEndpoint(deps, caller, endpointId);
  return found.ok ? ok({ endpoint: found.value, secret: await secretOf(deps, found.value) }) : found;
}

/** All endpoints of the organization, the oldest first. */
export async function listEndpoints(
  deps: ServiceDependencies,
  caller: Caller,
): Promise<Outcome<readonly WebhookEndpoint[]>> {
  const allowed = authorize(caller, "webhook.read");
  if (!allowed.ok) return allowed;
  return ok(await queries.listEndpoints(deps.db, caller.organizationId));
}

export async function showEndpoint(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
): Promise<Outcome<WebhookEndpoint>> {
  const allowed = authorize(caller, "webhook.read");
  if (!allowed.ok) return allowed;
  return findEndpoint(deps, caller, endpointId);
}

/** For services that have authorized an action of their own. */
export async function findEndpoint(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
): Promise<Outcome<WebhookEndpoint>> {
  const endpoint = await queries.findEndpoint(deps.db, caller.organizationId, endpointId);
  return endpoint === null ? fail("not_found") : ok(endpoint);
}

/**
 * Changes an endpoint. Enabling one again forgets its failures; what waits for it is then sent.
 *
 * @param expected the revision that it must be at; null = any.
 */
export async function changeEndpoint(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
  update: EndpointUpdate,
  expected: number | null = null,
): Promise<Outcome<WebhookEndpoint>> {
  const allowed = authorize(caller, "webhook.change");
  if (!allowed.ok) return allowed;
  const { url, description, types, enabled } = update;
  const checked = url === undefined ? ok(undefined) : checkEndpointUrl(deps, url);
  if (!checked.ok) return checked;
  const settings: EndpointChange = {
    ...(checked.value === undefined ? {} : { url: checked.value }),
    ...(description === undefined ? {} : { description }),
    ...(types === undefined ? {} : { types: [...new Set(types)] }),
  };
  const which = { id: endpointId, expected };
  return changeAt(deps, caller, which, "webhook.changed", (endpoint) => ({
    ...settings,
    ...(enabled === undefined ? {} : stateOf(enabled, endpoint, new Date(deps.now()))),
  }));
}

/**
 * A new signing secret. For a day the former one signs as well, so that the receiver can change over without a gap.
 *
 * @param expected the revision that the endpoint must be at; null = any.
 */
export async function rotateSecret(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
  expected: number | null = null,
): Promise<Outcome<EndpointWithSecret>> {
  const allowed = authorize(caller, "webhook.change");
  if (!allowed.ok) return allowed;
  const which = { id: endpointId, expected };
  const changed = await changeAt(deps, caller, which, "webhook.secret_rotated", ({ secretVersion }) => ({
    secretVersion: secretVersion + 1,
    formerSecretUntil: new Date(deps.now() + FORMER_SECRET_MS),
  }));
  return changed.ok ? ok({ endpoint: changed.value, secret: await secretOf(deps, changed.value) }) : changed;
}

/**
 * Removes an endpoint and what waits for it.
 *
 * @param expected the revision that it must be at; null = any.
 */
export async function deleteEndpoint(
  deps: ServiceDependencies,
  caller: Caller,
  endpointId: string,
  expected: number | null = null,
): Promise<Outcome<WebhookEndpoint>> {
  const allowed = authorize(caller, "webhook.change");
  if (!allowed.ok) return allowed;
  const found = await findEndpoint(deps, caller, endpointId);
  if (!found.ok) return found;
  const { url, types } = found.value;
  const event = adminEvent(
    caller,
    "webhook.deleted",
    { kind: "webhook_endpoint", id: endpointId },
    { before: { url, types } },
  );
  return unlessStale(async () => {
    const { organizationId } = caller;
    const deleted = await queries.deleteEndpoint(deps.db, organizationId, endpointId, event, expected);
    return deleted ? found : fail("not_found");
  });
}

async function changeAt(
  deps: ServiceDependencies,
  caller: Caller,
  { id: endpointId, expected }: { readonly id: string; readonly expected: number | null },
  action: string,
  changeOf: (endpoint: WebhookEndpoint) => EndpointChange,
): Promise<Outcome<WebhookEndpoint>> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const found = await findEndpoint(deps, caller, endpointId);
    if (!found.ok) return found;
    if (expected !== null && found.value.revision !== expected) return fail("precondition_failed");
    const change = changeOf(found.value);
    const event = adminEvent(
      caller,
      action,
      { kind: "webhook_endpoint", id: endpointId },
      changedFacts(found.value, change),
    );
    const { organizationId } = caller;
    const { revision } = found.value;
    const changed = await queries.changeEndpoint(
      deps.db,
      organizationId,
      endpointId,
      revision,
      change,
      event,
    );
    if (changed !== null) return ok(changed);
  }
  return fail("changed_meanwhile");
}

function stateOf(enabled: boolean, endpoint: WebhookEndpoint, now: Date): EndpointChange {
  if (enabled) return { disabledAt: null, disabledBy: null, failingSince: null };
  return endpoint.disabledAt === null ? { disabledAt: now, disabledBy: "admin" } : {};
}

function secretOf(deps: ServiceDependencies, { id, secretVersion }: WebhookEndpoint): Promise<Secret> {
  return endpointSecret(deps.controlKey, { endpointId: id, version: secretVersion });
}
