import * as z from "zod";
import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import type { BlockReason } from "@relaykey/core/block-reasons";
import type { DraftPolicy, ImaginedRequest } from "../../service/dry-run.ts";
import { at } from "./answers.ts";
import { id, moment, reference, strict, withoutAbsent } from "./fields.ts";
import { allow, bindings, ip } from "./keys.ts";

const draft = strict({
  integration: reference,
  allow,
  bindings: bindings.optional(),
  ip: ip.optional(),
  not_before: moment.nullable().optional(),
  expires_at: moment.nullable().optional(),
}).transform((input): DraftPolicy => ({
  integration: input.integration,
  rules: input.allow,
  bindings: input.bindings ?? {},
  ip: input.ip ?? { mode: "any" },
  notBefore: input.not_before ?? null,
  expiresAt: input.expires_at ?? null,
}));

export const dryRunInput = strict({
  key: id.meta({ description: "Judge by the policy of this key." }).optional(),
  draft: draft.meta({ description: "Judge by a policy that no key has yet." }).optional(),
  method: z
    .string("Give a method such as GET.")
    .min(1, "Give a method such as GET.")
    .max(32, "Give a method such as GET."),
  target: z
    .string("Give the path, and the query after a question mark, such as /v1/models?limit=10.")
    .startsWith("/", "Begin with a slash: the path below the integration.")
    .max(16_384, "Give at most 16384 characters."),
  ip: z.string("Give an IP address.").max(64, "Give an IP address.").optional(),
  at: moment.optional(),
})
  .refine((input) => (input.key === undefined) !== (input.draft === undefined), {
    path: ["key"],
    message: "Give either key or draft.",
  })
  .transform(({ key, draft: policy, ip: address, at: when, ...request }, context) => {
    const imagined: ImaginedRequest = { ...request, ...withoutAbsent({ ip: address, at: when }) };
    if (key !== undefined) return { which: { key }, request: imagined };
    if (policy !== undefined) return { which: { draft: policy }, request: imagined };
    context.addIssue({ code: "custom", path: ["key"], message: "Give either key or draft." });
    return z.NEVER;
  });

const reasons = Object.keys(BLOCK_REASONS) as [BlockReason, ...BlockReason[]];

export const dryRunAnswer = z.strictObject({
  allowed: z.boolean(),
  reason: z.enum(reasons).nullable(),
  status: z.int().nullable().meta({ description: "What the proxy would answer; null: the vendor's own." }),
  detail: z.string(),
  rule: z.strictObject({ index: z.int(), rule: z.string() }).nullable(),
  nearest: z
    .strictObject({ index: z.int(), rule: z.string(), misses: z.enum(["query", "method", "path"]) })
    .nullable()
    .meta({ description: "The rule that comes nearest, where none admits the request." }),
  remedy: z.string().nullable().meta({ description: "What would have to change for it to be allowed." }),
  ip: z.string(),
  at,
});
