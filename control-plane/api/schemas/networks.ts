import * as z from "zod";
import { at, uuid } from "./answers.ts";
import { reference, strict } from "./fields.ts";

export const networksParams = strict({ holder: reference });
export const pendingParams = strict({ holder: reference, pending: z.string().regex(/^[\x21-\x7e]{1,128}$/) });

const network = z
  .string("Give an address, or a block such as 203.0.113.0/24.")
  .min(1, "Give an address, or a block such as 203.0.113.0/24.")
  .max(64, "Give an address, or a block such as 203.0.113.0/24.");

export const networkInput = strict({ network });
export const networkQuery = strict({ network: network.meta({ description: "As the list names it." }) });

const place = z
  .strictObject({
    country: z.string().nullable(),
    region: z.string().nullable(),
    city: z.string().nullable(),
    asn: z.int().nullable(),
    network: z.string().nullable().meta({ description: "Who runs it." }),
  })
  .meta({ id: "Place" });

const trusted = z
  .strictObject({
    network: z.string(),
    source: z.enum(["first_use", "confirmed", "approved"]),
    first_seen: at,
    last_seen: at,
    place,
  })
  .meta({ id: "TrustedNetwork" });

const pending = z
  .strictObject({
    id: z.string(),
    network: z.string(),
    key_id: uuid,
    request: z.strictObject({
      method: z.string(),
      path: z.string(),
      user_agent: z.string().nullable(),
      integration: z.string(),
      address: z.string(),
      place,
    }),
    since: at,
    last_seen: at,
    attempts: z.int(),
    expires_at: at,
    mailed: z.boolean(),
  })
  .meta({ id: "PendingNetwork", description: "Waits for the holder's word." });

export const networksAnswer = z.strictObject({
  trusted: z.array(trusted).readonly(),
  pending: z.array(pending).readonly(),
  storm: z.strictObject({ since: at, networks: z.int() }).nullable().meta({
    description: "More new networks than a person comes by: most are neither listed nor mailed about.",
  }),
});

export const networkAnswer = z.strictObject({ network: z.string(), trusted: z.boolean() });
export const dismissedAnswer = z.strictObject({ dismissed: z.literal(true) });
