import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { IntegrationSnapshot } from "@relaykey/core/integration";
import { destroyRetiredSecrets } from "@relaykey/db/queries/vendor-keys";
import { integrationSecrets, integrations } from "@relaykey/db/schema/integrations";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { changeIntegration } from "../../service/integrations.ts";
import { createWorld, openVendorKey } from "./world.ts";
import type { Client, World } from "./world.ts";

const DAY_MS = 86_400_000;

let world: World;
let client: Client;
let organizationId: string;
let integrationId: string;
let keyId: string;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  world.keyControl.failing = null;
  world.keyControl.verdict = "accepted";
  world.keyControl.probed.length = 0;
  ({ client, id: organizationId } = await world.organization());
  const created = await client("POST", "/integrations", { slug: "openai", secret: "sk-one" });
  integrationId = (created.body["integration"] as { id: string }).id;
  await client("POST", "/holders", { name: "ci", kind: "service" });
  const key = await client("POST", "/keys", { holder: "ci", integration: "openai", allow: ["GET /v1"] });
  keyId = (key.body["key"] as { id: string }).id;
});

const rotate = (secret: string, more: object = {}) =>
  client("POST", "/integrations/openai/rotate", { secret, ...more });
const rollBack = () => client("POST", "/integrations/openai/rollback", {});

/** The vendor key that the data plane would use for the key now. */
async function inForce(): Promise<string> {
  return opened(world.keyControl.latest(keyId)?.integration);
}

async function opened(integration: IntegrationSnapshot | undefined): Promise<string> {
  return integration === undefined ? "" : openVendorKey(world, organizationId, integration);
}

async function versions(): Promise<unknown> {
  return (await client("GET", "/integrations/openai/versions")).body["data"];
}

