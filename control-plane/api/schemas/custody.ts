import * as z from "zod";
import { CUSTODY_PROBLEMS } from "@relaykey/core/custody/problems";
import type { CustodyProblem } from "@relaykey/core/custody/problems";
import { providerOf } from "../../service/custody.ts";
import type { Custody } from "../../service/custody.ts";
import { at } from "./answers.ts";
import { strict } from "./fields.ts";

const MAX_PEM_LENGTH = 4_096;

export const custodyInput = strict({
  customer_key: strict({
    arn: z.string("Give the ARN of the key.").max(200, "Give the ARN of the key.").meta({
      description: "Of an RSA key for ENCRYPT_DECRYPT in AWS KMS, by its id; aliases are refused.",
    }),
    public_key: z
      .string("Give the public key in PEM.")
      .max(MAX_PEM_LENGTH, "Give the public key in PEM.")
      .meta({ description: "PEM, or base64 as `aws kms get-public-key` prints it." }),
  })
    .nullable()
    .meta({ description: "null: vendor keys are sealed for the proxy's own key alone." }),
}).transform(({ customer_key: key }) => (key === null ? null : { arn: key.arn, publicKey: key.public_key }));

const provider = z.enum(["local", "aws-kms"]);
const problem = z
  .enum(Object.keys(CUSTODY_PROBLEMS) as [CustodyProblem, ...CustodyProblem[]])
  .meta({ description: "Why it could not be rewrapped the last time." });

const custodyShape = z
  .strictObject({
    provider,
    customer_key: z
      .strictObject({
        arn: z.string(),
        key_id: z
          .string()
          .meta({ description: "Names the key in envelopes: of SHA-256 of its public half." }),
        verified_at: at,
      })
      .nullable(),
    sealing_key_fingerprint: z
      .string()
      .meta({ description: "SHA-256 of the public half of the proxy's own pair, hex." }),
    rewrap: z
      .strictObject({ total: z.int(), current: z.int(), pending: z.int(), failed: z.int() })
      .meta({ description: "Of all vendor keys that are kept; those that fail are tried again." }),
    integrations: z
      .array(
        z.strictObject({
          integration: z.string(),
          version: z.int(),
          provider: provider.nullable(),
          key_id: z.string().nullable(),
          sealed_at: at.nullable(),
          state: z.enum(["current", "pending", "failed"]),
          problem: problem.nullable(),
        }),
      )
      .readonly(),
  })
  .meta({ id: "Custody" });

export const custodyAnswer = z.strictObject({ custody: custodyShape });

export function presentCustody({
  customerKey,
  fingerprint,
  progress,
  integrations,
}: Custody): z.output<typeof custodyShape> {
  const { total, current, failed } = progress;
  return {
    provider: providerOf(customerKey),
    customer_key:
      customerKey === null
        ? null
        : { arn: customerKey.arn, key_id: customerKey.keyId, verified_at: customerKey.verifiedAt },
    sealing_key_fingerprint: fingerprint,
    rewrap: { total, current, pending: total - current - failed, failed },
    integrations: integrations.map((record) => ({
      integration: record.slug,
      version: record.version,
      provider: record.provider,
      key_id: record.keyId,
      sealed_at: record.sealedAt,
      state: record.state,
      problem: record.problem,
    })),
  };
}
