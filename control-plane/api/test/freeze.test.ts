import { randomBytes } from "node:crypto";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { insertAuditEvents } from "@relaykey/db/queries/audit";
import { relayKeys, scopeRules } from "@relaykey/db/schema/keys";
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
  world.keyControl.failing = null;
  ({ client, id: organizationId } = await world.organization());
  await client("POST", "/integrations", { slug: "openai", secret: "sk-vendor" });
});

async function createKey(holder: string): Promise<string> {
  await client("POST", "/holders", { name: holder, kind: "service" });
  const answer = await client("POST", "/keys", { holder, integration: "openai", allow: ["GET /v1/models"] });
  expect(answer.status).toBe(201);
  return (answer.body["key"] as { id: string }).id;
}

/** Keys like this one, as many calls of the API would have made them. */
async function copies(keyId: string, count: number): Promise<string[]> {
  const { db } = world.deps;
  const [key] = await db.select().from(relayKeys).where(eq(relayKeys.id, keyId));
  const rules = await db.select().from(scopeRules).where(eq(scopeRules.keyId, keyId));
  if (key === undefined) throw new Error("The key is not there.");
  const made = Array.from({ length: count }, () => ({
    ...key,
    id: newId(),
    tokenHash: randomBytes(32).toString("hex"),
  }));
  await db.insert(relayKeys).values(made);
  await db.insert(scopeRules).values(made.flatMap(({ id }) => rules.map((rule) => ({ ...rule, keyId: id }))));
  return made.map(({ id }) => id);
}

test("freezing the organization freezes every key that is not revoked; unfreezing ends that", async () => {
  const [one, two, revoked] = [await createKey("a"), await createKey("b"), await createKey("c")];
  await client("POST", `/keys/${revoked}/revoke`);
  const frozen = await client("POST", "/organization/freeze");
  expect(frozen.body).toMatchObject({
    organization: { frozen: true },
    enforcement: { state: "enforced", keys: 2, pending: 0 },
  });
  for (const key of [one, two]) expect(world.keyControl.latest(key)?.state).toBe("frozen");
  const later = await createKey("d");
  expect(world.keyControl.latest(later)?.state).toBe("frozen");

  await client("POST", "/organization/unfreeze");
  for (const key of [one, two, later]) expect(world.keyControl.latest(key)?.state).toBe("active");
});

test("a holder that was frozen before the organization stays frozen after it", async () => {
  const key = await createKey("a");
  await client("PATCH", "/holders/a", { frozen: true });
  await client("POST", "/organization/freeze");
  await client("POST", "/organization/unfreeze");
  expect(world.keyControl.latest(key)?.state).toBe("frozen");
});

test("more keys than one run takes: each call goes on and tells how far it is; a crash in between loses none", async () => {
  const first = await createKey("a");
  const keys = [first, ...(await copies(first, 449))];
  const frozen = await client("POST", "/organization/freeze");
  expect(frozen.status).toBe(202);
  expect(frozen.body["enforcement"]).toEqual({ state: "pending", keys: 450, pending: 250 });
  // The data plane goes away in the middle: nothing is done, nothing is lost.
  world.keyControl.failing = () => true;
  const away = await client("POST", "/organization/enforce");
  expect(away.body["enforcement"]).toEqual({ state: "pending", keys: 250, pending: 250 });
  world.keyControl.failing = null;
  const second = await client("POST", "/organization/enforce");
  expect(second.body["enforcement"]).toEqual({ state: "pending", keys: 250, pending: 50 });
  const third = await client("POST", "/organization/enforce");
  expect(third.status).toBe(200);
  expect(third.body["enforcement"]).toEqual({ state: "enforced", keys: 50, pending: 0 });
  for (const key of keys) expect(world.keyControl.latest(key)?.state).toBe("frozen");
}, 120_000);

test("another organization is not touched", async () => {
  const other = await world.organization();
  await client("POST", "/organization/freeze");
  const shown = await other.client("GET", "/organization");
  expect(shown.body["organization"]).toMatchObject({ frozen: false });
});

test("what the data plane has of a key is shown to its organization only; its silence is told", async () => {
  const key = await createKey("a");
  const shown = await client("GET", `/keys/${key}/enforcement`);
  expect(shown.body).toMatchObject({ inspection: { version: 1, state: "active", holder_freezes: 0 } });
  const other = await world.organization();
  expect((await other.client("GET", `/keys/${key}/enforcement`)).status).toBe(404);
  const inspect = world.keyControl.inspect.bind(world.keyControl);
  world.keyControl.inspect = () => Promise.reject(new Error("away"));
  const away = await client("GET", `/keys/${key}/enforcement`);
  world.keyControl.inspect = inspect;
  expect(away.status).toBe(503);
  expect(away.body).toMatchObject({ code: "data_plane_away" });
});

test("limits of a holder reach the policy of each of its keys, one by one", async () => {
  const key = await createKey("a");
  await client("PATCH", "/holders/a", { limits: { rate: "5/s", concurrency: 2 } });
  const changed = await client("PATCH", "/holders/a", { limits: { rate: null } });
  expect(changed.body["holder"]).toMatchObject({
    limits: { rate: null, uses: null, concurrency: 2, max_body_bytes: null },
  });
  expect(world.keyControl.latest(key)?.holder.limits).toMatchObject({ rate: null, concurrency: 2 });
});

test("a receipt says when a revocation was enforced, the last request before it, and the streams it cut", async () => {
  const key = await createKey("a");
  const base = Date.now() - 60_000;
  const revoked = await client("POST", `/keys/${key}/revoke`);
  expect(revoked.status).toBe(200);
  expect(revoked.body["receipt"]).toMatchObject({ version: 2, last_admitted_at: null, streams_cut: 0 });
  const event = (at: number, more: object) => ({
    v: 1 as const,
    requestId: newId(),
    at,
    organizationId,
    integrationId: null,
    integrationSlug: "openai",
    keyId: key,
    holderId: null,
    method: "GET",
    path: "/v1/models",
    query: null,
    decision: "allowed" as const,
    reason: null,
    outcome: "completed" as const,
    status: 200,
    upstreamStatus: 200,
    ip: null,
    userAgent: null,
    durationMs: 5,
    bytesIn: 0,
    bytesOut: 0,
    retentionDays: 7,
    droppedHeaders: [],
    ...more,
  });
  const duration = Date.now() - base;
  await insertAuditEvents(world.db, [
    event(base, { outcome: "cut", reason: "token_revoked", durationMs: duration }),
    event(base + 1_000, {}),
    event(base + 2_000, { decision: "blocked", reason: "scope_path" }),
    event(base + 500, { outcome: "cut", durationMs: 10 }),
  ]);
  const receipts = await client("GET", `/keys/${key}/receipts`);
  const [newest, first] = receipts.body["data"] as Record<string, unknown>[];
  expect(newest).toMatchObject({
    version: 2,
    last_admitted_at: new Date(base + 1_000).toISOString(),
    streams_cut: 1,
  });
  expect(first).toMatchObject({ version: 1 });
  const other = await world.organization();
  expect((await other.client("GET", `/keys/${key}/receipts`)).status).toBe(404);
});
