import * as z from "zod";
import { ROLES } from "@relaykey/db/schema/people";
import { at, pageOf, uuid } from "./answers.ts";
import { id, page, strict } from "./fields.ts";

const role = z.enum(ROLES, `Give one of: ${ROLES.join(", ")}.`);

export const memberQuery = strict(page);
export const memberParams = strict({ member: id });
export const memberChange = strict({ role });

const memberShape = z
  .strictObject({
    id: uuid,
    email: z.string(),
    role: z.enum(ROLES),
    has_passkey: z.boolean().meta({ description: "Dangerous actions ask them for it." }),
    created_at: at,
  })
  .meta({ id: "Member" });

export const memberAnswer = z.strictObject({ member: memberShape });
export const memberPage = pageOf(memberShape);

export const invitationInput = strict({
  email: z.string("Give an e-mail address.").max(254, "Give an e-mail address."),
  role,
});
export const invitationQuery = strict(page);
export const invitationParams = strict({ invitation: id });

const invitationShape = z
  .strictObject({
    id: uuid,
    email: z.string(),
    role: z.enum(ROLES),
    invited_by: z.string().nullable().meta({ description: "null: a management token." }),
    expires_at: at,
    created_at: at,
  })
  .meta({ id: "Invitation" });

export const invitationAnswer = z.strictObject({ invitation: invitationShape });
export const invitationPage = pageOf(invitationShape);

export const domainParams = strict({ domain: z.string().max(253) });

const domainShape = z.strictObject({ domain: z.string(), created_at: at }).meta({ id: "Domain" });

export const domainAnswer = z.strictObject({ domain: domainShape });
export const domainList = z.strictObject({ data: z.array(domainShape).readonly() });
