import { expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { ApiError } from "../errors.ts";
import { openApiDocument } from "../openapi.ts";
import { ROUTES } from "../routes/index.ts";
import type { Route } from "../route.ts";
import type { FieldError } from "../../service/outcome.ts";

interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

const document = JSON.parse(JSON.stringify(openApiDocument(ROUTES))) as {
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>;
  components: { schemas: Record<string, Schema> };
};

type Place = readonly (string | 0)[];

/** Every place of a body that the document names. */
function placesOf(schema: Schema, at: Place = []): Place[] {
  const { $ref, anyOf = [], oneOf = [], properties = {}, items } = schema;
  const referred = $ref === undefined ? {} : document.components.schemas[$ref.split("/").at(-1) ?? ""];
  return [
    at,
    ...(referred === undefined || $ref === undefined ? [] : placesOf(referred, at)),
    ...[...anyOf, ...oneOf].flatMap((form) => placesOf(form, at)),
    ...Object.entries(properties).flatMap(([name, member]) => placesOf(member, [...at, name])),
    ...(items === undefined ? [] : placesOf(items, [...at, 0])),
  ];
}

/** A body with a value at a place, and nothing else. */
function bodyWith(place: Place, value: unknown): unknown {
  return place.reduceRight<unknown>((inner, step) => (step === 0 ? [inner] : { [step]: inner }), value);
}

function errorsOf(route: Route, body: unknown): readonly FieldError[] {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  try {
    route.accept({ params: Object.fromEntries(names.map((name) => [name, newId()])), query: {}, body });
  } catch (error) {
    if (error instanceof ApiError) return error.errors;
    throw error;
  }
  return [];
}

const WRONG = [null, true, -1, 1.5, 1e300, "", " ", "x".repeat(10_000), [], [null], {}, { nope: 1 }];
/** What a schema library says by itself. */
const NOT_OURS = /invalid|expected|received|too (?:small|big)|must match|unrecognized/i;

test.each(ROUTES.filter(({ body }) => body !== null).map((route) => [route.id, route] as const))(
  "what is wrong with a body of %s is said in our words: what would be right, as a sentence",
  (_, route) => {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()];
    const schema = operation?.requestBody?.content["application/json"]?.schema ?? {};
    const places = placesOf(schema);
    expect(places.length).toBeGreaterThan(1);
    for (const place of places) {
      for (const value of WRONG) {
        for (const { field, message } of errorsOf(route, bodyWith(place, value))) {
          expect(message, `${field} in ${JSON.stringify(bodyWith(place, value)).slice(0, 200)}`).toMatch(
            /^[^a-z].*[.?]$/su,
          );
          expect(message, field).not.toMatch(NOT_OURS);
        }
      }
    }
  },
);

test.each([
  [{ limits: { uses: 1.5 } }, "limits.uses", "Give a whole number."],
  [{ limits: { uses: 0 } }, "limits.uses", "Give at least 1."],
  [{ limits: [] }, "limits", "Give an object."],
  [{ ip: { mode: "some" } }, "ip.mode", "Give one of: any, allowlist, confirm."],
  [{ allow: [7] }, "allow.0", 'Give a rule such as "POST /v1/chat/completions".'],
  [{ allow: [{ rule: "GET /v1", query: { allow: "a" } }] }, "allow.0.query.allow", "Give a list."],
  [
    { allow: [{ rule: "GET /v1", queries: {} }] },
    "allow.0.queries",
    "Unknown field. The fields here are: rule, query.",
  ],
])("of a key %j: %s", (body, field, message) => {
  const route = ROUTES.find(({ id }) => id === "createKey");
  if (route === undefined) throw new Error("There is no createKey.");
  expect(
    errorsOf(route, { holder: "ci", integration: "openai", allow: ["GET /v1"], ...body }),
  ).toContainEqual({
    field,
    message,
  });
});
