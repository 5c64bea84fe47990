import { asc, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { hashToken, parseToken } from "@relaykey/core/token";
import { insertAuditEvents } from "@relaykey/db/queries/audit";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { noteHolderFreeze } from "../../service/key-lifecycle.ts";
import { createWorld } from "./world.ts";
import type { Answer, Client, World } from "./world.ts";

let world: World;
let client: Client;
let organizationId: string;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  world.keyControl.failing = null;
  world.keyControl.holderFreezes = 0;
  ({ client, id: organizationId } = await world.organization());
  await client("POST", "/integrations", { slug: "openai", secret: "sk-vendor" });
  await client("POST", "/holders", { name: "ci", kind: "service" });
});

interface ShownKey {
  readonly id: string;
  readonly state: string;
  readonly expires_at: string | null;
}

const keyOf = (answer: Answer): ShownKey => answer.body["key"] as ShownKey;

async function issue(more: object = {}): Promise<ShownKey> {
  const created = await client("POST", "/keys", {
    holder: "ci",
    integration: "openai",
    allow: ["POST /v1/chat/completions", "GET /v1/{name}"],
    bindings: { name: "models" },
    ip: { mode: "allowlist", cidrs: ["10.0.0.0/8"] },
    limits: { rate: "5/minute", uses: 9 },
    ...more,
  });
  expect(created.status, created.text).toBe(201);
  return keyOf(created);
}

async function events(subjectId: string): Promise<string[]> {
  const rows = await world.db
    .select()
    .from(adminAuditEvents)
    .where(eq(adminAuditEvents.subjectId, subjectId))
    .orderBy(asc(adminAuditEvents.id));
  return rows.map(({ action }) => action);
}

describe("rerolling a key", () => {
  test("makes a new token for the same policy; the former key ends after the overlap, in force at once", async () => {
    const former = await issue({ expires_in: "30d" });
    const rerolled = await client("POST", `/keys/${former.id}/reroll`, { overlap: "2h" });
    expect(rerolled.status).toBe(201);
    const fresh = keyOf(rerolled);
    const token = parseToken(String(rerolled.body["token"]));
    expect(token?.kind).toBe("proxy");

    const before = world.keyControl.latest(former.id);
    const after = world.keyControl.latest(fresh.id);
    const end = before?.expiresAt ?? 0;
    expect(end - Date.now()).toBeGreaterThan(7_190_000);
    expect(end - Date.now()).toBeLessThanOrEqual(7_200_000);
    expect(before).toMatchObject({ version: 2, state: "active" });
    // Only what makes it another key differs.
    const { version: _1, keyId: _2, tokenHash: _3, display: _4, expiresAt: _5, ...policy } = before ?? {};
    expect(after).toMatchObject(policy);
    expect(after?.tokenHash).toBe(await hashToken(token?.text.reveal() ?? ""));
    expect(after?.expiresAt).toBe(Date.parse(former.expires_at ?? ""));
    expect(rerolled.body).toMatchObject({
      key: { replaces: former.id, policy: { state: "enforced" } },
      former: { key: { id: former.id, state: "active" }, enforcement: { state: "enforced", version: 2 } },
    });
    expect(await events(former.id)).toEqual(["key.created", "key.rerolled"]);
    expect(await events(fresh.id)).toEqual(["key.created"]);
    const shown = await client("GET", `/keys/${fresh.id}`);
    expect(shown.text).not.toContain(String(rerolled.body["token"]));
  });

  test("never makes the former key live longer", async () => {
    const former = await issue({ expires_in: "1h" });
    const rerolled = await client("POST", `/keys/${former.id}/reroll`, { overlap: "7d", expires_in: "90d" });
    expect(rerolled.body["former"]).toMatchObject({ key: { expires_at: former.expires_at } });
    expect(Date.parse(keyOf(rerolled).expires_at ?? "") - Date.now()).toBeGreaterThan(89 * 86_400_000);
  });

  test.each([
    ["without overlap", false],
    ["frozen", true],
  ])("%s: the former key is revoked", async (_, frozen) => {
    const former = await issue();
    if (frozen) await client("POST", `/keys/${former.id}/freeze`);
    const rerolled = await client("POST", `/keys/${former.id}/reroll`, { overlap: frozen ? "2h" : "0s" });
    expect(rerolled.status).toBe(201);
    expect(rerolled.body).toMatchObject({ key: { state: "active" }, former: { key: { state: "revoked" } } });
    expect(world.keyControl.revoked.map(({ ref }) => ref.keyId)).toContain(former.id);
    expect(await client("POST", `/keys/${former.id}/reroll`, {})).toMatchObject({ status: 409 });
  });

  test("of several at the same time none is lost, and only one key goes on", async () => {
    const former = await issue();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => client("POST", `/keys/${former.id}/reroll`, { overlap: "0s" })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    const active = await client("GET", "/keys?state=active");
    expect(active.body["data"]).toHaveLength(1);
  });

  test("is refused where the new key would be dead", async () => {
    const former = await issue({ expires_in: "1m" });
    world.advance(61_000);
    const dead = await client("POST", `/keys/${former.id}/reroll`, {});
    expect(dead).toMatchObject({ status: 400, body: { errors: [{ field: "expires_at" }] } });
    expect((await client("POST", `/keys/${former.id}/reroll`, { expires_in: "1d" })).status).toBe(201);
    for (const body of [{ overlap: "31d" }, { overlap: "soon" }, { expires_in: "1d", expires_at: null }]) {
      expect(await client("POST", `/keys/${former.id}/reroll`, body)).toMatchObject({ status: 400 });
    }
  });

  test("a former key that could not be reached is pending, and the answer says so", async () => {
    const former = await issue();
    world.keyControl.failing = (keyId) => keyId === former.id;
    const rerolled = await client("POST", `/keys/${former.id}/reroll`, { overlap: "1h" });
    expect(rerolled).toMatchObject({
      status: 202,
      body: { enforcement: { state: "enforced" }, former: { enforcement: { state: "pending" } } },
    });
  });
});

