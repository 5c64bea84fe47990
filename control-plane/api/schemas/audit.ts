import * as z from "zod";
import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import type { BlockReason } from "@relaykey/core/block-reasons";
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
