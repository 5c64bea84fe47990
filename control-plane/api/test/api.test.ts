import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { importTagKey, mintToken } from "@relaykey/core/token";
import { insertAuditEvents } from "@relaykey/db/queries/audit";
import { insertManagementToken } from "@relaykey/db/queries/tokens";
import type { managementTokens } from "@relaykey/db/schema/access";
import { integrationSecrets, integrations } from "@relaykey/db/schema/integrations";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { createApi } from "../app.ts";
import { ROUTES } from "../routes/index.ts";
import { createWorld, openStoredKey, openVendorKey } from "./world.ts";
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
});

const VENDOR_KEY = "sk-live-vendor-key-0123456789";

async function integration(more: object = {}): Promise<string> {
  const answer = await client("POST", "/integrations", { slug: "openai", secret: VENDOR_KEY, ...more });
  expect(answer.status, answer.text).toBe(201);
  return (answer.body["integration"] as { id: string }).id;
}

async function key(): Promise<string> {
  await client("POST", "/holders", { name: "ci", kind: "service" });
  const answer = await client("POST", "/keys", { holder: "ci", integration: "openai", allow: ["GET /v1"] });
  expect(answer.status, answer.text).toBe(201);
  return (answer.body["key"] as { id: string }).id;
}

describe("authentication", () => {
  const TOKEN_CASES: [string, () => Promise<string | null>, string][] = [
    ["no token", async () => null, "token_missing"],
    ["no bearer", async () => "Basic cmtfbWdtdF8=", "token_invalid"],
    [
      "a mistyped token",
      async () => `Bearer ${(await world.organization()).token.slice(0, -1)}`,
      "token_invalid",
    ],
    [
      "a forged token",
      async () => {
        const otherKey = await importTagKey(btoa("x".repeat(32)));
        return `Bearer ${(await mintToken("mgmt", null, otherKey)).token.reveal()}`;
      },
      "token_invalid",
    ],
    [
      "a signed token that was never stored",
      async () => `Bearer ${(await mintToken("mgmt", null, world.deps.tagKey)).token.reveal()}`,
      "token_invalid",
    ],
    [
      "a proxy token",
      async () => `Bearer ${(await mintToken("proxy", "0".repeat(16), world.deps.tagKey)).token.reveal()}`,
      "token_invalid",
    ],
    ["an expired token", () => storedToken({ expiresAt: new Date(Date.now() - 1) }), "token_expired"],
    ["a revoked token", () => storedToken({ revokedAt: new Date() }), "token_revoked"],
  ];

  async function storedToken(more: Partial<typeof managementTokens.$inferInsert>): Promise<string> {
    const minted = await mintToken("mgmt", null, world.deps.tagKey);
    await insertManagementToken(world.db, {
      id: newId(),
      organizationId,
      name: "test",
      kind: "standard",
      tokenHash: minted.hash,
      display: minted.display,
      ...more,
    });
    return `Bearer ${minted.token.reveal()}`;
  }

  test.each(TOKEN_CASES)("%s is refused on every route", async (_, makeAuthorization, code) => {
    const authorization = await makeAuthorization();
    const stranger = world.caller(authorization);
    const routes = ROUTES.filter(({ action }) => action !== null);
    expect(routes.length).toBeGreaterThan(15);
    for (const { method, path } of routes) {
      const answer = await stranger(
        method,
        path.replaceAll(/\{\w+\}/g, () => newId()),
      );
      expect(answer, `${method} ${path}`).toMatchObject({ status: 401, body: { code } });
      expect(answer.headers.get("WWW-Authenticate")).toMatch(/^Bearer/);
      if (authorization !== null) expect(answer.text).not.toContain(authorization.slice(-20));
    }
    expect((await stranger("GET", "/nothing-here")).status).toBe(401);
  });

  test("a token that is not ours is refused without a look-up (G9)", async () => {
    const otherKey = await importTagKey(btoa("x".repeat(32)));
    const forged = await mintToken("mgmt", null, otherKey);
    const proxy = await mintToken("proxy", "0".repeat(16), world.deps.tagKey);
    const unreachable = new Proxy(world.db, {
      get: () => {
        throw new Error("the database was asked");
      },
    });
    const api = createApi({ ...world.deps, db: unreachable });
    for (const { token } of [forged, proxy]) {
      const headers = { Authorization: `Bearer ${token.reveal()}` };
      const response = await api.request("/api/v1/keys", { headers }, { requestId: newId(), ip: null });
      expect(response.status).toBe(401);
    }
  });

  test("the list of errors is public and is what problem types point at", async () => {
    const answer = await world.caller(null)("GET", "/organization");
    expect(answer.body["type"]).toBe("http://localhost/api/v1/errors#token_missing");
    const errors = await world.caller(null)("GET", "/errors");
    expect(errors.body).toHaveProperty("token_missing.detail");
  });

  test("only the bootstrap token creates organizations, and the new token acts in the new one only", async () => {
    expect(await client("POST", "/organizations", { name: "Mine" })).toMatchObject({
      status: 403,
      body: { code: "bootstrap_only" },
    });
    const bootstrap = await world.organization("bootstrap");
    const created = await bootstrap.client("POST", "/organizations", { name: "Acme" });
    expect(created).toMatchObject({ status: 201, body: { organization: { name: "Acme" } } });
    const member = world.caller(`Bearer ${String(created.body["management_token"])}`);
    expect((await member("GET", "/organization")).body).toMatchObject({ organization: { name: "Acme" } });
    expect((await member("POST", "/organizations", { name: "More" })).status).toBe(403);
    expect((await member("PATCH", "/organization", { name: "Acme Ltd" })).body).toMatchObject({
      organization: { name: "Acme Ltd" },
    });
  });
});

