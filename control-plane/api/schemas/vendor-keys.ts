import * as z from "zod";
import { PROBE_VERDICTS } from "@relaykey/core/probe";
import type { ProbeVerdict } from "@relaykey/core/probe";
import { at } from "./answers.ts";
import { duration, strict } from "./fields.ts";
import { secret } from "./integrations.ts";

const DAY_MS = 86_400_000;
const DEFAULT_RESTORABLE_MS = 7 * DAY_MS;
const MAX_RESTORABLE_MS = 90 * DAY_MS;

const restorable = duration
  .refine((ms) => ms <= MAX_RESTORABLE_MS, "Give at most 90d.")
  .meta({ description: 'How long the vendor key that is replaced can be restored: "7d" if it is left out.' });

export const rotationInput = strict({
  secret,
  restorable_for: z
    .union(
      [z.literal("0s").transform(() => 0), restorable],
      "Give a duration such as 24h or 7d; 0s destroys the former key at once.",
    )
    .optional(),
  test: z
    .boolean("Give true or false.")
    .meta({ description: "Try the new key at the vendor first; if it is refused, nothing changes." })
    .optional(),
}).transform((input) => ({
  secret: input.secret,
  restorableMs: input.restorable_for ?? DEFAULT_RESTORABLE_MS,
  test: input.test ?? false,
}));

export const rollbackInput = strict({ restorable_for: restorable.optional() }).transform(
  (input) => input.restorable_for ?? DEFAULT_RESTORABLE_MS,
);

export const testInput = strict({
  secret: secret
    .meta({ description: "A vendor key to try and forget; left out: the one in force." })
    .optional(),
}).transform((input) => input.secret ?? null);

export const versionsAnswer = z.strictObject({
  data: z
    .array(
      z.strictObject({
        version: z.int(),
        in_force: z.boolean(),
        restorable_until: at.nullable(),
        destroyed: z.boolean(),
        created_at: at,
      }),
    )
    .readonly(),
});

export const probeAnswer = z.strictObject({
  result: z
    .strictObject({
      verdict: z.enum(Object.keys(PROBE_VERDICTS) as [ProbeVerdict, ...ProbeVerdict[]]),
      meaning: z.string(),
      status_class: z.int().nullable().meta({ description: "2 for 2xx; null without an answer." }),
      latency_ms: z.int(),
    })
    .meta({ id: "Probe" }),
});
