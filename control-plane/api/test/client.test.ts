import createClient from "openapi-fetch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWorld } from "./world.ts";
import type { World } from "./world.ts";
import type { paths } from "./openapi.d.ts";

let world: World;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

test("a client that is generated from the document gets a key from nothing, and revokes it", async () => {
  const { token } = await world.organization();
  const client = createClient<paths>({
    baseUrl: "http://localhost/api/v1",
    headers: { Authorization: `Bearer ${token}` },
    fetch: async (request) => world.api.fetch(request, { requestId: "r", ip: "192.0.2.1" }),
  });
  await client.POST("/integrations", { body: { slug: "openai", secret: "sk-1" } });
  await client.POST("/holders", { body: { name: "ci", kind: "service" } });
  const created = await client.POST("/keys", {
    params: { header: { "Idempotency-Key": "first" } },
    body: { holder: "ci", integration: "openai", allow: ["GET /v1/models"], expires_in: "1h" },
  });
  expect(created.response.status).toBe(201);
  const key = created.data?.key.id ?? "";
  expect(created.data?.token).toMatch(/^rk_proxy_/);
  const listed = await client.GET("/keys", { params: { query: { holder: "ci" } } });
  expect(listed.data?.data.map(({ id }) => id)).toEqual([key]);
  const revoked = await client.POST("/keys/{key}/revoke", { params: { path: { key } } });
  expect(revoked.data?.key.state).toBe("revoked");
  const wrong = await client.PATCH("/keys/{key}", { params: { path: { key } }, body: { name: "late" } });
  expect(wrong.error?.code).toBe("key_revoked");
});
