import * as z from "zod";
import { NO_LIMITS } from "@relaykey/core/limits";
import { HOLDER_KINDS } from "@relaykey/core/snapshot";
import { at, fanOutAnswer, limitsAnswer, pageOf, uuid } from "./answers.ts";
import { confirmationChanges, confirmationInput } from "./confirmation.ts";
import { change, name, page, reference, strict } from "./fields.ts";
import { limits } from "./limits.ts";

const fields = {
  name,
  kind: z.enum(HOLDER_KINDS, `Give one of: ${HOLDER_KINDS.join(", ")}.`),
  email: z.email("Give an e-mail address.").max(254).nullable(),
};

export const holderInput = strict({
  ...fields,
  email: fields.email.default(null),
  limits: limits.optional(),
}).transform((input) => ({ ...input, limits: { ...NO_LIMITS, ...input.limits } }));
export const holderChange = change({
  ...fields,
  frozen: z.boolean("Give true or false."),
  limits,
  confirmation: confirmationInput.meta({
    description: "What differs from the organization's settings, whole: {} follows them in everything.",
  }),
});
export const holderQuery = strict(page);

export const holderParams = strict({ holder: reference });

const holderShape = z
  .strictObject({
    id: uuid,
    name: z.string(),
    kind: z.enum(HOLDER_KINDS),
    email: z.string().nullable(),
    mail: z.strictObject({ state: z.enum(["ok", "bounced", "complained"]), at: at.nullable() }).meta({
      description: "What became of mail to the address: after a bounce or a complaint none is sent.",
    }),
    frozen: z.boolean(),
    limits: limitsAnswer,
    confirmation: confirmationChanges,
    created_at: at,
  })
  .meta({ id: "Holder" });

export const holderAnswer = z.strictObject({ holder: holderShape });
export const holderChangeAnswer = z.strictObject({ holder: holderShape, enforcement: fanOutAnswer });
export const holderPage = pageOf(holderShape);