describe("tenants", () => {
  test("cannot see, use or change what belongs to another", async () => {
    const integrationId = await integration();
    const keyId = await key();
    const holderId = ((await client("GET", "/holders/ci")).body["holder"] as { id: string }).id;
    const other = (await world.organization()).client;
    const attempts: [string, string, unknown?][] = [
      ["GET", `/integrations/${integrationId}`],
      ["GET", "/integrations/openai"],
      ["PATCH", `/integrations/${integrationId}`, { enabled: false }],
      ["POST", "/integrations/openai/rotate", { secret: "sk-other" }],
      ["POST", "/integrations/openai/rollback", {}],
      ["POST", "/integrations/openai/test", {}],
      ["GET", "/integrations/openai/versions"],
      ["DELETE", `/integrations/${integrationId}`],
      ["POST", `/holders/${holderId}/freeze`],
      ["DELETE", `/holders/${holderId}`],
      ["POST", `/keys/${keyId}/reroll`, {}],
      ["POST", `/keys/${keyId}/freeze`],
      ["POST", `/keys/${keyId}/unfreeze`],
      ["GET", `/holders/${holderId}`],
      ["PATCH", `/holders/${holderId}`, { frozen: true }],
      ["PATCH", "/holders/ci", { name: "mine" }],
      ["GET", `/keys/${keyId}`],
      ["PATCH", `/keys/${keyId}`, { name: "mine" }],
      ["POST", `/keys/${keyId}/revoke`],
    ];
    const applied = world.keyControl.applied.length;
    const revoked = world.keyControl.revoked.length;
    for (const [method, path, body] of attempts) {
      const answer = await other(method, path, body);
      expect(answer, `${method} ${path}`).toMatchObject({ status: 404, body: { code: "not_found" } });
    }
    const stolen = { holder: holderId, integration: integrationId, allow: ["GET /v1"] };
    expect(await other("POST", "/keys", stolen)).toMatchObject({
      status: 422,
      body: { code: "holder_unknown" },
    });
    await other("POST", "/holders", { name: "ci", kind: "service" });
    expect(await other("POST", "/keys", { ...stolen, holder: "ci" })).toMatchObject({
      status: 422,
      body: { code: "integration_unknown" },
    });
    for (const path of ["/keys", "/integrations", "/audit-events"]) {
      expect((await other("GET", path)).body).toEqual({ data: [], next_cursor: null });
    }
    expect(world.keyControl.applied).toHaveLength(applied);
    expect(world.keyControl.revoked).toHaveLength(revoked);
    expect((await client("GET", `/keys/${keyId}`)).body).toMatchObject({
      key: { state: "active", policy: { version: 1 } },
    });
  });

  test("see only their own audit events, filtered and paged", async () => {
    const integrationId = await integration();
    const base = {
      v: 1,
      at: Date.now(),
      organizationId,
      integrationId,
      integrationSlug: "openai",
      keyId: newId(),
      holderId: newId(),
      method: "GET",
      path: "/v1",
      query: null,
      decision: "allowed",
      reason: null,
      outcome: "completed",
      status: 200,
      upstreamStatus: 200,
      ip: "203.0.113.7",
      userAgent: null,
      durationMs: 3,
      bytesIn: 0,
      bytesOut: 5,
      retentionDays: 30,
      droppedHeaders: [],
    } as const;
    const ids = [newId(), newId(), newId()];
    const blocked = { decision: "blocked", reason: "scope_path", status: 403, upstreamStatus: null } as const;
    await insertAuditEvents(world.db, [
      { ...base, requestId: ids[0] ?? "" },
      { ...base, requestId: ids[1] ?? "", ...blocked },
      { ...base, requestId: ids[2] ?? "", integrationId: newId(), keyId: newId() },
      { ...base, requestId: newId(), organizationId: newId() },
    ]);
    const list = async (query: string): Promise<string[]> => {
      const answer = await client("GET", `/audit-events${query}`);
      expect(answer.status, answer.text).toBe(200);
      return (answer.body["data"] as { request_id: string }[]).map((event) => event.request_id);
    };
    expect(await list("")).toEqual(ids.toReversed());
    expect(await list("?decision=blocked&reason=scope_path")).toEqual([ids[1]]);
    expect(await list("?integration=openai")).toEqual([ids[1], ids[0]]);
    expect(await list(`?key=${base.keyId}&limit=1`)).toEqual([ids[1]]);
    expect(await list(`?request_id=${String(ids[2])}`)).toEqual([ids[2]]);
    expect(await list(`?to=${new Date(base.at - 1).toISOString()}`)).toEqual([]);
    expect(await list(`?cursor=${String(ids[1])}`)).toEqual([ids[0]]);
    expect((await client("GET", "/audit-events?reason=because")).status).toBe(400);
    expect((await client("GET", "/audit-events?integration=gone")).status).toBe(422);
  });
});

