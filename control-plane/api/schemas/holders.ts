import * as z from "zod";
import { NO_LIMITS } from "@relaykey/core/limits";
import { HOLDER_KINDS } from "@relaykey/core/snapshot";
import { change, name, page, strict } from "./fields.ts";
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
export const holderChange = change({ ...fields, frozen: z.boolean("Give true or false."), limits });
export const holderQuery = strict(page);
