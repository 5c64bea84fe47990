import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { insertAuditEvents } from "@relaykey/db/queries/audit";
import { idempotencyKeys } from "@relaykey/db/schema/access";
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
  await client("POST", "/integrations", { slug: "openai", secret: "sk-1" });
  await client("POST", "/holders", { name: "ci", kind: "service" });
});

const KEY = { holder: "ci", integration: "openai", allow: ["GET /v1/models"] };

describe("an Idempotency-Key", () => {
  test("gets the first answer again, token and all; nothing in the database tells the token", async () => {
    const headers = { "Idempotency-Key": "deploy-1" };
    const first = await client("POST", "/keys", KEY, headers);
    const again = await client("POST", "/keys", KEY, headers);
    expect(first.status, first.text).toBe(201);
    expect(again.text).toBe(first.text);
    expect([again.status, again.headers.get("Idempotency-Replayed")]).toEqual([201, "true"]);
    expect((await client("GET", "/keys")).body["data"]).toHaveLength(1);
    const stored = JSON.stringify(await world.db.select().from(idempotencyKeys));
    expect(stored).not.toContain(String(first.body["token"]));
    expect(stored).not.toContain("deploy-1");
  });

  test("is of one request only, and of one token only", async () => {
    const headers = { "Idempotency-Key": "one" };
    await client("POST", "/keys", KEY, headers);
    expect(await client("POST", "/keys", { ...KEY, name: "other" }, headers)).toMatchObject({
      status: 422,
      body: { code: "idempotency_key_reused" },
    });
    const other = await client("POST", "/tokens", { name: "t", role: "admin" });
    const sibling = world.caller(`Bearer ${String(other.body["token"])}`);
    const theirs = await sibling("POST", "/keys", KEY, headers);
    expect([theirs.status, theirs.headers.get("Idempotency-Replayed")]).toEqual([201, null]);
  });

  test("does not hold on to a refusal, nor beyond a day", async () => {
    const headers = { "Idempotency-Key": "later" };
    expect((await client("POST", "/keys", { ...KEY, holder: "new" }, headers)).status).toBe(422);
    await client("POST", "/holders", { name: "new", kind: "service" });
    const made = await client("POST", "/keys", { ...KEY, holder: "new" }, headers);
    expect(made.status).toBe(201);
    world.advance(24 * 3_600_000);
    const next = await client("POST", "/keys", { ...KEY, holder: "new" }, headers);
    expect(next.headers.get("Idempotency-Replayed")).toBeNull();
    expect(next.body["token"]).not.toBe(made.body["token"]);
  });

  test.each([[""], ["x".repeat(256)], ["a b"]])("%j is malformed", async (key) => {
    expect((await client("POST", "/keys", KEY, { "Idempotency-Key": key })).status).toBe(400);
  });
});

describe("If-Match", () => {
  test.each([
    ["/holders/ci", { limits: { concurrency: 2 } }],
    ["/integrations/openai", { name: "New" }],
    ["/organization", { name: "New" }],
  ])("%s changes only what was read, and HEAD tells the same ETag", async (path, change) => {
    const etag = (await client("GET", path)).headers.get("ETag") ?? "";
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    expect((await client("HEAD", path)).headers.get("ETag")).toBe(etag);
    expect((await client("PATCH", path, change, { "If-Match": `W/${etag}` })).status).toBe(412);
    expect((await client("PATCH", path, change, { "If-Match": `"x", ${etag}` })).status).toBe(200);
    expect(await client("PATCH", path, change, { "If-Match": etag })).toMatchObject({
      status: 412,
      body: { code: "precondition_failed" },
    });
    expect((await client("PATCH", path, change, { "If-Match": "*" })).status).toBe(200);
    expect((await client("PATCH", path, change, { "If-Match": "x" })).status).toBe(400);
    expect((await client("GET", path)).headers.get("ETag")).not.toBe(etag);
  });

  test("of an act is that of the thing: an invitation that was sent again is not withdrawn by who has not seen it", async () => {
    const made = await client("POST", "/invitations", { email: `${newId()}@example.com`, role: "viewer" });
    const path = `/invitations/${(made.body["invitation"] as { id: string }).id}`;
    const read = async () => (await client("GET", path)).headers.get("ETag") ?? "";
    const etag = await read();
    world.advance(1_000);
    expect((await client("POST", `${path}/resend`, undefined, { "If-Match": etag })).status).toBe(200);
    const stale = { status: 412, body: { code: "precondition_failed" } };
    expect(await client("POST", `${path}/resend`, undefined, { "If-Match": etag })).toMatchObject(stale);
    expect(await client("DELETE", path, undefined, { "If-Match": etag })).toMatchObject(stale);
    expect((await client("DELETE", path, undefined, { "If-Match": await read() })).status).toBe(200);
    expect((await client("GET", path)).status).toBe(404);
    expect((await client("DELETE", path, undefined, { "If-Match": "*" })).status).toBe(404);
  });

  test("of a key stands for its policy, however often the key is used meanwhile", async () => {
    const made = await client("POST", "/keys", KEY);
    const path = `/keys/${(made.body["key"] as { id: string }).id}`;
    const etag = (await client("GET", path)).headers.get("ETag") ?? "";
    expect((await client("PATCH", path, { name: "a" }, { "If-Match": etag })).status).toBe(200);
    expect((await client("PATCH", path, { name: "b" }, { "If-Match": etag })).status).toBe(412);
    expect((await client("GET", path)).body).toMatchObject({ key: { name: "a" } });
  });
});

