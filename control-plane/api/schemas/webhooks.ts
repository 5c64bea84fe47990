import * as z from "zod";
import type { Delivery, WebhookEndpoint } from "@relaykey/db/queries/webhooks";
import { at, pageOf, uuid } from "./answers.ts";
import { change, id, moment, page, strict } from "./fields.ts";
import { noticeType } from "./notices.ts";

const fields = {
  url: z.string("Give an https URL.").min(1, "Give an https URL.").max(2_048),
  description: z
    .string("Give a text.")
    .max(200, "Give at most 200 characters.")
    .regex(/^[^\p{Cc}\p{Cf}]*$/u, "Control characters are not allowed."),
  types: z.array(noticeType).max(50, "Give at most 50 types."),
};

export const endpointInput = strict({
  ...fields,
  description: fields.description.default(""),
  types: fields.types.default([]),
});
export const endpointChange = change({ ...fields, enabled: z.boolean("Give true or false.") });

export const endpointParams = strict({ webhook: id });
export const deliveryParams = strict({ webhook: id, delivery: id });
const STATES = ["waiting", "delivered", "dead"] as const;
export const deliveryQuery = strict({
  ...page,
  state: z.enum(STATES, `Give one of: ${STATES.join(", ")}.`).optional(),
});
export const replayInput = strict({ since: moment });

const endpointShape = z
  .strictObject({
    id: uuid,
    url: z.string(),
    description: z.string(),
    types: z.array(z.string()).meta({ description: "Empty: all." }),
    enabled: z.boolean(),
    disabled_by: z.enum(["admin", "failures"]).nullable(),
    failing_since: at.nullable(),
    secret_version: z.int(),
    former_secret_until: at.nullable(),
    created_at: at,
  })
  .meta({ id: "Webhook" });

const deliveryShape = z
  .strictObject({
    id: uuid,
    message_id: uuid.meta({ description: "The webhook-id that the receiver sees." }),
    type: z.string(),
    state: z.enum(STATES),
    attempts: z.int(),
    last_status: z.int().nullable(),
    last_error: z.string().nullable(),
    attempt_log: z
      .array(
        z.strictObject({
          at,
          status: z.int().nullable().meta({ description: "null: there was no answer." }),
          error: z.string().nullable().meta({ description: "null: it was taken." }),
          duration_ms: z.int(),
        }),
      )
      .meta({ description: "The last twenty attempts, those before a replay as well; the oldest first." }),
    next_attempt_at: at.nullable(),
    delivered_at: at.nullable(),
    created_at: at,
  })
  .meta({ id: "Delivery" });

export const endpointAnswer = z.strictObject({ webhook: endpointShape });
export const endpointSecretAnswer = z.strictObject({
  webhook: endpointShape,
  secret: z.string().meta({ description: "Shown here only. Verifies the signatures (Standard Webhooks)." }),
});
export const endpointList = z.strictObject({ data: z.array(endpointShape) });
export const deliveryPage = pageOf(deliveryShape);
export const deliveryAnswer = z.strictObject({ delivery: deliveryShape });
export const replayAnswer = z.strictObject({ waiting: z.int() });

export function presentEndpoint(endpoint: WebhookEndpoint): z.output<typeof endpointShape> {
  return {
    id: endpoint.id,
    url: endpoint.url,
    description: endpoint.description,
    types: endpoint.types,
    enabled: endpoint.disabledAt === null,
    disabled_by: endpoint.disabledBy,
    failing_since: endpoint.failingSince,
    secret_version: endpoint.secretVersion,
    former_secret_until: endpoint.formerSecretUntil,
    created_at: endpoint.createdAt,
  };
}

export function presentDelivery({ delivery, notice }: Delivery): z.output<typeof deliveryShape> {
  return {
    id: delivery.id,
    message_id: notice.id,
    type: notice.type,
    state: delivery.state,
    attempts: delivery.attempts,
    last_status: delivery.lastStatus,
    last_error: delivery.lastError,
    attempt_log: delivery.log.map(({ at: began, status, error, durationMs }) => ({
      at: new Date(began),
      status,
      error,
      duration_ms: durationMs,
    })),
    next_attempt_at: delivery.state === "waiting" ? delivery.nextAttemptAt : null,
    delivered_at: delivery.deliveredAt,
    created_at: delivery.createdAt,
  };
}
