import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { recordNotice } from "@relaykey/db/queries/notices";
import { claimDeliveries } from "@relaykey/db/queries/webhook-attempts";
import { alerts } from "@relaykey/db/schema/notices";
import { organizations } from "@relaykey/db/schema/organizations";
import { openPostgres } from "../../../local/sql/postgres.ts";
import { startPostgres } from "../../../local/sql/test-postgres.ts";
import { alertThrottle } from "../../service/notices/alert-rules.ts";
import { createWorld } from "./world.ts";
import type { Answer, Client, World } from "./world.ts";

const postgres = await startPostgres();
if (postgres === null)
  console.warn("PostgreSQL's server is not installed here: what happens at the same time was not tested.");

/** PGlite does one thing at a time: only a real server shows what truly happens at once. */
describe.runIf(postgres !== null)("at the same time, on PostgreSQL", () => {
  let world: World;
  let client: Client;

  beforeAll(async () => {
    world = await createWorld(() => Promise.resolve(openPostgres(postgres?.url ?? "")));
  }, 120_000);

  afterAll(async () => {
    await world.close();
    postgres?.stop();
  });

  beforeEach(async () => {
    ({ client } = await world.organization());
    await client("POST", "/integrations", { slug: "openai", secret: "sk-1" });
    await client("POST", "/holders", { name: "ci", kind: "service" });
  });

  const KEY = { holder: "ci", integration: "openai", allow: ["GET /v1/models"], expires_in: "10m" };
  const together = (count: number, call: () => Promise<Answer>) =>
    Promise.all(Array.from({ length: count }, call));

  test("a provisioner that mints at once never has more alive than it may", async () => {
    const made = await client("POST", "/tokens", {
      name: "p",
      kind: "provisioner",
      bounds: { integrations: ["openai"], allow: ["GET /v1/**"], max_ttl: "1h", max_alive: 5 },
    });
    const provisioner = world.caller(`Bearer ${String(made.body["token"])}`);
    const answers = await together(24, () => provisioner("POST", "/keys", KEY));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
    expect((await client("GET", "/keys?limit=200")).body["data"]).toHaveLength(5);
  });

  test.each([
    ["/holders/ci", { limits: { concurrency: 2 } }],
    ["/integrations/openai", { timeout_ms: 5_000 }],
    ["/organization", { confirmation: { trust_days: 30 } }],
  ])("of changes to %s that were worked out from one state, one is made", async (path, change) => {
    const etag = (await client("GET", path)).headers.get("ETag") ?? "";
    const answers = await together(10, () => client("PATCH", path, change, { "If-Match": etag }));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(9);
  });

  test("of changes to a key that were worked out from one policy, one is made", async () => {
    const made = await client("POST", "/keys", KEY);
    const path = `/keys/${(made.body["key"] as { id: string }).id}`;
    const etag = (await client("GET", path)).headers.get("ETag") ?? "";
    const answers = await together(10, () => client("PATCH", path, { name: "x" }, { "If-Match": etag }));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(9);
  });

  test("creates never exceed what the plan allows", async () => {
    const { client: operator, id } = await world.organization();
    await operator("POST", "/integrations", { slug: "openai", secret: "sk-1" });
    await operator("POST", "/holders", { name: "ci", kind: "service" });
    await world.db.update(organizations).set({ plan: "free" }).where(eq(organizations.id, id));
    const answers = await together(24, () => operator("POST", "/keys", KEY));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 403]));
  });

  test("a report that many consumers get at once is one notice with one alert, and each delivery is claimed once", async () => {
    const { client: admin, id: organizationId } = await world.organization();
    await admin("POST", "/webhooks", { url: "https://hooks.example.com/a" });
    const report = (dedupeKey: string) => ({
      type: "holder.confirmation_storm" as const,
      dedupeKey,
      organizationId,
      keyId: null,
      holderId: organizationId,
      integrationId: null,
      at: Date.now(),
      data: {},
    });
    const record = (dedupeKey: string) =>
      recordNotice(world.db, report(dedupeKey), alertThrottle(report(dedupeKey)), new Date());
    const names = ["a", "b", "c", "d"];
    const written = await Promise.all(
      Array.from({ length: 6 }, () => names)
        .flat()
        .map(record),
    );
    expect(written.filter((id) => id !== null)).toHaveLength(names.length);
    const open = await world.db.select().from(alerts).where(eq(alerts.organizationId, organizationId));
    expect(open).toHaveLength(1);
    const claim = { now: new Date(Date.now() + 1_000), leaseMs: 60_000, limit: 50, perEndpoint: 50 };
    const claimed = (
      await Promise.all(Array.from({ length: 8 }, () => claimDeliveries(world.db, claim)))
    ).flat();
    const ours = claimed.filter(({ notice }) => notice.organizationId === organizationId);
    expect(ours).toHaveLength(names.length);
    expect(new Set(ours.map(({ delivery }) => delivery.id)).size).toBe(names.length);
  });
});
