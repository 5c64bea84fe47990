import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { lowestIdAt } from "@relaykey/core/ids";
import { formatRule } from "@relaykey/core/scope";
import { insertAuditEvents } from "@relaykey/db/queries/audit";
import { systemCaller } from "../../service/caller.ts";
import { SPARK_DAYS, countKeysBy, showFirstSteps, weekOfUse } from "../../service/inventory.ts";
import { proposeTightening } from "../../service/tightening.ts";
import { createWorld } from "./world.ts";
import type { World } from "./world.ts";

const DAY_MS = 86_400_000;
let world: World;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

interface Made {
  readonly organizationId: string;
  readonly keyId: string;
}

async function madeKey(allow: string[], more: object = {}): Promise<Made> {
  const { id, client } = await world.organization();
  await client("POST", "/integrations", { slug: "openai", secret: "sk-vendor" });
  await client("POST", "/holders", { name: "ci", kind: "service" });
  const { body } = await client("POST", "/keys", { holder: "ci", integration: "openai", allow, ...more });
  return { organizationId: id, keyId: (body as { key: { id: string } }).key.id };
}

let made = 0;

/** Events of a key, `age` days ago. */
async function happened(key: Made, age: number, requests: readonly string[], more: Partial<AuditEvent> = {}) {
  const at = world.deps.now() - age * DAY_MS;
  await insertAuditEvents(
    world.db,
    requests.map((request): AuditEvent => {
      const [method = "", path = ""] = request.split(" ");
      made += 1;
      return {
        v: 1,
        requestId: lowestIdAt(at).slice(0, -12) + made.toString(16).padStart(12, "0"),
        at,
        organizationId: key.organizationId,
        integrationId: null,
        integrationSlug: "openai",
        keyId: key.keyId,
        holderId: null,
        method,
        path,
        query: null,
        decision: "allowed",
        reason: null,
        outcome: "completed",
        status: 200,
        upstreamStatus: 200,
        ip: "127.0.0.1",
        userAgent: null,
        durationMs: 1,
        bytesIn: 0,
        bytesOut: 0,
        retentionDays: 30,
        droppedHeaders: [],
        ...more,
      };
    }),
  );
}

function value<T>(outcome: { ok: true; value: T } | { ok: false; failure: unknown }): T {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.failure));
  return outcome.value;
}

describe("tightening", () => {
  test("leaves what was used of late, and says what of the whole log it would have refused", async () => {
    const key = await madeKey(["* /v1/**"]);
    await happened(key, 1, ["POST /v1/chat/completions", "GET /v1/files/file_8sK2lQ0xZ1"]);
    await happened(key, 20, ["DELETE /v1/files/file_8sK2lQ0xZ1"]);
    await happened(key, 1, ["GET /v1/secret"], { decision: "blocked", reason: "scope_path", status: 403 });
    const caller = systemCaller(key.organizationId);
    const week = value(await proposeTightening(world.deps, caller, key.keyId, 7));
    expect(week.scope.rules.map(formatRule)).toEqual(["GET /v1/files/*", "POST /v1/chat/completions"].sort());
    expect(week).toMatchObject({ requests: 2, replayDays: 365, replay: { allowed: 2, refused: 1 } });
    const month = value(await proposeTightening(world.deps, caller, key.keyId, 30));
    expect(month.scope.rules.map(formatRule)).toContain("DELETE,GET /v1/files/*");
    expect(month.replay.refused).toBe(0);
  });

  test("another organization's key is not there", async () => {
    const key = await madeKey(["GET /a"]);
    const { id } = await world.organization();
    const proposal = await proposeTightening(world.deps, systemCaller(id), key.keyId, 7);
    expect(proposal).toMatchObject({ ok: false, failure: { code: "not_found" } });
  });
});

test("a week of use, day by day, of one organization only", async () => {
  const key = await madeKey(["GET /a"]);
  const silent = await madeKey(["GET /a"]);
  await happened(key, 0, ["GET /a", "GET /a"]);
  await happened(key, 2, ["GET /a"]);
  await happened(key, 9, ["GET /a"]);
  const caller = systemCaller(key.organizationId);
  const use = value(await weekOfUse(world.deps, caller, [key.keyId, silent.keyId]));
  expect(use.get(key.keyId)).toEqual([0, 0, 0, 0, 1, 0, 2]);
  expect(use.get(key.keyId)).toHaveLength(SPARK_DAYS);
  expect(use.has(silent.keyId)).toBe(false);
  const foreign = value(await weekOfUse(world.deps, systemCaller(silent.organizationId), [key.keyId]));
  expect(foreign.size).toBe(0);
});

test("keys are counted by what they belong to", async () => {
  const key = await madeKey(["GET /a"], { expires_in: "1h" });
  const caller = systemCaller(key.organizationId);
  const counted = value(await countKeysBy(world.deps, caller, "integration"));
  expect([...counted.values()]).toEqual([{ live: 1, all: 1 }]);
  world.advance(2 * 3_600_000);
  const later = value(await countKeysBy(world.deps, caller, "holder"));
  expect([...later.values()]).toEqual([{ live: 0, all: 1 }]);
  world.advance(-2 * 3_600_000);
});

test("the first steps tick themselves", async () => {
  const { id } = await world.organization();
  const none = value(await showFirstSteps(world.deps, systemCaller(id)));
  expect(none).toEqual({ domain: null, integration: null, isTested: false, key: null, request: null });
  const key = await madeKey(["GET /a"]);
  const caller = systemCaller(key.organizationId);
  expect(value(await showFirstSteps(world.deps, caller))).toMatchObject({
    integration: { slug: "openai" },
    key: { id: key.keyId },
    request: null,
  });
  await happened(key, 0, ["GET /a"]);
  expect(value(await showFirstSteps(world.deps, caller)).request).toMatchObject({ keyId: key.keyId });
});
