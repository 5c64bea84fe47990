import { afterAll, beforeAll, expect, test } from "vitest";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

let world: World;
let admin: Client;

beforeAll(async () => {
  world = await createWorld();
  ({ client: admin } = await world.organization());
  await admin("POST", "/integrations", { slug: "openai", secret: "sk-1" });
  await admin("POST", "/holders", { name: "ci", kind: "service" });
}, 120_000);

afterAll(() => world.close());

const KEY = { holder: "ci", integration: "openai", allow: ["GET /v1/models"] };

test.each([
  ["deep lists", `{"name":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "body"],
  ["deep objects", `${'{"name":'.repeat(20_000)}1${"}".repeat(20_000)}`, "body"],
])("%s are an error of the caller, not of ours", async (_, text, field) => {
  const answer = await admin("POST", "/holders", text);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text)).toMatchObject({ code: "invalid_request", errors: [{ field }] });
});

test.each([
  ["/keys", { ...KEY, expires_in: "9999999d" }, "expires_in"],
  ["/keys", { ...KEY, expires_at: "9999-12-31T23:59:59-14:00" }, "expires_at"],
  ["/tokens", { name: "t", expires_in: "9999999d" }, "expires_in"],
])("POST %s refuses times that the database cannot hold", async (path, body, field) => {
  const answer = await admin("POST", path, body);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text)).toMatchObject({ code: "invalid_request", errors: [{ field }] });
});

test.each(["/audit-events", "/audit-events/export", "/audit-events/proof", "/admin-events"])(
  "GET %s refuses years before 1 and after 9999",
  async (path) => {
    for (const from of ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00%2B14:00"]) {
      const answer = await admin("GET", `${path}?from=${from}`);
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text)).toMatchObject({ errors: [{ field: "from" }] });
    }
  },
);

test("a path that ends in a slash is no path, whatever the method", async () => {
  for (const method of ["GET", "PATCH", "PUT"] as const) {
    const answer = await admin(method, "/holders/", method === "GET" ? undefined : {});
    expect(JSON.parse(answer.text)).toMatchObject({ status: 404, code: "route_unknown" });
  }
});

test.each(["/holders/%00", "/integrations/a%00b", "/integrations/%00/versions", "/holders/%00/networks"])(
  "GET %s names nothing",
  async (path) => {
    expect(await admin("GET", path)).toMatchObject({ status: 404, body: { code: "not_found" } });
  },
);
