import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { ACTIONS } from "../../service/authorization.ts";
import { openApiDocument } from "../openapi.ts";
import { ROUTES } from "../routes/index.ts";

const document = JSON.parse(JSON.stringify(openApiDocument(ROUTES))) as Record<string, unknown>;

test("the document is valid OpenAPI 3.1, and every reference in it leads somewhere", async () => {
  const validator = new Validator();
  const result = await validator.validate(document);
  expect(result).toMatchObject({ valid: true });
  expect(validator.version).toBe("3.1");
  const schemas = (document["components"] as { schemas: Record<string, unknown> }).schemas;
  for (const [, name = ""] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    expect(schemas).toHaveProperty(name);
  }
  expect(JSON.stringify(document)).not.toContain("$defs");
});

test("operations have names of their own, and each method on a path is one operation", () => {
  const ids = ROUTES.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const shapes = ROUTES.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, "{}")}`);
  expect(new Set(shapes).size).toBe(shapes.length);
});

test("every operation names an action, but the few that anybody may call", () => {
  const open = ROUTES.filter(({ action }) => action === null);
  expect(open.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
    "GET /errors",
    "GET /openapi.json",
    "POST /device/code",
    "POST /device/token",
  ]);
  for (const { action } of ROUTES) if (action !== null) expect(ACTIONS).toHaveProperty([action]);
});

test("the parameters of a path are the ones that its schema names; a body has an example that passes", () => {
  for (const route of ROUTES) {
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const described = (document["paths"] as Record<string, Record<string, { parameters: object[] }>>)[
      route.path
    ]?.[route.method.toLowerCase()]?.parameters as { name: string; in: string }[];
    const inPath = described.filter((parameter) => parameter.in === "path").map(({ name }) => name);
    expect(inPath, route.id).toEqual(named);
    if (route.body !== null) {
      expect(route.body.safeParse(route.example).error?.issues ?? [], route.id).toEqual([]);
    }
  }
});
