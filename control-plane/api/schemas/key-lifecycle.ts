import * as z from "zod";
import { enforcementAnswer, fanOutAnswer } from "./answers.ts";
import { EXPIRY_TWICE, duration, expiry, expiryOnce, id, strict } from "./fields.ts";
import { EXPIRY_FIELDS, keySelection, keyShape, receiptShape, selection } from "./keys.ts";

const DAY_MS = 86_400_000;
const DEFAULT_OVERLAP_MS = DAY_MS;
const MAX_OVERLAP_MS = 30 * DAY_MS;

/** A duration that may be nothing at all. */
const overlap = z
  .union(
    [z.literal("0s").transform(() => 0), duration],
    "Give a duration such as 15m, 2h or 7d; 0s for none.",
  )
  .refine((ms) => ms <= MAX_OVERLAP_MS, "Give at most 30d: a key that should live longer is no former key.")
  .meta({
    description: 'How long the former key goes on: "24h" if it is left out, "0s" revokes it at once.',
  });

export const rerollInput = strict({ overlap: overlap.optional(), ...z.object(EXPIRY_FIELDS).partial().shape })
  .refine(expiryOnce, EXPIRY_TWICE)
  .transform((input) => (now: number) => {
    const expiresAt = expiry(input, now);
    return {
      overlapMs: input.overlap ?? DEFAULT_OVERLAP_MS,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
  });

export const rerolledKeyAnswer = z.strictObject({
  key: keyShape,
  enforcement: enforcementAnswer,
  token: z.string().meta({ description: "The new key itself. Shown this once." }),
  former: z.strictObject({ key: keyShape, enforcement: enforcementAnswer }),
});

const MAX_IDS = 1_000;

export const bulkRevokeInput = strict({
  ids: z
    .array(id)
    .min(1, "Give at least one id.")
    .max(MAX_IDS, `Give at most ${String(MAX_IDS)} ids.`)
    .optional(),
  ...keySelection,
  dry_run: z.boolean("Give true or false.").meta({ description: "Only counts." }).optional(),
})
  .refine(
    (input) => Object.keys(input).some((name) => name !== "dry_run"),
    "Say which keys: ids, or at least one other condition. All conditions must hold.",
  )
  .transform(({ ids, dry_run, ...rest }) => ({
    selection: { ...selection(rest), ...(ids === undefined ? {} : { ids }) },
    rehearse: dry_run ?? false,
  }));

export const bulkRevokeAnswer = z.strictObject({
  revoked: z.int().meta({ description: "Keys revoked by this call; of a dry run, keys that would be." }),
  enforcement: fanOutAnswer,
  keys: z
    .array(z.strictObject({ key: keyShape, receipt: receiptShape.nullable() }))
    .readonly()
    .meta({
      description: "Those that this call brought to the proxy, with what came of it. Others are pending.",
    }),
});