describe("rotating", () => {
  test("puts the new vendor key in force for every key; the former one can be restored, and that undone", async () => {
    const rotated = await rotate("sk-two");
    expect(rotated).toMatchObject({
      status: 200,
      body: { integration: { secret_version: 2 }, enforcement: { state: "enforced", keys: 1 } },
    });
    expect(rotated.text).not.toContain("sk-two");
    expect(await inForce()).toBe("sk-two");
    expect(await rollBack()).toMatchObject({ status: 200, body: { integration: { secret_version: 1 } } });
    expect(await inForce()).toBe("sk-one");
    expect(await rollBack()).toMatchObject({ body: { integration: { secret_version: 2 } } });
    expect(await inForce()).toBe("sk-two");
    const events = await world.db
      .select()
      .from(adminAuditEvents)
      .where(eq(adminAuditEvents.subjectId, integrationId));
    expect(events.map(({ action }) => action).sort()).toEqual([
      "integration.created",
      "integration.rolled_back",
      "integration.rolled_back",
      "integration.rotated",
    ]);
  });

  test("and taking it back are changes of the integration: what was worked out before them is refused", async () => {
    const admin = await world.person(organizationId, "admin");
    const revision = async () => {
      const [row] = await world.db.select().from(integrations).where(eq(integrations.id, integrationId));
      return row?.revision ?? null;
    };
    for (const change of [() => rotate("sk-two"), rollBack]) {
      const etag = (await client("GET", "/integrations/openai")).headers.get("ETag") ?? "";
      const read = await revision();
      expect((await change()).status).toBe(200);
      const stale = await client("PATCH", "/integrations/openai", { name: "x" }, { "If-Match": etag });
      expect(stale).toMatchObject({ status: 412, body: { code: "precondition_failed" } });
      // Also when the rotation comes between the look at the ETag and the write.
      expect(await changeIntegration(world.deps, admin, "openai", { name: "x" }, read)).toMatchObject({
        ok: false,
        failure: { code: "precondition_failed" },
      });
    }
    expect((await client("GET", "/integrations/openai")).body).toMatchObject({
      integration: { name: "OpenAI" },
    });
  });

  test("one step only: what was replaced before the last one is destroyed, and its number is not used again", async () => {
    await rotate("sk-two");
    await rotate("sk-three");
    expect(await versions()).toMatchObject([
      { version: 1, destroyed: true, restorable_until: null, in_force: false },
      { version: 2, destroyed: false, in_force: false },
      { version: 3, destroyed: false, restorable_until: null, in_force: true },
    ]);
    await rollBack();
    expect(await inForce()).toBe("sk-two");
    await rotate("sk-four");
    expect((await client("GET", "/integrations/openai")).body).toMatchObject({
      integration: { secret_version: 4 },
    });
    const stored = await world.db
      .select()
      .from(integrationSecrets)
      .where(eq(integrationSecrets.integrationId, integrationId));
    const kept = stored.filter(({ envelope }) => envelope !== "").map(({ version }) => version);
    expect(kept.sort()).toEqual([2, 4]);
    await rollBack();
    expect(await inForce()).toBe("sk-two");
  });

  test("after the window the former vendor key is destroyed", async () => {
    await rotate("sk-two", { restorable_for: "1d" });
    world.advance(DAY_MS + 1);
    expect(await rollBack()).toMatchObject({ status: 409, body: { code: "nothing_to_restore" } });
    expect(await destroyRetiredSecrets(world.db, new Date(world.deps.now()))).toBe(1);
    expect(await versions()).toMatchObject([
      { version: 1, destroyed: true },
      { version: 2, destroyed: false },
    ]);
    expect(await inForce()).toBe("sk-two");
  });

  test("without a window it is destroyed at once", async () => {
    await rotate("sk-two", { restorable_for: "0s" });
    expect(await versions()).toMatchObject([{ destroyed: true }, { destroyed: false }]);
    expect((await rollBack()).status).toBe(409);
  });

  test("rotations and roll backs at the same time leave one key in force, that can be opened", async () => {
    await rotate("sk-two");
    await Promise.all([rotate("sk-a"), rollBack(), rotate("sk-b"), rollBack(), rotate("sk-c")]);
    await client("POST", "/organization/enforce");
    const shown = (await versions()) as { version: number; in_force: boolean; destroyed: boolean }[];
    expect(shown.filter(({ in_force }) => in_force)).toMatchObject([{ destroyed: false }]);
    expect(shown.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(2);
    expect(await inForce()).toMatch(/^sk-/);
  });

  test("a key that the vendor refuses changes nothing, if that is asked for", async () => {
    world.keyControl.verdict = "refused";
    expect(await rotate("sk-typo", { test: true })).toMatchObject({
      status: 422,
      body: { code: "vendor_refuses" },
    });
    expect(await versions()).toHaveLength(1);
    const [order] = world.keyControl.probed;
    expect(await opened(order?.integration)).toBe("sk-typo");
    world.keyControl.verdict = "unreachable";
    expect((await rotate("sk-right", { test: true })).status).toBe(200);
  });
});

describe("trying a vendor key", () => {
  test("the one in force: the verdict is shown and kept as the integration's health", async () => {
    world.keyControl.verdict = "refused";
    const tried = await client("POST", "/integrations/openai/test", {});
    expect(tried).toMatchObject({
      status: 200,
      body: { result: { verdict: "refused", status_class: 2, latency_ms: 12 } },
    });
    expect(world.keyControl.probed).toMatchObject([
      { catalogue: "openai", organizationId, integration: { slug: "openai", secret: { version: 1 } } },
    ]);
    expect((await client("GET", "/integrations/openai")).body).toMatchObject({
      integration: { health: "failing" },
    });
    world.keyControl.verdict = "timeout";
    await client("POST", "/integrations/openai/test", {});
    expect((await client("GET", "/integrations/openai")).body).toMatchObject({
      integration: { health: "failing" },
    });
    world.keyControl.verdict = "accepted";
    await client("POST", "/integrations/openai/test", {});
    expect((await client("GET", "/integrations/openai")).body).toMatchObject({
      integration: { health: "ok" },
    });
  });

  test("one that is not stored, for an integration or for none yet, leaves nothing behind", async () => {
    await client("POST", "/integrations/openai/test", { secret: "sk-new" });
    const fresh = {
      slug: "chat",
      catalogue: "anthropic",
      secret: "sk-ant",
      upstream: "https://eu.example.com",
    };
    const tried = await client("POST", "/integrations/test", fresh);
    expect(tried).toMatchObject({ status: 200, body: { result: { verdict: "accepted" } } });
    const [first, second] = world.keyControl.probed;
    expect(await opened(first?.integration)).toBe("sk-new");
    expect(await opened(second?.integration)).toBe("sk-ant");
    expect(second).toMatchObject({
      catalogue: "anthropic",
      integration: { upstream: { origin: "https://eu.example.com" }, secret: { version: 1 } },
    });
    expect(await versions()).toHaveLength(1);
    expect((await client("GET", "/integrations")).body["data"]).toHaveLength(1);
    expect(JSON.stringify(world.logged)).not.toMatch(/sk-new|sk-ant/);
  });

  test("an upstream that vendor keys may not be sent to is refused before anything is sealed", async () => {
    const wrong = { slug: "x", credential: { kind: "bearer" }, secret: "sk", upstream: "https://10.0.0.1" };
    expect(await client("POST", "/integrations/test", wrong)).toMatchObject({
      status: 400,
      body: { errors: [{ field: "upstream" }] },
    });
    expect(world.keyControl.probed).toEqual([]);
  });
});
