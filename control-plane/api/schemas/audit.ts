import * as z from "zod";
import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import type { BlockReason } from "@relaykey/core/block-reasons";
import { canonicalIp } from "@relaykey/core/ip";
import type { AuditQuery } from "../../service/audit.ts";
import { at, pageOf, uuid } from "./answers.ts";
import { id, moment, page, reference, strict, withoutAbsent } from "./fields.ts";

const reasons = Object.keys(BLOCK_REASONS) as [BlockReason, ...BlockReason[]];

const ip = z.string().transform((text, context) => {
  const parsed = canonicalIp(text);
  if (parsed !== null) return parsed.address;
  context.addIssue({ code: "custom", message: "Give an IP address, such as 203.0.113.7." });
  return z.NEVER;
});

const statusHint = "Give a status such as 403, or a class such as 4xx.";

/** "403" or "4xx". */
const status = z
  .string(statusHint)
  .regex(/^[1-5](?:\d\d|xx)$/, statusHint)
  .transform((text) =>
    text.endsWith("xx")
      ? { least: Number(text.charAt(0)) * 100, most: Number(text.charAt(0)) * 100 + 99 }
      : { least: Number(text), most: Number(text) },
  );

/** Which events are meant; all given members hold at once. */
const filter = {
  key: id.optional(),
  holder: id.meta({ description: "An id." }).optional(),
  integration: reference.optional(),
  decision: z.enum(["allowed", "blocked"], "Give allowed or blocked.").optional(),
  reason: z.enum(reasons, `Give one of: ${reasons.join(", ")}.`).optional(),
  request_id: id.optional(),
  method: z
    .string()
    .regex(/^[A-Za-z]{1,32}$/, "Give a method such as GET.")
    .optional(),
  path_prefix: z
    .string()
    .startsWith("/", "Begin with a slash.")
    .max(1_024, "Give at most 1024 characters.")
    .regex(/^[^\0]*$/, "NUL is not allowed.")
    .meta({ description: "How the path begins; case counts." })
    .optional(),
  ip: ip.optional(),
  status: status.meta({ description: "Such as 403, or 4xx for all of them." }).optional(),
  from: moment.meta({ description: "Inclusive." }).optional(),
  to: moment.meta({ description: "Inclusive." }).optional(),
};

type FilterInput = z.output<z.ZodObject<typeof filter>>;

/** As the service takes it. */
function readFilter({ key, holder, request_id, path_prefix, ...same }: FilterInput): AuditQuery {
  return withoutAbsent({
    ...same,
    keyId: key,
    holderId: holder,
    requestId: request_id,
    pathPrefix: path_prefix,
  });
}

export const auditQuery = strict({ ...page, ...filter }).transform(({ limit, cursor, ...rest }) => ({
  filter: readFilter(rest),
  limit,
  cursor,
}));

export const auditExportQuery = strict({
  format: z.enum(["ndjson", "csv"], "Give ndjson or csv.").default("ndjson"),
  cursor: page.cursor.meta({
    description: "The request_id of the last event that arrived: goes on after it.",
  }),
  ...filter,
}).transform(({ format, cursor, ...rest }) => ({ filter: readFilter(rest), format, cursor: cursor ?? null }));

export const auditProofQuery = strict(filter).transform((given) => ({ filter: readFilter(given) }));

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