describe("freezing a key", () => {
  test("refuses it until an admin ends that, and is in force when it answers", async () => {
    const { id } = await issue();
    const frozen = await client("POST", `/keys/${id}/freeze`);
    expect(frozen).toMatchObject({
      status: 200,
      body: { key: { state: "frozen", frozen_by: "admin" }, enforcement: { state: "enforced", version: 2 } },
    });
    expect(world.keyControl.latest(id)).toMatchObject({ state: "frozen", version: 2 });
    expect((await client("POST", `/keys/${id}/freeze`)).body).toMatchObject({ enforcement: { version: 2 } });
    // A change of its policy does not thaw it.
    await client("PATCH", `/keys/${id}`, { name: "cold" });
    expect(world.keyControl.latest(id)).toMatchObject({ state: "frozen", version: 3 });
    const thawed = await client("POST", `/keys/${id}/unfreeze`);
    expect(thawed.body).toMatchObject({ key: { state: "active", frozen_by: null, frozen_at: null } });
    expect(world.keyControl.latest(id)).toMatchObject({ state: "active", version: 4 });
    expect(await events(id)).toEqual(["key.created", "key.frozen", "key.changed", "key.unfrozen"]);
    await client("POST", `/keys/${id}/revoke`);
    for (const verb of ["freeze", "unfreeze"]) {
      expect(await client("POST", `/keys/${id}/${verb}`)).toMatchObject({ body: { code: "key_revoked" } });
    }
  });

  test("by its holder is noted once, and lifted by an admin for the freezes there were", async () => {
    const { id } = await issue();
    const holder = (await client("GET", "/holders/ci")).body["holder"] as { id: string };
    const freeze = { organizationId, keyId: id, holderId: holder.id, at: new Date() };
    world.keyControl.holderFreezes = 1;
    expect(await noteHolderFreeze(world.deps, { ...freeze, freezes: 1 })).toBe(true);
    expect(await noteHolderFreeze(world.deps, { ...freeze, freezes: 1 })).toBe(false);
    expect((await client("GET", `/keys/${id}`)).body).toMatchObject({
      key: { state: "frozen", frozen_by: "holder" },
    });
    await client("POST", `/keys/${id}/unfreeze`);
    expect(world.keyControl.latest(id)).toMatchObject({ state: "active", freezesLifted: 1 });
    // The report of a freeze that was lifted may be late, and may come twice.
    expect(await noteHolderFreeze(world.deps, { ...freeze, freezes: 1 })).toBe(false);
    expect(await noteHolderFreeze(world.deps, { ...freeze, freezes: 2 })).toBe(true);
    expect((await client("GET", `/keys/${id}`)).body).toMatchObject({ key: { state: "frozen" } });
  });

  test("by its holder that no admin can have seen yet is shown, and not lifted with an admin's own", async () => {
    const { id } = await issue();
    await client("POST", `/keys/${id}/freeze`);
    // The holder said "this wasn't me"; the report of it is still on its way.
    world.keyControl.holderFreezes = 1;
    expect(await client("POST", `/keys/${id}/unfreeze`)).toMatchObject({
      status: 409,
      body: { code: "changed_meanwhile" },
    });
    expect((await client("GET", `/keys/${id}`)).body).toMatchObject({
      key: { state: "frozen", frozen_by: "holder" },
    });
    expect(world.keyControl.latest(id)).toMatchObject({ state: "frozen", freezesLifted: 0 });
    expect((await client("POST", `/keys/${id}/unfreeze`)).status).toBe(200);
    expect(world.keyControl.latest(id)).toMatchObject({ state: "active", freezesLifted: 1 });
  });

  test("is not lifted blindly: a data plane that cannot be asked leaves it", async () => {
    const { id } = await issue();
    await client("POST", `/keys/${id}/freeze`);
    world.keyControl.failing = () => true;
    expect(await client("POST", `/keys/${id}/unfreeze`)).toMatchObject({ status: 503 });
    expect((await client("GET", `/keys/${id}`)).body).toMatchObject({ key: { state: "frozen" } });
  });
});

