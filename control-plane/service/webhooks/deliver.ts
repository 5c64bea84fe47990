import { newId } from "@relaykey/core/ids";
import { recordNotice } from "@relaykey/db/queries/notices";
import { claimDeliveries, disableFailing, settleAttempt } from "@relaykey/db/queries/webhook-attempts";
import type { AttemptResult, ClaimedDelivery } from "@relaykey/db/queries/webhook-attempts";
import { adminEvent, systemCaller } from "../caller.ts";
import type { ServiceDependencies } from "../dependencies.ts";
import { alertThrottle } from "../notices/alert-rules.ts";
import { webhookPayload } from "./payload.ts";
import { DISABLE_AFTER_MS, retryPause } from "./retry.ts";
import { signedHeaders } from "./signature.ts";
import { checkEndpointUrl } from "./endpoint-url.ts";

/** A receiver that has not answered by then has not received it. */
const TIMEOUT_MS = 10_000;
/** Longer than an attempt and its bookkeeping: afterwards the attempt counts as lost and another run makes the next one. */
const LEASE_MS = 60_000;
const PER_RUN = 60;
const PER_ENDPOINT = 15;
const CONCURRENCY = 12;
/** "Gone": the receiver wants no more. */
const GONE = 410;

export interface DeliveryRun {
  readonly delivered: number;
  readonly failed: number;
}

/**
 * Sends what is due. Runs may overlap: each attempt belongs to one of them. A message is sent at least once; sent again, it
 * has the same `webhook-id`.
 *
 * @param only one delivery, due or not.
 */
export async function deliverWebhooks(deps: ServiceDependencies, only?: string): Promise<DeliveryRun> {
  const claimed = await claimDeliveries(deps.db, {
    now: new Date(deps.now()),
    leaseMs: LEASE_MS,
    limit: PER_RUN,
    perEndpoint: PER_ENDPOINT,
    ...(only === undefined ? {} : { only }),
  });
  let delivered = 0;
  const queue = claimed.values();
  const worker = async (): Promise<void> => {
    for (const one of queue) if (await attempt(deps, one)) delivered += 1;
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, claimed.length) }, worker));
  return { delivered, failed: claimed.length - delivered };
}

async function attempt(deps: ServiceDependencies, claimed: ClaimedDelivery): Promise<boolean> {
  const began = new Date(deps.now());
  const sent = await send(deps, claimed);
  const now = new Date(deps.now());
  const result = judge(claimed, sent, now);
  await settleAttempt(deps.db, claimed, result, { began, now });
  if (result.state !== "delivered") await considerDisabling(deps, claimed, sent.status === GONE, now);
  return result.state === "delivered";
}

type Sent =
  { readonly status: number; readonly error: null } | { readonly status: null; readonly error: string };

async function send(deps: ServiceDependencies, { endpoint, notice }: ClaimedDelivery): Promise<Sent> {
  // The rules may have become stricter since it was stored, and a copied database may run in another edition.
  const checked = checkEndpointUrl(deps, endpoint.url);
  if (!checked.ok) return { status: null, error: "address_refused" };
  const payload = webhookPayload(notice);
  const now = deps.now();
  const { id: endpointId, secretVersion, formerSecretUntil } = endpoint;
  const versions =
    formerSecretUntil !== null && formerSecretUntil.getTime() > now && secretVersion > 1
      ? [secretVersion, secretVersion - 1]
      : [secretVersion];
  const headers = await signedHeaders(
    deps.controlKey,
    versions.map((version) => ({ endpointId, version })),
    { id: notice.id, timestamp: Math.floor(now / 1_000), payload },
  );
  try {
    const response = await fetch(checked.value, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json", "User-Agent": "RelayKey-Webhooks/1" },
      body: payload,
      // A redirect could lead to an address that no admin has named.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // What the receiver says is of no use here, and could be anything.
    await response.body?.cancel();
    return { status: response.status, error: null };
  } catch (error) {
    return { status: null, error: isTimeout(error) ? "timeout" : "unreachable" };
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
}

function judge({ delivery }: ClaimedDelivery, sent: Sent, now: Date): AttemptResult {
  if (sent.status !== null && sent.status >= 200 && sent.status < 300)
    return { state: "delivered", status: sent.status };
  const isRedirect = sent.status !== null && sent.status >= 300 && sent.status < 400;
  const error = sent.error ?? (isRedirect ? "redirect_refused" : "status");
  const pause = sent.status === GONE ? null : retryPause(delivery.attempts, Math.random());
  return {
    state: pause === null ? "dead" : "waiting",
    status: sent.status,
    error,
    nextAttemptAt: new Date(now.getTime() + (pause ?? 0)),
  };
}

/** After days of failures, or at the receiver's word, an endpoint is stopped and its admins are told. */
async function considerDisabling(
  deps: ServiceDependencies,
  { endpoint }: ClaimedDelivery,
  isGone: boolean,
  now: Date,
): Promise<void> {
  const { id, organizationId, url } = endpoint;
  const failingBefore = isGone ? null : new Date(now.getTime() - DISABLE_AFTER_MS);
  const reason = isGone ? "gone" : "failing";
  const event = adminEvent(
    systemCaller(organizationId),
    "webhook.disabled",
    { kind: "webhook_endpoint", id },
    { before: { disabled: false }, after: { disabled: true }, metadata: { reason } },
  );
  if (!(await disableFailing(deps.db, endpoint, { failingBefore, now, event }))) return;
  const notice = {
    type: "webhook.disabled",
    dedupeKey: `webhook.disabled.${id}.${newId()}`,
    organizationId,
    keyId: null,
    holderId: null,
    integrationId: null,
    at: now.getTime(),
    data: { endpoint_id: id, url, reason },
  } as const;
  await recordNotice(deps.db, notice, alertThrottle(notice), now);
}
