import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

let world: World;
let client: Client;
let organizationId: string;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  ({ client, id: organizationId } = await world.organization("bootstrap"));
  await client("POST", "/integrations", { slug: "openai", secret: "sk-vendor" });
  await client("POST", "/holders", { name: "ci", kind: "service" });
});

const createKey = () =>
  client("POST", "/keys", { holder: "ci", integration: "openai", allow: ["GET /v1/models"] });

test("of creates at the same time exactly as many succeed as the plan allows; a revocation makes room", async () => {
  await client("PUT", "/plan", { plan: "free" });
  const answers = await Promise.all(Array.from({ length: 16 }, createKey));
  const made = answers.filter(({ status }) => status === 201);
  expect(made).toHaveLength(10);
  const refused = answers.find(({ status }) => status !== 201);
  expect(refused).toMatchObject({ status: 403, body: { code: "plan_limit" } });
  expect(refused?.text).toContain("Builder, which allows 100");
  const key = (made[0]?.body["key"] as { id: string }).id;
  // An overlap would be one key more; taking over at once is none.
  expect(await client("POST", `/keys/${key}/reroll`, { overlap: "1h" })).toMatchObject({
    status: 403,
    body: { code: "plan_limit" },
  });
  await client("POST", `/keys/${key}/revoke`);
  expect((await createKey()).status).toBe(201);
  expect((await createKey()).status).toBe(403);
});

test("integrations and webhook endpoints are counted too, and nothing of a refused create is left", async () => {
  await client("PUT", "/plan", { plan: "free" });
  for (const slug of ["b", "c"]) {
    const made = await client("POST", "/integrations", {
      slug,
      name: slug,
      upstream: "https://api.example.com",
      credential: { kind: "bearer" },
      secret: "sk",
    });
    expect(made.status).toBe(201);
  }
  expect(await client("POST", "/integrations", { slug: "stripe", secret: "sk" })).toMatchObject({
    status: 403,
  });
  const url = "https://hooks.example.com/a";
  expect((await client("POST", "/webhooks", { url })).status).toBe(201);
  expect((await client("POST", "/webhooks", { url })).status).toBe(403);
  const events = await world.db
    .select()
    .from(adminAuditEvents)
    .where(
      and(
        eq(adminAuditEvents.organizationId, organizationId),
        eq(adminAuditEvents.action, "integration.created"),
      ),
    );
  expect(events).toHaveLength(3);
  expect((await client("GET", "/plan")).body["plan"]).toMatchObject({
    usage: { integrations: 3, webhook_endpoints: 1 },
    limits: { integrations: 3, webhook_endpoints: 1 },
  });
});

test("a change of plan reaches the policy of every key, is an admin event once, and takes nothing away", async () => {
  const keys = await Promise.all(Array.from({ length: 12 }, createKey));
  const [first] = keys.map(({ body }) => (body["key"] as { id: string }).id);
  expect(world.keyControl.latest(first ?? "")?.auditRetentionDays).toBe(365);
  const changed = await client("PUT", "/plan", { plan: "free" });
  expect(changed.body).toMatchObject({
    plan: { plan: "free", audit_retention_days: 7, usage: { keys: 12 } },
    enforcement: { state: "enforced", keys: 12 },
  });
  expect(world.keyControl.latest(first ?? "")?.auditRetentionDays).toBe(7);
  const again = await client("PUT", "/plan", { plan: "free" });
  expect(again.body).toMatchObject({ enforcement: { keys: 0 } });
  const events = await world.db
    .select()
    .from(adminAuditEvents)
    .where(
      and(eq(adminAuditEvents.organizationId, organizationId), eq(adminAuditEvents.action, "plan.changed")),
    );
  expect(events).toMatchObject([{ before: { plan: "business" }, after: { plan: "free" } }]);
});

test("only the operator sets a plan", async () => {
  const other = await world.organization();
  expect(await other.client("PUT", "/plan", { plan: "business" })).toMatchObject({ status: 403 });
  expect((await other.client("GET", "/plan")).status).toBe(200);
});