describe("integrations", () => {
  test("are completed from the catalogue; the secret is sealed for the proxy and in no answer", async () => {
    const id = await integration({ name: "Ours" });
    const shown = await client("GET", "/integrations/openai");
    expect(shown.body).toMatchObject({
      integration: {
        id,
        name: "Ours",
        upstream: "https://api.openai.com",
        credential: { kind: "bearer" },
        request_headers: ["openai-*", "x-stainless-*"],
        secret_version: 1,
        enabled: true,
      },
    });
    const rotated = await client("POST", "/integrations/openai/rotate", { secret: `${VENDOR_KEY}-2` });
    expect(rotated.body).toMatchObject({ integration: { secret_version: 2 } });
    const stored = await world.db
      .select()
      .from(integrationSecrets)
      .where(eq(integrationSecrets.integrationId, id));
    expect(stored.map(({ version }) => version).sort()).toEqual([1, 2]);
    for (const row of stored) {
      expect(await openStoredKey(world, row)).toBe(row.version === 1 ? VENDOR_KEY : `${VENDOR_KEY}-2`);
    }
    const events = await world.db.select().from(adminAuditEvents).where(eq(adminAuditEvents.subjectId, id));
    expect(events.map(({ action }) => action).sort()).toEqual(["integration.created", "integration.rotated"]);
    const list = await client("GET", "/integrations");
    const taken = await client("POST", "/integrations", { slug: "openai", secret: VENDOR_KEY });
    expect(taken).toMatchObject({ status: 409, body: { code: "name_taken" } });
    const wrong = await client("POST", "/integrations", {
      slug: "Open AI",
      secret: VENDOR_KEY,
      key: VENDOR_KEY,
    });
    expect(wrong.status).toBe(400);
    const texts = [shown, rotated, list, taken, wrong].map(({ text }) => text);
    for (const text of [...texts, JSON.stringify(events), ...world.logged]) {
      expect(text).not.toContain(VENDOR_KEY);
      for (const { envelope } of stored) expect(text).not.toContain(envelope);
    }
  });

  test("a change reaches every living key; what could not be reached is counted and retried", async () => {
    await integration();
    const keys = [await key(), await key(), await key()] as const;
    await client("POST", `/keys/${keys[2]}/revoke`);
    const done = await client("PATCH", "/integrations/openai", { enabled: false });
    expect(done).toMatchObject({
      status: 200,
      body: { enforcement: { state: "enforced", keys: 2, pending: 0 } },
    });
    expect(world.keyControl.latest(keys[0])).toMatchObject({ version: 2, integration: { enabled: false } });
    expect(world.keyControl.latest(keys[1])).toMatchObject({ version: 2, integration: { enabled: false } });

    world.keyControl.failing = (keyId) => keyId === keys[1];
    const half = await client("PATCH", "/integrations/openai", {
      upstream: "https://api.openai.com/x",
      secret: VENDOR_KEY,
      timeout_ms: 5,
    });
    expect(half).toMatchObject({
      status: 202,
      body: { enforcement: { state: "pending", keys: 2, pending: 1 } },
    });
    expect(world.keyControl.latest(keys[0])).toMatchObject({
      version: 3,
      integration: { upstream: { origin: "https://api.openai.com", basePath: "/x", timeoutMs: 5 } },
    });
    expect((await client("GET", `/keys/${keys[1]}`)).body).toMatchObject({
      key: { policy: { state: "pending", version: 3, enforced_version: 2 } },
    });
  });

  const ELSEWHERE: [string, object][] = [
    ["another host", { upstream: "https://evil.example" }],
    ["a host that begins like it", { upstream: "https://api.openai.com.evil.example" }],
    ["a host below it", { upstream: "https://eu.api.openai.com" }],
    ["another path", { upstream: "https://api.openai.com/tenants/evil" }],
    ["another header", { credential: { kind: "header", name: "x-echoed", template: "{secret}" } }],
    ["a parameter", { credential: { kind: "query", name: "text" } }],
    ["callers, in answers that repeat it", { scrub_responses: false }],
  ];

  test.each(ELSEWHERE)("a stored vendor key does not go to %s instead", async (_, elsewhere) => {
    const id = await integration();
    const keyId = await key();
    const before = (await client("GET", "/integrations/openai")).body;
    const answer = await client("PATCH", "/integrations/openai", { ...elsewhere, name: "Moved" });
    const message = expect.stringMatching(/goes nowhere else\. Give the vendor key again/) as string;
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: "secret", message }] } });
    expect((await client("GET", "/integrations/openai")).body).toEqual(before);
    expect(world.keyControl.latest(keyId)).toMatchObject({ version: 1 });

    // Given again, it is another version, sealed for the new destination; the former one is destroyed.
    const secret = `${VENDOR_KEY}-moved`;
    const moved = await client("PATCH", "/integrations/openai", { ...elsewhere, secret });
    expect(moved).toMatchObject({ status: 200, body: { integration: { ...elsewhere, secret_version: 2 } } });
    const applied = world.keyControl.latest(keyId)?.integration;
    expect(applied && (await openVendorKey(world, organizationId, applied))).toBe(secret);
    const stored = await world.db
      .select()
      .from(integrationSecrets)
      .where(eq(integrationSecrets.integrationId, id));
    expect(stored.map(({ version, envelope }) => [version, envelope === ""]).sort()).toEqual([
      [1, true],
      [2, false],
    ]);
    expect((await client("POST", "/integrations/openai/rollback", {})).status).toBe(409);
    const [event] = await world.db
      .select()
      .from(adminAuditEvents)
      .where(and(eq(adminAuditEvents.subjectId, id), eq(adminAuditEvents.action, "integration.changed")));
    expect(event).toMatchObject({ before: { secretVersion: 1 }, after: { secretVersion: 2 } });
    expect(`${moved.text}${JSON.stringify(event)}${world.logged.join("")}`).not.toContain(secret);
  });

  test("whoever owns the database and names another host finds an envelope that does not open for it", async () => {
    await integration();
    const keyId = await key();
    const snapshot = world.keyControl.latest(keyId);
    if (snapshot === undefined) throw new Error("Nothing was applied.");
    expect(await openVendorKey(world, organizationId, snapshot.integration)).toBe(VENDOR_KEY);
    await world.db
      .update(integrations)
      .set({ upstreamOrigin: "https://evil.example" })
      .where(eq(integrations.organizationId, organizationId));
    await client("PATCH", "/integrations/openai", { name: "Nudged" });
    const nudged = world.keyControl.latest(keyId);
    expect(nudged?.integration).toMatchObject({
      upstream: { origin: "https://evil.example" },
      secret: snapshot.integration.secret,
    });
    await expect(nudged && openVendorKey(world, organizationId, nudged.integration)).rejects.toThrow();
  });

  test("changes with a new vendor key, rotations and roll backs at the same time: what is in force opens where it goes", async () => {
    await integration();
    const keyId = await key();
    const again = (path: string, name: string) =>
      client("PATCH", "/integrations/openai", {
        upstream: `https://api.openai.com${path}`,
        secret: `${VENDOR_KEY}-${name}`,
      });
    const answers = await Promise.all([
      again("/a", "a"),
      client("POST", "/integrations/openai/rotate", { secret: `${VENDOR_KEY}-r` }),
      again("/b", "b"),
      client("POST", "/integrations/openai/rollback", {}),
      client("PATCH", "/integrations/openai", {
        credential: { kind: "query", name: "key" },
        secret: VENDOR_KEY,
      }),
    ]);
    for (const { status } of answers) expect([200, 409]).toContain(status);
    await client("POST", "/organization/enforce");
    const applied = world.keyControl.latest(keyId)?.integration;
    expect(applied && (await openVendorKey(world, organizationId, applied))).toContain(VENDOR_KEY);
  });

  test("rotations at the same time each seal a version of their own", async () => {
    const id = await integration();
    const answers = await Promise.all(
      ["a", "b", "c"].map((secret) =>
        client("POST", "/integrations/openai/rotate", { secret: `${VENDOR_KEY}-${secret}` }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const stored = await world.db
      .select()
      .from(integrationSecrets)
      .where(eq(integrationSecrets.integrationId, id));
    expect(stored.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4]);
    expect((await client("GET", "/integrations/openai")).body).toMatchObject({
      integration: { secret_version: 4 },
    });
  });

  test("a key created while its integration changes does not keep the old one", async () => {
    await integration();
    await client("POST", "/holders", { name: "ci", kind: "service" });
    const request = { holder: "ci", integration: "openai", allow: ["GET /v1"] };
    const [created] = await Promise.all([
      client("POST", "/keys", request),
      client("PATCH", "/integrations/openai", { enabled: false }),
    ]);
    const { id } = created.body["key"] as { id: string };
    expect(world.keyControl.latest(id)).toMatchObject({ integration: { enabled: false } });
  });

  test.each([
    [{ slug: "Open_AI" }, "slug", /host name/],
    [{ upstream: "http://127.0.0.1:8791" }, "upstream", /local edition/],
    [{ upstream: "https://10.0.0.1" }, "upstream", /IP address/],
    [{ upstream: "https://api.relaykey.internal" }, "upstream", /internal/],
    [{ upstream: "https://proxy.relaykey.example/x" }, "upstream", /proxy\.relaykey\.example/],
    [{ slug: "unheard-of" }, "upstream", /catalogue/],
    [{ catalogue: "openapi" }, "catalogue", /openai, anthropic/],
    [{ credential: { kind: "header", name: "x-key" } }, "credential.template", /Give a text/],
    [{ credential: { kind: "cookie" } }, "credential.kind", /./],
    [{ request_headers: ["*"] }, "request_headers.0", /openai-\*/],
    [{ secret: "" }, "secret", /empty/],
    [{ secret: "sk-with\nline" }, "secret", /character/],
    [{ timeout_ms: 0 }, "timeout_ms", /1 to/],
    [{ slug: undefined }, "slug", /text/],
    [{ token: "x" }, "token", /slug, secret, catalogue/],
  ])("%j is refused and the field named", async (more, field, message) => {
    const answer = await client("POST", "/integrations", { slug: "openai", secret: VENDOR_KEY, ...more });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request" } });
    const errors = answer.body["errors"] as { field: string; message: string }[];
    const error = errors.find((candidate) => candidate.field === field);
    expect(error?.message, answer.text).toMatch(message);
    expect((await client("GET", "/integrations")).body["data"]).toEqual([]);
  });
});

