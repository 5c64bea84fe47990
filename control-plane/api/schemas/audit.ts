import * as z from "zod";
import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import type { BlockReason } from "@relaykey/core/block-reasons";
import { at, pageOf, uuid } from "./answers.ts";
import { id, moment, page, reference, strict } from "./fields.ts";

const reasons = Object.keys(BLOCK_REASONS) as [BlockReason, ...BlockReason[]];

export const auditQuery = strict({
  ...page,
  key: id.optional(),
  integration: reference.optional(),
  decision: z.enum(["allowed", "blocked"], "Give allowed or blocked.").optional(),
  reason: z.enum(reasons, `Give one of: ${reasons.join(", ")}.`).optional(),
  request_id: id.optional(),
  from: moment.optional(),
  to: moment.optional(),
});

export const auditEventShape = z
  .strictObject({
    request_id: uuid,
    at,
    integration_id: uuid.nullable(),
    integration: z.string().nullable(),
    key_id: uuid.nullable(),
    holder_id: uuid.nullable(),
    method: z.string(),
    path: z.string(),
    query: z.string().nullable(),
    decision: z.enum(["allowed", "blocked"]),
    reason: z.string().nullable().meta({ description: "Why it was blocked, or its answer cut." }),
    outcome: z.enum(["completed", "client_disconnected", "upstream_failed", "cut", "unknown"]),
    status: z.int(),
    upstream_status: z.int().nullable(),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    duration_ms: z.int(),
    bytes_in: z.int(),
    bytes_out: z.int(),
    dropped_headers: z.array(z.string()).readonly(),
  })
  .meta({ id: "AuditEvent" });

export const auditPage = pageOf(auditEventShape);