test("a member that is said twice is refused and named", async () => {
  const text = '{"name":"x","kind":"service","limits":{"rate":"1/s","rate":"9/s"}}';
  expect(await client("POST", "/holders", text)).toMatchObject({
    status: 400,
    body: { errors: [{ field: "limits.rate", message: "Give this member once." }] },
  });
});

describe("the dry run", () => {
  const draft = { integration: "openai", allow: ["GET /v1/models", "POST /v1/chat/*"] };
  const run = (more: object) =>
    client("POST", "/policy/dry-run", {
      draft,
      method: "GET",
      target: "/v1/models",
      ip: "192.0.2.1",
      ...more,
    });

  test.each<[string, object, object]>([
    ["allowed", {}, { allowed: true, reason: null, rule: { index: 0, rule: "GET /v1/models" } }],
    [
      "another method",
      { method: "DELETE" },
      {
        allowed: false,
        reason: "scope_method",
        status: 403,
        nearest: { index: 0, misses: "method" },
        remedy: "Add DELETE to the methods of rule 1.",
      },
    ],
    [
      "another path",
      { method: "POST", target: "/v1/chat/a/b" },
      {
        reason: "scope_path",
        nearest: { index: 1, misses: "path" },
        remedy: 'Add the rule "POST /v1/chat/a/b" to the key, or a pattern that covers it.',
      },
    ],
    ["an ambiguous path", { target: "/v1/%2e%2e/x" }, { reason: "path_ambiguous", status: 400 }],
    ["no method", { method: "TRACE" }, { reason: "method_invalid" }],
    ["too late", { draft: { ...draft, expires_at: "2020-01-01T00:00:00Z" } }, { reason: "token_expired" }],
    [
      "in time",
      { draft: { ...draft, expires_at: "2020-01-01T00:00:00Z" }, at: "2019-01-01T00:00:00Z" },
      { allowed: true },
    ],
    [
      "another address",
      { draft: { ...draft, ip: { mode: "allowlist", cidrs: ["10.0.0.0/8"] } } },
      { reason: "ip_not_allowed", remedy: "Add a block that holds 192.0.2.1 to the key's allowlist." },
    ],
  ])("%s", async (_, more, expected) => {
    expect((await run(more)).body).toMatchObject(expected);
  });

  test("judges a key as the proxy has it, of one's own organization only", async () => {
    const made = await client("POST", "/keys", KEY);
    const { id } = made.body["key"] as { id: string };
    const ask = { key: id, method: "GET", target: "/v1/models" };
    expect((await client("POST", "/policy/dry-run", ask)).body).toMatchObject({
      allowed: true,
      ip: "203.0.113.9",
    });
    await client("POST", `/keys/${id}/revoke`);
    expect((await client("POST", "/policy/dry-run", ask)).body).toMatchObject({ reason: "token_revoked" });
    const other = (await world.organization()).client;
    expect((await other("POST", "/policy/dry-run", ask)).status).toBe(404);
  });
});

test("the dry run takes nobody for a holder's first network after all of them were removed", async () => {
  const holder = await client("POST", "/holders", { name: "ada", kind: "person", email: "ada@example.com" });
  expect(holder.status, holder.text).toBe(201);
  const made = await client("POST", "/keys", { ...KEY, holder: "ada", ip: { mode: "confirm" } });
  expect(made.status, made.text).toBe(201);
  const { id } = made.body["key"] as { id: string };
  const ask = { key: id, method: "GET", target: "/v1/models", ip: "192.0.2.1" };
  expect((await client("POST", "/policy/dry-run", ask)).body).toMatchObject({ allowed: true });
  world.keyControl.firstUse = false;
  expect((await client("POST", "/policy/dry-run", ask)).body).toMatchObject({ reason: "ip_unconfirmed" });
});

test("an export is whole, goes on from a cursor, and runs no formula", async () => {
  const base = {
    v: 1 as const,
    organizationId,
    integrationId: null,
    integrationSlug: "openai",
    keyId: newId(),
    holderId: null,
    method: "GET",
    query: null,
    decision: "allowed" as const,
    reason: null,
    outcome: "completed" as const,
    upstreamStatus: 200,
    ip: "192.0.2.1",
    durationMs: 1,
    bytesIn: 0,
    bytesOut: 0,
    retentionDays: 7,
    droppedHeaders: [],
  };
  const events = Array.from({ length: 1_203 }, (_, index) => ({
    ...base,
    requestId: newId(),
    at: Date.now() - index,
    path: `/v${String(index % 2)}/x`,
    status: index === 0 ? 403 : 200,
    userAgent: index === 0 ? '=cmd|"/c calc",\n' : "curl",
  }));
  await insertAuditEvents(world.db, events);
  const all = (await client("GET", "/audit-events/export")).text.trimEnd().split("\n");
  const ids = all.map((text) => (JSON.parse(text) as { request_id: string }).request_id);
  expect(ids).toEqual(
    events
      .map(({ requestId }) => requestId)
      .sort()
      .reverse(),
  );
  const rest = await client("GET", `/audit-events/export?cursor=${String(ids[700])}`);
  expect(rest.text.trimEnd().split("\n")).toHaveLength(502);
  const csv = await client("GET", "/audit-events/export?format=csv&status=4xx");
  expect(csv.headers.get("Content-Type")).toBe("text/csv; charset=utf-8");
  expect(csv.text).toContain(`"'=cmd|""/c calc"",\n"`);
  expect(csv.text.split("\r\n")).toHaveLength(3);
  const odd = await client("GET", "/audit-events?path_prefix=/v1&limit=200");
  expect(new Set((odd.body["data"] as { path: string }[]).map(({ path }) => path))).toEqual(
    new Set(["/v1/x"]),
  );
});
