import * as z from "zod";
import { CATALOGUE, catalogueEntry } from "@relaykey/core/catalogue/index";
import { credentialSchema } from "@relaykey/core/credential";
import { DIALECTS, headerPatternSchema, slugSchema } from "@relaykey/core/integration";
import { Secret } from "@relaykey/core/secret";
import type { IntegrationInput, IntegrationUpdate } from "../../service/integrations.ts";
import { at, fanOutAnswer, pageOf, uuid } from "./answers.ts";
import { change, label, page, reference, secretText, strict, withoutAbsent } from "./fields.ts";

const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_TIMEOUT_MS = 3_600_000;
const timeoutHint = `Give a whole number of milliseconds from 1 to ${String(MAX_TIMEOUT_MS)}.`;

const slug = z
  .string("Give a text.")
  .refine(
    (text) => slugSchema.safeParse(text).success,
    "Give lower-case letters, digits and inner hyphens, at most 63: it becomes a host name.",
  );

const headerPattern = z
  .string("Give a text.")
  .refine(
    (text) => headerPatternSchema.safeParse(text).success,
    'Give a header name in lower case, or a prefix such as "openai-*".',
  );

const settings = {
  name: label,
  upstream: z.string("Give a URL such as https://api.example.com/v2.").max(500),
  credential: credentialSchema,
  request_headers: z.array(headerPattern).max(64, "Give at most 64 header names."),
  dialect: z.enum(DIALECTS, `Give one of: ${DIALECTS.join(", ")}.`),
  allow_encoded_slash: z.boolean("Give true or false."),
  log_query: z.boolean("Give true or false."),
  response_cookies: z.boolean("Give true or false."),
  scrub_responses: z.boolean("Give true or false."),
  timeout_ms: z.int(timeoutHint).min(1, timeoutHint).max(MAX_TIMEOUT_MS, timeoutHint),
};

export const secret = secretText.transform((text) => new Secret(text));

/**
 * What the request leaves out comes from the catalogue entry it names (absent: the one named like the slug, if there is
 * one; null: none), then from the defaults.
 */
export const integrationInput = strict({
  ...z.object(settings).partial().shape,
  slug,
  secret,
  catalogue: z.string("Give the slug of a catalogue entry, or null.").nullable().optional(),
}).transform((input, context): IntegrationInput => {
  const entry = input.catalogue === null ? null : catalogueEntry(input.catalogue ?? input.slug);
  if (entry === null && typeof input.catalogue === "string") {
    const known = CATALOGUE.map((each) => each.slug).join(", ");
    context.addIssue({ code: "custom", path: ["catalogue"], message: `Give one of: ${known}.` });
    return z.NEVER;
  }
  const upstream = input.upstream ?? entry?.upstream;
  const credential = input.credential ?? entry?.credential;
  const missing = { upstream, credential };
  for (const field of ["upstream", "credential"] as const) {
    if (missing[field] !== undefined) continue;
    context.addIssue({ code: "custom", path: [field], message: "Give it, or name a catalogue entry." });
  }
  if (upstream === undefined || credential === undefined) return z.NEVER;
  return {
    slug: input.slug,
    catalogue: entry?.slug ?? null,
    name: input.name ?? entry?.name ?? input.slug,
    upstream,
    credential,
    secret: input.secret,
    requestHeaders: input.request_headers ?? entry?.requestHeaders ?? [],
    dialect: input.dialect ?? entry?.dialect ?? "plain",
    allowEncodedSlash: input.allow_encoded_slash ?? false,
    logQuery: input.log_query ?? false,
    responseCookies: input.response_cookies ?? false,
    scrubResponses: input.scrub_responses ?? true,
    timeoutMs: input.timeout_ms ?? DEFAULT_TIMEOUT_MS,
  };
});

export const integrationChange = change({
  ...settings,
  secret: secret.meta({
    description:
      "The vendor key, given again: needed where upstream, credential or scrub_responses change. It replaces all former ones.",
  }),
  enabled: z.boolean("Give true or false."),
  catalogue: z
    .string()
    .refine((text) => catalogueEntry(text) !== null, "Give the slug of a catalogue entry, or null.")
    .nullable(),
}).transform((input): IntegrationUpdate => {
  const {
    request_headers,
    allow_encoded_slash,
    log_query,
    response_cookies,
    scrub_responses,
    timeout_ms,
    ...same
  } = input;
  return withoutAbsent({
    ...same,
    requestHeaders: request_headers,
    allowEncodedSlash: allow_encoded_slash,
    logQuery: log_query,
    responseCookies: response_cookies,
    scrubResponses: scrub_responses,
    timeoutMs: timeout_ms,
  });
});

export const integrationQuery = strict(page);

export const integrationParams = strict({ integration: reference });

export const integrationShape = z
  .strictObject({
    id: uuid,
    slug: z.string(),
    name: z.string(),
    catalogue: z.string().nullable().meta({ description: "The catalogue entry it was made from." }),
    enabled: z.boolean(),
    upstream: z.string(),
    credential: credentialSchema,
    secret_version: z.int().meta({ description: "Of the vendor key in force." }),
    health: z
      .enum(["unknown", "ok", "failing"])
      .meta({ description: "Whether the vendor accepts the key, as far as was seen." }),
    health_at: at.nullable(),
    request_headers: z.array(z.string()).readonly(),
    dialect: z.enum(DIALECTS),
    allow_encoded_slash: z.boolean(),
    log_query: z.boolean(),
    response_cookies: z.boolean(),
    scrub_responses: z.boolean(),
    timeout_ms: z.int(),
    created_at: at,
  })
  .meta({ id: "Integration", description: "The vendor key is in no answer, not even sealed." });

export const integrationAnswer = z.strictObject({ integration: integrationShape });
export const integrationChangeAnswer = z.strictObject({
  integration: integrationShape,
  enforcement: fanOutAnswer,
});
export const integrationPage = pageOf(integrationShape);
