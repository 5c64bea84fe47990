import * as z from "zod";

/** What answers are made of. Those with an `id` are named in the OpenAPI document. */

/** RFC 3339. A presenter may leave it a Date: JSON makes it this text. */
export const at = z.iso.datetime().meta({ description: "RFC 3339" }) as unknown as z.ZodType<string | Date>;

export const uuid = z.uuid();

/** One page of a list. */
export function pageOf<S extends z.ZodType>(entry: S) {
  return z.strictObject({
    data: z.array(entry).readonly(),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: "Ask for the next page with it; null on the last page." }),
  });
}

export const limitsAnswer = z
  .strictObject({
    rate: z.string().nullable().meta({ description: 'Such as "100/m".' }),
    uses: z.int().nullable(),
    concurrency: z.int().nullable(),
    max_body_bytes: z.int().nullable(),
  })
  .meta({ id: "Limits" });

const state = z
  .enum(["enforced", "pending"])
  .meta({ description: "pending: stored, tried again each minute, not yet in force." });

/** Whether a change of one key is in force. */
export const enforcementAnswer = z
  .strictObject({ state, version: z.int(), enforced_at: at.nullable(), waited_ms: z.int().nullable() })
  .meta({ id: "Enforcement" });

/** The same for a change of many keys. */
export const fanOutAnswer = z.strictObject({ state, keys: z.int(), pending: z.int() }).meta({ id: "FanOut" });

export const deletedAnswer = z.strictObject({ deleted: z.literal(true) });
