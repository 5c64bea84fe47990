import * as z from "zod";
import { at, uuid } from "./answers.ts";
import { label, strict } from "./fields.ts";

export const deviceCodeInput = strict({
  client: label.meta({ description: "What asks, and where: shown to whoever lets it in." }),
});

export const deviceCodeAnswer = z.strictObject({
  device_code: z.string().meta({ description: "What the device asks with. Keep it secret." }),
  user_code: z.string().meta({ description: "What the person types." }),
  verification_uri: z.string(),
  verification_uri_complete: z.string(),
  expires_in: z.int(),
  interval: z.int(),
});

export const deviceTokenInput = strict({
  device_code: z.string("Give the device_code.").regex(/^[\w-]{43}$/, "Give the device_code, whole."),
});

export const deviceTokenAnswer = z.strictObject({
  access_token: z.string().meta({ description: "A management token. Shown this once." }),
  token_type: z.literal("Bearer"),
  expires_at: at,
  organization_id: uuid,
});

export const whoamiAnswer = z.strictObject({
  token: z.strictObject({
    id: uuid,
    kind: z.enum(["bootstrap", "standard", "provisioner"]),
    role: z.enum(["admin", "viewer"]),
    expires_at: at.nullable(),
  }),
  organization: z.strictObject({ id: uuid, name: z.string() }).nullable(),
  proxy_url: z.string().meta({ description: "Where RelayKeys are used." }),
});