describe("holders", () => {
  test("are found by id and by name; their keys follow a change", async () => {
    await integration();
    const keyId = await key();
    expect(await client("POST", "/holders", { name: "ci", kind: "agent" })).toMatchObject({
      status: 409,
      body: { code: "name_taken", detail: expect.stringContaining('"ci"') as string },
    });
    const changed = await client("PATCH", "/holders/ci", { name: "builder", frozen: true });
    expect(changed).toMatchObject({
      status: 200,
      body: { holder: { name: "builder", frozen: true }, enforcement: { state: "enforced", keys: 1 } },
    });
    expect(world.keyControl.latest(keyId)).toMatchObject({
      state: "frozen",
      version: 2,
      holder: { name: "builder" },
    });
    expect((await client("GET", "/holders/ci")).status).toBe(404);
    await client("PATCH", "/holders/builder", { frozen: false });
    expect(world.keyControl.latest(keyId)).toMatchObject({ state: "active", version: 3 });
  });

  test("a person needs an e-mail address", async () => {
    expect((await client("POST", "/holders", { name: "ada", kind: "person" })).body["errors"]).toMatchObject([
      { field: "email" },
    ]);
    await client("POST", "/holders", { name: "ada", kind: "person", email: "ada@example.com" });
    expect((await client("PATCH", "/holders/ada", { email: null })).status).toBe(400);
  });

  test.each([[newId()], [" ci"], ["a/b"], [""], ["a\u0000b"], ["x".repeat(101)]])(
    "the name %j is refused",
    async (name) => {
      expect((await client("POST", "/holders", { name, kind: "service" })).body["errors"]).toMatchObject([
        { field: "name" },
      ]);
    },
  );
});

