import * as z from "zod";
import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import { strict, withoutAbsent } from "./fields.ts";
import { blocks } from "./keys.ts";

const prefixHint = "Give a whole number of bits from 32 to 128.";
const daysHint = "Give a whole number of days from 1 to 3650, or null for never.";

/** How new addresses are confirmed. Of what is left out the organization decides, or it stays as it is. */
export const confirmationInput = strict({
  trust_on_first_use: z
    .boolean("Give true or false.")
    .meta({ description: "The first network is trusted as it is used." })
    .optional(),
  trust_days: z
    .int(daysHint)
    .min(1, daysHint)
    .max(3_650, daysHint)
    .nullable()
    .meta({ description: "Days after its last use until a network has to be confirmed again." })
    .optional(),
  preapproved: blocks.meta({ description: "Blocks that need no confirmation." }).optional(),
  never_confirmable: blocks
    .meta({ description: "Blocks shared by strangers: nobody can confirm an address in them." })
    .optional(),
  number_matching: z
    .boolean("Give true or false.")
    .meta({ description: "The person types the number that the refused call was answered with." })
    .optional(),
  v6_prefix: z
    .int(prefixHint)
    .min(32, prefixHint)
    .max(128, prefixHint)
    .meta({ description: "Leading bits of an IPv6 address that count as one client." })
    .optional(),
}).transform((input): Partial<ConfirmationPolicy> =>
  withoutAbsent({
    trustOnFirstUse: input.trust_on_first_use,
    trustDays: input.trust_days,
    preapproved: input.preapproved,
    neverConfirmable: input.never_confirmable,
    numberMatching: input.number_matching,
    v6Prefix: input.v6_prefix,
  }),
);

const confirmationShape = z.strictObject({
  trust_on_first_use: z.boolean(),
  trust_days: z.int().nullable(),
  preapproved: z.array(z.string()).readonly(),
  never_confirmable: z.array(z.string()).readonly(),
  number_matching: z.boolean(),
  v6_prefix: z.int(),
});

export const confirmationAnswer = confirmationShape.meta({ id: "Confirmation" });

/** What differs from the organization's. */
export const confirmationChanges = confirmationShape.partial();
