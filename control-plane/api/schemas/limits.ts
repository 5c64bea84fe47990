import * as z from "zod";
import { limitsSchema, parseRate } from "@relaykey/core/limits";
import { strict, withoutAbsent } from "./fields.ts";

export const rate = z.string("Give a rate such as 100/minute or 5/10s.").transform((text, context) => {
  const parsed = parseRate(text);
  if (parsed !== null) return parsed;
  context.addIssue({ code: "custom", message: "Give a rate such as 100/minute, 5/10s or 1000/h." });
  return z.NEVER;
});

const { uses, concurrency, maxBodyBytes } = limitsSchema.shape;

/** Limits of a key or a holder; absent = as it is, null = none. */
export const limits = strict({
  rate: rate.nullable().optional(),
  uses: z.optional(uses),
  concurrency: z.optional(concurrency.def.innerType),
  max_body_bytes: z.optional(maxBodyBytes),
}).transform(({ max_body_bytes, ...same }) => withoutAbsent({ ...same, maxBodyBytes: max_body_bytes }));