describe("requests", () => {
  const call = (init: RequestInit, path = "/api/v1/holders") => {
    const headers = new Headers(init.headers);
    return world.organization().then(({ token }) => {
      headers.set("Authorization", `Bearer ${token}`);
      return world.api.request(path, { ...init, headers }, { requestId: "request-1", ip: null });
    });
  };
  const JSON_TYPE = { "Content-Type": "application/json" };

  test.each([
    ["not JSON", { method: "POST", headers: JSON_TYPE, body: "{" }, 400, "malformed_json"],
    ["no object", { method: "POST", headers: JSON_TYPE, body: "[]" }, 400, "malformed_json"],
    [
      "no UTF-8",
      { method: "POST", headers: JSON_TYPE, body: new Uint8Array([0x7b, 0xff]) },
      400,
      "malformed_json",
    ],
    ["a form", { method: "POST", body: new URLSearchParams({ name: "x" }) }, 415, "media_type"],
    ["too much", { method: "POST", headers: JSON_TYPE, body: " ".repeat(300_000) }, 413, "body_too_large"],
    ["another method", { method: "DELETE" }, 405, "method_not_allowed"],
  ])("%s: %#", async (_, init: RequestInit, status, code) => {
    const response = await call(init);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, request_id: "request-1", status });
    if (status === 405) expect(response.headers.get("Allow")).toBe("POST, GET, HEAD");
  });

  test("an unknown path is a problem too", async () => {
    const response = await call({}, "/api/v1/secrets");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "route_unknown" });
  });

  test("a bug or an outage is one sentence outside and one line inside, without its message", async () => {
    const { token } = await world.organization();
    const broken = {
      ...world.deps,
      db: {
        select: () => {
          throw new Error(`lost ${VENDOR_KEY}`);
        },
      },
    };
    const response = await createApi(broken as unknown as typeof world.deps).request(
      "/api/v1/holders",
      { headers: { Authorization: `Bearer ${token}` } },
      { requestId: "request-2", ip: null },
    );
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).toContain("request-2");
    const line = world.logged.find((entry) => entry.includes("request-2"));
    expect(line).toContain("api_failed");
    expect(text + String(line)).not.toContain(VENDOR_KEY);
  });
});