describe("revoking many keys", () => {
  test("by ids: all of them, each with its event and its receipt; others stay", async () => {
    const [first, second, third] = [await issue(), await issue(), await issue()];
    await client("POST", `/keys/${second.id}/revoke`);
    const stranger = newId();
    const ids = [first.id, second.id, stranger];
    const rehearsal = await client("POST", "/keys/bulk-revoke", { ids, dry_run: true });
    expect(rehearsal.body).toMatchObject({ revoked: 1, keys: [] });
    const answer = await client("POST", "/keys/bulk-revoke", { ids });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        revoked: 1,
        enforcement: { state: "enforced", keys: 1, pending: 0 },
        keys: [{ key: { id: first.id, state: "revoked" }, receipt: { version: 2 } }],
      },
    });
    expect(await events(first.id)).toEqual(["key.created", "key.revoked"]);
    expect(await events(second.id)).toEqual(["key.created", "key.revoked"]);
    expect((await client("GET", `/keys/${third.id}`)).body).toMatchObject({ key: { state: "active" } });
  });

  test("by holder, integration and condition; what could not be reached is pending and goes on", async () => {
    await client("POST", "/holders", { name: "other", kind: "agent" });
    const old = await issue({ expires_in: "1h" });
    const lasting = await issue();
    const others = await issue({ holder: "other", expires_in: "1h" });
    const soon = new Date(Date.now() + 7_200_000).toISOString();
    const few = await client("POST", "/keys/bulk-revoke", { holder: "ci", expires_before: soon });
    expect((few.body["keys"] as { key: ShownKey }[]).map(({ key }) => key.id)).toEqual([old.id]);
    world.keyControl.failing = (keyId) => keyId === others.id;
    const rest = await client("POST", "/keys/bulk-revoke", { integration: "openai" });
    expect(rest).toMatchObject({
      status: 202,
      body: { revoked: 2, enforcement: { state: "pending", keys: 2, pending: 1 } },
    });
    expect((rest.body["keys"] as { key: ShownKey }[]).map(({ key }) => key.id)).toEqual([lasting.id]);
    world.keyControl.failing = null;
    expect((await client("POST", "/organization/enforce")).body).toMatchObject({
      enforcement: { state: "enforced", pending: 0 },
    });
  });

  test("more keys than one call can bring to the proxy are all revoked, and counted", async () => {
    const keys = 205;
    await Promise.all(Array.from({ length: keys }, () => issue()));
    const answer = await client("POST", "/keys/bulk-revoke", { holder: "ci" });
    expect(answer).toMatchObject({
      status: 202,
      body: { revoked: keys, enforcement: { state: "pending", keys, pending: 5 } },
    });
    expect((await client("GET", "/keys?state=active")).body["data"]).toEqual([]);
    expect((await client("GET", "/keys?policy=pending")).body["data"]).toHaveLength(5);
    expect((await client("POST", "/organization/enforce")).body).toMatchObject({
      enforcement: { state: "enforced", keys: 5, pending: 0 },
    });
  }, 180_000);

  test.each([[{}], [{ dry_run: false }], [{ ids: [] }], [{ ids: ["all"] }], [{ all: true }]])(
    "%j does not say which",
    async (body) => {
      const key = await issue();
      expect(await client("POST", "/keys/bulk-revoke", body)).toMatchObject({ status: 400 });
      expect((await client("GET", `/keys/${key.id}`)).body).toMatchObject({ key: { state: "active" } });
    },
  );

  test("an unknown holder is no empty selection", async () => {
    const answer = await client("POST", "/keys/bulk-revoke", { holder: "nobody" });
    expect(answer).toMatchObject({ status: 422, body: { code: "holder_unknown" } });
  });
});

