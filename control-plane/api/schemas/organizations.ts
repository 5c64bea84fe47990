import * as z from "zod";
import { at, fanOutAnswer, uuid } from "./answers.ts";
import { confirmationAnswer, confirmationInput } from "./confirmation.ts";
import { change, label, strict } from "./fields.ts";

export const organizationInput = strict({ name: label });
export const organizationChange = change({ name: label, confirmation: confirmationInput });

export const organizationShape = z
  .strictObject({
    id: uuid,
    name: z.string(),
    audit_retention_days: z.int(),
    frozen: z.boolean().meta({ description: "All of its keys are refused until it is unfrozen." }),
    delete_after: at.nullable().meta({
      description: "It waits for its deletion, and all of its keys are refused; null: it does not.",
    }),
    confirmation: confirmationAnswer,
    created_at: at,
  })
  .meta({ id: "Organization" });

export const organizationAnswer = z.strictObject({ organization: organizationShape });

export const createdOrganizationAnswer = z.strictObject({
  organization: organizationShape,
  management_token: z.string().meta({ description: "Acts in the new organization. Shown this once." }),
});

export const organizationChangeAnswer = z.strictObject({
  organization: organizationShape,
  enforcement: fanOutAnswer,
});

export const openChangesAnswer = z.strictObject({ enforcement: fanOutAnswer });
