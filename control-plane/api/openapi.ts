import * as z from "zod";
import { ACTIONS } from "../service/authorization.ts";
import { API_ERRORS } from "./errors.ts";
import type { ApiErrorCode } from "./errors.ts";
import type { Route } from "./route.ts";

type Json = Readonly<Record<string, unknown>>;

const SUCCESS = {
  200: "Done",
  201: "Created",
  202: "Stored, and not in force everywhere yet: it is tried again each minute",
} as const;

/** Errors that an operation can answer with: those of its own, and those that follow from what it is. */
export function errorsOf(route: Route): ApiErrorCode[] {
  const codes = new Set<ApiErrorCode>(route.errors ?? []);
  const add = (...more: ApiErrorCode[]): void => {
    for (const code of more) codes.add(code);
  };
  add("internal_error", "invalid_request");
  if (route.params !== null) add("not_found");
  if (route.method !== "GET") add("malformed_json", "media_type", "body_too_large");
  if (route.creates !== undefined) {
    add("idempotency_key_malformed", "idempotency_in_progress", "idempotency_answer_lost");
    add("idempotency_key_reused");
  }
  if (route.conditional === true) add("precondition_failed");
  if (route.action !== null) {
    const row: (typeof ACTIONS)[keyof typeof ACTIONS] & Record<string, unknown> = ACTIONS[route.action];
    add("token_missing", "token_invalid", "token_expired", "token_revoked");
    add("role_insufficient", "token_scope", "token_address", "rate_limited");
    if (row["peopleOnly"] === true) add("people_only");
    if (row["bootstrapOnly"] === true) add("bootstrap_only");
    if (row["dangerous"] === true) add("passkey_needed");
  }
  return [...codes];
}

/** Of the API: its first part rises when something that worked stops working. */
const API_VERSION = "1.0.0";

/** The OpenAPI 3.1 document of the API. Its schemas are the ones that requests are checked against. */
export function openApiDocument(routes: readonly Route[]): Json {
  const components = new Components();
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, components);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "RelayKey management API",
      version: API_VERSION,
      description:
        "What an organization does to RelayKey. Answers are JSON; errors are problems (RFC 9457) that name each wrong field. Unknown fields are errors.",
    },
    servers: [{ url: "/api/v1" }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A management token: rk_mgmt_…" },
      },
      schemas: { ...components.schemas, Problem: PROBLEM },
    },
  };
}

function operation(route: Route, components: Components): Json {
  const description = [route.description, mayDo(route)].filter((text) => text !== undefined).join("\n\n");
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(description === "" ? {} : { description }),
    security: route.action === null ? [] : [{ token: [] }],
    ...(route.action === null ? {} : { "x-action": route.action }),
    parameters: [
      ...parameters("path", route.params, components),
      ...parameters("query", route.query, components),
      ...headerFields(route),
    ],
    ...(route.body === null ? {} : { requestBody: requestBody(route, route.body, components) }),
    responses: { ...successes(route, components), ...failures(route) },
  };
}

function mayDo(route: Route): string | undefined {
  if (route.action === null) return "Needs no token.";
  const row: { readonly role: string; readonly provisioner?: true } = ACTIONS[route.action];
  const provisioner = row.provisioner === true ? " Provisioner tokens may, within their bounds." : "";
  return `Needs the role ${row.role} (\`${route.action}\`).${provisioner}`;
}

function parameters(place: "path" | "query", shape: z.ZodType | null, components: Components): Json[] {
  if (shape === null) return [];
  const { properties = {}, required = [] } = components.inline(shape, "input") as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    ...(description === undefined ? {} : { description }),
    required: place === "path" || required.includes(name),
    schema,
  }));
}

function headerFields(route: Route): Json[] {
  const field = (name: string, description: string): Json => ({
    name,
    in: "header",
    description,
    required: false,
    schema: { type: "string" },
  });
  return [
    ...(route.creates !== undefined && route.action !== null
      ? [
          field(
            "Idempotency-Key",
            "Makes repeating the request safe for a day: the same request gets the first one's answer.",
          ),
        ]
      : []),
    ...(route.conditional === true
      ? [field("If-Match", "The ETag that GET answered with: the change fails if it was changed since.")]
      : []),
  ];
}

function requestBody(route: Route, shape: z.ZodType, components: Components): Json {
  const content = {
    schema: components.inline(shape, "input"),
    ...(route.example === undefined ? {} : { example: route.example }),
  };
  return { required: true, content: { "application/json": content } };
}

function successes(route: Route, components: Components): Record<string, Json> {
  const content =
    route.answer === null
      ? Object.fromEntries(route.streams.map((type) => [type, { schema: { type: "string" } }]))
      : { "application/json": { schema: components.inline(route.answer, "output") } };
  return Object.fromEntries(
    route.statuses.map((status) => [String(status), { description: SUCCESS[status], content }]),
  );
}

/** One response per status, which lists the codes that it stands for. */
function failures(route: Route): Record<string, Json> {
  const byStatus = Map.groupBy(errorsOf(route), (code) => API_ERRORS[code].status);
  const entries = [...byStatus].sort(([left], [right]) => left - right);
  return Object.fromEntries(
    entries.map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${API_ERRORS[code].title}.`).join("\n"),
        content: {
          "application/problem+json": {
            schema: {
              allOf: [{ $ref: "#/components/schemas/Problem" }],
              properties: { code: { enum: codes } },
            },
          },
        },
      },
    ]),
  );
}

const PROBLEM = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "request_id"],
  properties: {
    type: { type: "string", format: "uri" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "What to do next." },
    code: { type: "string" },
    request_id: { type: "string" },
    errors: {
      type: "array",
      description: "Each wrong field, and what would be right.",
      items: {
        type: "object",
        required: ["field", "message"],
        properties: { field: { type: "string" }, message: { type: "string" } },
      },
    },
  },
} as const;

/** Collects the schemas that have a name of their own. */
class Components {
  readonly schemas: Record<string, unknown> = {};

  /** The JSON schema of a zod one, with references to named ones. */
  inline(shape: z.ZodType, io: "input" | "output"): Json {
    const { $schema: _dialect, $defs = {}, ...schema } = toJsonSchema(shape, io);
    for (const [name, named] of Object.entries($defs as Json)) this.schemas[name] = withoutId(named);
    return schema;
  }
}

function toJsonSchema(shape: z.ZodType, io: "input" | "output"): Json {
  const schema = z.toJSONSchema(shape, {
    io,
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      // Answers may gain members: a client must not refuse what it does not know.
      if (io === "output" && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
      // What the format says already.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      // Says that TypeScript may not change it, not that callers may not send it.
      delete jsonSchema.readOnly;
    },
  });
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text) as Json;
}

function withoutId(schema: unknown): unknown {
  const { id: _id, ...rest } = schema as Json;
  return rest;
}
