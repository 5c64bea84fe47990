import * as z from "zod";
import { credentialSchema } from "@relaykey/core/credential";
import { DIALECTS } from "@relaykey/core/integration";

const entry = z
  .strictObject({
    slug: z.string(),
    name: z.string(),
    upstream: z.string(),
    credential: credentialSchema,
    request_headers: z.array(z.string()).readonly(),
    dialect: z.enum(DIALECTS),
    presets: z
      .array(z.strictObject({ name: z.string(), allow: z.array(z.string()).readonly() }))
      .readonly()
      .meta({ description: "Rules for common jobs." }),
    sdk: z.strictObject({
      base_url: z
        .enum(["path", "host"])
        .meta({ description: "host: its SDK needs the integration addressed by host name." }),
      env: z.string().nullable().meta({ description: "The variable by which its SDK takes a base URL." }),
    }),
  })
  .meta({ id: "CatalogueEntry" });

export const catalogueAnswer = z.strictObject({ data: z.array(entry).readonly() });