describe("finding keys", () => {
  async function found(query: string): Promise<string[]> {
    const answer = await client("GET", `/keys?${query}`);
    expect(answer.status, answer.text).toBe(200);
    return (answer.body["data"] as ShownKey[]).map(({ id }) => id).sort();
  }

  test("by a part of what people know of them, plain text and not a pattern", async () => {
    await client("POST", "/holders", { name: "Bücher 100%", kind: "agent" });
    const plain = await issue({ name: "Nightly build" });
    const percent = await issue({ name: "x", holder: "Bücher 100%" });
    expect(await found("search=night")).toEqual([plain.id]);
    expect(await found("search=BÜCHER")).toEqual([percent.id]);
    expect(await found("search=0%25")).toEqual([percent.id]);
    expect(await found("search=%25")).toEqual([percent.id]);
    expect(await found("search=_")).toEqual([plain.id, percent.id].sort());
    expect(await found("search=n_ghtly")).toEqual([]);
  });

  test("by when they were last used, which is shown", async () => {
    const used = await issue();
    const idle = await issue();
    const at = Date.now() - 86_400_000;
    const event = {
      v: 1,
      organizationId,
      integrationId: null,
      integrationSlug: "openai",
      keyId: used.id,
      holderId: null,
      method: "GET",
      path: "/v1/models",
      query: null,
      decision: "allowed",
      reason: null,
      outcome: "completed",
      status: 200,
      upstreamStatus: 200,
      ip: "203.0.113.1",
      userAgent: null,
      durationMs: 1,
      bytesIn: 0,
      bytesOut: 0,
      droppedHeaders: [],
    } as const;
    // Two retention periods: the log's partitions are looked through in the order of time all the same.
    await insertAuditEvents(world.db, [
      { ...event, requestId: idAt(at - 5_000), at: at - 5_000, retentionDays: 90 },
      { ...event, requestId: idAt(at), at, retentionDays: 7 },
    ]);
    const day = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
    expect((await client("GET", `/keys/${used.id}`)).body).toMatchObject({
      key: { last_used_at: new Date(at).toISOString() },
    });
    const { data } = (await client("GET", "/keys")).body as {
      data: { id: string; last_used_at: string | null }[];
    };
    expect(Object.fromEntries(data.map((key) => [key.id, key.last_used_at]))).toEqual({
      [used.id]: new Date(at).toISOString(),
      [idle.id]: null,
    });
    expect(await found(`unused_since=${day(2)}`)).toEqual([idle.id]);
    expect(await found(`unused_since=${day(0.5)}`)).toEqual([used.id, idle.id].sort());
  });
});

describe("holders", () => {
  test("freezing one refuses all of its keys, unfreezing lets them work", async () => {
    const key = await issue();
    expect(await client("POST", "/holders/ci/freeze")).toMatchObject({
      status: 200,
      body: { holder: { frozen: true }, enforcement: { state: "enforced", keys: 1 } },
    });
    expect(world.keyControl.latest(key.id)).toMatchObject({ state: "frozen" });
    await client("POST", "/holders/ci/unfreeze");
    expect(world.keyControl.latest(key.id)).toMatchObject({ state: "active" });
    const { id } = (await client("GET", "/holders/ci")).body["holder"] as { id: string };
    expect(await events(id)).toEqual(["holder.created", "holder.frozen", "holder.unfrozen"]);
  });

  test("can be deleted while no key was ever issued to them, and integrations likewise", async () => {
    await client("POST", "/holders", { name: "unused", kind: "agent" });
    await client("POST", "/integrations", { slug: "anthropic", secret: "sk-ant" });
    expect(await client("DELETE", "/holders/unused")).toMatchObject({ status: 200, body: { deleted: true } });
    expect(await client("DELETE", "/integrations/anthropic")).toMatchObject({ status: 200 });
    expect((await client("GET", "/holders/unused")).status).toBe(404);
    expect((await client("GET", "/integrations/anthropic")).status).toBe(404);
    const key = await issue();
    await client("POST", `/keys/${key.id}/revoke`);
    for (const path of ["/holders/ci", "/integrations/openai"]) {
      expect(await client("DELETE", path)).toMatchObject({ status: 409, body: { code: "in_use" } });
      expect((await client("GET", path)).status).toBe(200);
    }
  });
});

/** A request id of a moment. */
function idAt(ms: number): string {
  const time = ms.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-${newId().slice(14)}`;
}