test("every change of an organization leaves an admin event of its actor", async () => {
  await integration();
  const keyId = await key();
  await client("PATCH", "/integrations/openai", { name: "New" });
  await client("PATCH", "/holders/ci", { kind: "agent" });
  await client("PATCH", `/keys/${keyId}`, { name: "New" });
  await client("POST", `/keys/${keyId}/revoke`);
  await client("POST", `/keys/${keyId}/revoke`);
  await client("PATCH", "/organization", { name: "New" });
  const events = await world.db
    .select()
    .from(adminAuditEvents)
    .where(eq(adminAuditEvents.organizationId, organizationId));
  expect(events.map(({ action }) => action).sort()).toEqual([
    "holder.changed",
    "holder.created",
    "integration.changed",
    "integration.created",
    "key.changed",
    "key.created",
    "key.revoked",
    "organization.changed",
    "organization.created",
  ]);
  const byToken = events.filter(({ actorKind }) => actorKind === "management_token");
  expect(byToken).toHaveLength(8);
  expect(new Set(byToken.map(({ actorId }) => actorId)).size).toBe(1);
});

test.each([
  [{ "User-Agent": "rk/0.1.0" }, "cli"],
  [{ "User-Agent": "curl/8" }, "api"],
  [{}, "api"],
  // It chooses between these two only.
  [{ "User-Agent": "dashboard" }, "api"],
  [{ "User-Agent": "Mozilla/5.0 rk/0.1.0" }, "api"],
  [{ "User-Agent": "rk/system" }, "api"],
] as const)("what is done with %j is recorded as done via %s", async (headers, via) => {
  const made = await client("POST", "/holders", { name: "via", kind: "service" }, headers);
  expect(made.status, made.text).toBe(201);
  const { id } = made.body["holder"] as { id: string };
  expect((await client("GET", `/admin-events?subject=${id}`)).body["data"]).toMatchObject([
    { action: "holder.created", via, actor: { kind: "management_token" } },
  ]);
});
