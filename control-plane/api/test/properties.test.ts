import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { openApiDocument } from "../openapi.ts";
import { ROUTES } from "../routes/index.ts";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

let world: World;
let admin: Client;
/** Of things that are there, by the name of the parameter that names them: what is asked about nothing answers little. */
let ids: Readonly<Record<string, string>>;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

// Each operation has an organization of its own: it may remove what it finds.
beforeEach(async () => {
  const { id, client } = await world.organization();
  admin = client;
  const made = async (path: string, body: object, name: string): Promise<string> => {
    const answer = await admin("POST", path, body);
    expect(answer.status, answer.text).toBe(201);
    return (answer.body[name] as { id: string }).id;
  };
  await made("/integrations", { slug: "openai", secret: "sk-1" }, "integration");
  await made("/holders", { name: "ci", kind: "service" }, "holder");
  await world.person(id, "viewer");
  const { data: members } = (await admin("GET", "/members")).body as { data: { id: string }[] };
  ids = {
    integration: "openai",
    holder: "ci",
    key: await made("/keys", { holder: "ci", integration: "openai", allow: ["GET /v1"] }, "key"),
    token: await made("/tokens", { name: "another" }, "management_token"),
    webhook: await made("/webhooks", { url: "https://hooks.example.com/a" }, "webhook"),
    invitation: await made("/invitations", { email: `${newId()}@example.com`, role: "viewer" }, "invitation"),
    member: members[0]?.id ?? "",
    domain: await world.domain(id),
  };
});

afterAll(() => world.close());

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
}

const document = JSON.parse(JSON.stringify(openApiDocument(ROUTES))) as {
  paths: Record<
    string,
    Record<
      string,
      {
        parameters: { name: string; in: string; schema: Schema }[];
        requestBody?: { content: Record<string, { schema: Schema }> };
      }
    >
  >;
  components: { schemas: Record<string, Schema> };
};

/** What hostile and careless callers put where something else belongs. */
const ODD = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  fc.constantFrom<unknown>(
    "\0",
    "'; DROP TABLE holders; --",
    "x".repeat(5_000),
    "\ud800",
    -1,
    1e308,
    2 ** 53,
    "__proto__",
    "../..",
    "ci",
    "openai",
  ),
);

/** Values as the document says they are, or nearly so. */
function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined)
    return valueOf(document.components.schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {});
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return fc.oneof(...alternatives.map(valueOf));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  if (types.length > 1) return fc.oneof(...types.map((type) => valueOf({ ...schema, type })));
  switch (types[0]) {
    case "string":
      if (schema.format === "date-time")
        return fc
          .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
          .map((date) => date.toISOString());
      return fc.oneof(
        fc.constantFrom(
          "ci",
          "openai",
          "GET /v1/**",
          "10.0.0.0/8",
          "1h",
          "5/m",
          "a@example.com",
          "\ud800",
          "\0",
        ),
        fc.uuid({ version: 7 }),
        fc.string(),
      );
    case "integer":
    case "number":
      return fc.integer({
        min: Math.max(schema.minimum ?? -5, -1e9),
        max: Math.min(schema.maximum ?? 1e9, 1e9),
      });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(valueOf(schema.items ?? {}), { maxLength: 3 });
    case "object": {
      const members = Object.entries(schema.properties ?? {}).map(([name, member]) => {
        const fitting = { weight: 9, arbitrary: valueOf(member) };
        return [name, fc.oneof(fitting, { weight: 1, arbitrary: ODD })] as const;
      });
      return fc.record(Object.fromEntries(members), { requiredKeys: [...(schema.required ?? [])] });
    }
    case undefined:
    default:
      return ODD;
  }
}

/** The few values that a schema names, or its bounds. */
function namedBy(schema: Schema): readonly unknown[] {
  if (schema.$ref !== undefined)
    return namedBy(document.components.schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {});
  if (schema.enum !== undefined) return schema.enum;
  if (schema.const !== undefined) return [schema.const];
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  return [
    ...(schema.anyOf ?? schema.oneOf ?? []).flatMap(namedBy),
    ...(types.includes("boolean") ? [true, false] : []),
    ...(types.includes("null") ? [null] : []),
    ...[schema.minimum, schema.maximum].filter((bound) => bound !== undefined),
  ];
}

/** The example that passes; with each named value in turn; without each of its members. Chance alone seldom passes. */
function steps(example: unknown, schema: Schema): readonly unknown[] {
  if (typeof example !== "object" || example === null) return [];
  const changed = Object.entries(schema.properties ?? {}).flatMap(([name, member]) =>
    namedBy(member).map((value) => ({ ...example, [name]: value })),
  );
  const without = Object.keys(example).map((name) => ({ ...example, [name]: undefined }));
  return [example, ...changed, ...without];
}

/** Beyond the steps. */
const RUNS = 12;

// `admin` fails the test when an answer is not one that the document tells of: its status, its code, its shape.
test.each(ROUTES.map((route) => [route.id, route] as const))(
  "%s answers what it documents, whatever it is asked",
  async (_, route) => {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()];
    const body = operation?.requestBody?.content["application/json"]?.schema;
    const query = (operation?.parameters ?? []).filter((parameter) => parameter.in === "query");
    const texts = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.constantFrom("ci", "openai", newId(), "%00", "a b"),
    );
    const first = body === undefined ? [] : steps(route.example, body);
    await fc.assert(
      fc.asyncProperty(
        fc.record(Object.fromEntries(query.map(({ name, schema }) => [name, valueOf(schema)])), {
          requiredKeys: [],
        }),
        body === undefined
          ? fc.constant(undefined)
          : fc.oneof({ weight: 5, arbitrary: valueOf(body) }, { weight: 1, arbitrary: ODD }),
        fc.dictionary(fc.constantFrom(...Object.keys(ids), "pending", "delivery"), texts, { maxKeys: 2 }),
        async (parameters, sent, params) => {
          const path = route.path.replaceAll(/\{(\w+)\}/g, (__, name: string) =>
            encode(params[name] ?? ids[name] ?? newId()),
          );
          const search = new URLSearchParams(
            Object.entries(parameters).map(([name, value]) => [
              name,
              typeof value === "string" ? value : JSON.stringify(value),
            ]),
          ).toString();
          const answer = await admin(
            route.method,
            search === "" ? path : `${path}?${search}`,
            sent === undefined ? undefined : JSON.stringify(sent),
          );
          expect(
            answer.status,
            `${route.method} ${path}?${search} ${JSON.stringify(sent)}: ${answer.text}`,
          ).toBeLessThan(500);
        },
      ),
      { numRuns: first.length + RUNS, examples: first.map((sent) => [{}, sent, {}]) },
    );
  },
);

/** A lone surrogate cannot be sent; an empty segment is another path. */
function encode(text: string): string {
  const encoded = encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, "x"));
  return /^\.*$/.test(encoded) ? "x" : encoded;
}
