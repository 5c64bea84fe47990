import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { managementTokens } from "@relaykey/db/schema/access";
import { createApi } from "../app.ts";
import { createWorld } from "./world.ts";
import type { Answer, Client, World } from "./world.ts";

let world: World;
let client: Client;

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  ({ client } = await world.organization());
});

/** Creates a token and returns a client that uses it. */
async function issue(body: object, by: Client = client, ip?: string): Promise<Client & { id: string }> {
  const answer = await by("POST", "/tokens", { name: "t", ...body });
  expect(answer.status, answer.text).toBe(201);
  const made = world.caller(`Bearer ${String(answer.body["token"])}`, ip);
  return Object.assign(made, { id: idOf(answer) });
}

function idOf(answer: Answer): string {
  return (answer.body["management_token"] as { id: string }).id;
}

function fields(answer: Answer): string[] {
  return ((answer.body["errors"] ?? []) as { field: string }[]).map(({ field }) => field).sort();
}

describe("a token", () => {
  test("is shown once, listed without its text, and dead once revoked", async () => {
    const created = await client("POST", "/tokens", { name: "deploy", role: "admin" });
    const text = String(created.body["token"]);
    expect(text).toMatch(/^rk_mgmt_/);
    const use = world.caller(`Bearer ${text}`);
    expect((await use("GET", "/organization")).status).toBe(200);
    const listed = await client("GET", "/tokens");
    expect(listed.text).not.toContain(text);
    expect((listed.body["data"] as object[])[0]).toMatchObject({
      name: "deploy",
      role: "admin",
      kind: "standard",
      last_used_ip: "203.0.113.9",
    });
    const revoked = await client("POST", `/tokens/${idOf(created)}/revoke`);
    expect(revoked.body).toMatchObject({ management_token: { revoked_at: expect.any(String) as string } });
    expect((await use("GET", "/organization")).body).toMatchObject({ code: "token_revoked" });
    const again = await client("POST", `/tokens/${idOf(created)}/revoke`);
    expect(again.body).toEqual(revoked.body);
  });

  test("has the role viewer unless another is asked for, and then may only look", async () => {
    const viewer = await issue({});
    expect((await viewer("GET", "/keys")).status).toBe(200);
    expect(await viewer("POST", "/holders", { name: "x", kind: "service" })).toMatchObject({
      status: 403,
      body: { code: "role_insufficient" },
    });
  });

  test("does what its rules name, whatever spelling a path has", async () => {
    const token = await issue({ role: "admin", allow: ["GET /holders/ci", "POST /holders"] });
    expect((await token("POST", "/holders", { name: "ci", kind: "service" })).status).toBe(201);
    expect((await token("GET", "/holders/ci")).status).toBe(200);
    expect((await token("GET", "/%68olders/%63i")).status).toBe(200);
    for (const [method, path] of [
      ["GET", "/holders"],
      ["GET", "/holders/other"],
      ["GET", "/%68olders/other"],
      ["PATCH", "/holders/ci"],
      ["GET", "/organization"],
    ] as const) {
      const answer = await token(method, path, method === "PATCH" ? { name: "x" } : undefined);
      expect(answer, `${method} ${path}`).toMatchObject({ status: 403, body: { code: "token_scope" } });
    }
  });

  test("works from its addresses only, and a use from elsewhere is not noted as one", async () => {
    const inside = await issue({ ips: ["198.51.100.0/24"] }, client, "198.51.100.7");
    expect((await inside("GET", "/organization")).status).toBe(200);
    const made = await client("POST", "/tokens", { name: "t", ips: ["198.51.100.0/24", "2001:db8::/32"] });
    const text = `Bearer ${String(made.body["token"])}`;
    expect(await world.caller(text)("GET", "/organization")).toMatchObject({
      status: 403,
      body: { code: "token_address" },
    });
    const nowhere = await world.api.request(
      "/api/v1/organization",
      { headers: { Authorization: text } },
      { requestId: "r", ip: null },
    );
    expect(nowhere.status).toBe(403);
    expect((await client("GET", `/tokens/${idOf(made)}`)).body).toMatchObject({
      management_token: { last_used_at: null, last_used_ip: null },
    });
  });

  test("expires", async () => {
    const short = await issue({ expires_in: "15m" });
    expect((await short("GET", "/organization")).status).toBe(200);
    world.advance(15 * 60_000);
    expect((await short("GET", "/organization")).body).toMatchObject({ code: "token_expired" });
  });

  test("is noted as used at most once a minute", async () => {
    const token = await issue({});
    const lastUse = async () =>
      (await world.db.select().from(managementTokens).where(eq(managementTokens.id, token.id)))[0]
        ?.lastUsedAt;
    await token("GET", "/organization");
    const first = await lastUse();
    world.advance(50_000);
    await token("GET", "/organization");
    expect(await lastUse()).toEqual(first);
    world.advance(11_000);
    await token("GET", "/organization");
    expect((await lastUse())?.getTime()).toBeGreaterThan(first?.getTime() ?? Infinity);
  });

  test.each([
    [{ allow: ["GET /keys/{key}"] }, "allow"],
    [{ allow: ["fetch /keys"] }, "allow.0"],
    [{ ips: ["10.1.2.3/8"] }, "ips.0"],
    [{ expires_in: "1h", expires_at: "2099-01-01T00:00:00Z" }, "expires_in"],
    [{ expires_at: "2001-01-01T00:00:00Z" }, "expires_at"],
    [{ role: "owner" }, "role"],
    [{ kind: "bootstrap" }, "kind"],
    [{ kind: "provisioner" }, "bounds"],
    [{ name: "" }, "name"],
    [{ scope: ["x"] }, "scope"],
  ])("%j is refused and the field named", async (body, field) => {
    const answer = await client("POST", "/tokens", { name: "t", ...body });
    expect(answer).toMatchObject({ status: 400, body: { code: "invalid_request" } });
    expect(fields(answer)).toEqual([field]);
  });
});

describe("a token cannot make one that may do more than itself", () => {
  test("not by rules, addresses, expiry or role; each is named", async () => {
    const narrow = await issue({
      role: "admin",
      allow: ["POST /tokens", "GET /keys/*", "GET /keys"],
      ips: ["203.0.113.0/24"],
      expires_in: "1h",
    });
    const all = await narrow("POST", "/tokens", { name: "wider" });
    expect(all).toMatchObject({ status: 403, body: { code: "token_scope" } });
    expect(fields(all)).toEqual(["allow", "expires_at", "ips"]);
    const each = { allow: ["GET /keys"], ips: ["203.0.113.9/32"], expires_in: "30m" };
    expect(
      fields(await narrow("POST", "/tokens", { name: "x", ...each, allow: ["GET /keys", "GET /keys/**"] })),
    ).toEqual(["allow.1"]);
    expect(
      fields(
        await narrow("POST", "/tokens", { name: "x", ...each, ips: ["203.0.113.0/24", "203.0.112.0/23"] }),
      ),
    ).toEqual(["ips.1"]);
    expect(fields(await narrow("POST", "/tokens", { name: "x", ...each, ips: ["::/0"] }))).toEqual(["ips.0"]);
    expect(fields(await narrow("POST", "/tokens", { name: "x", ...each, expires_in: "61m" }))).toEqual([
      "expires_at",
    ]);
    const child = await issue(each, narrow);
    expect((await child("GET", "/keys")).status).toBe(200);
    expect((await child("GET", "/organization")).status).toBe(403);
  });

  test("a viewer's token makes none at all", async () => {
    const viewer = await issue({});
    expect((await viewer("POST", "/tokens", { name: "x" })).status).toBe(403);
  });
});

describe("a provisioner", () => {
  const BOUNDS = {
    integrations: ["openai"],
    holders: ["ci"],
    allow: ["GET,POST /v1/**"],
    max_ttl: "1h",
    ips: ["10.0.0.0/8"],
    rate: "100/minute",
    max_alive: 2,
  };
  const KEY = {
    holder: "ci",
    integration: "openai",
    allow: ["GET /v1/models"],
    ip: { mode: "allowlist", cidrs: ["10.1.0.0/16"] },
    limits: { rate: "10/minute" },
    expires_in: "30m",
  };
  let provisioner: Client & { id: string };

  beforeEach(async () => {
    await client("POST", "/integrations", { slug: "openai", secret: "sk-1" });
    await client("POST", "/integrations", { slug: "anthropic", secret: "sk-2" });
    await client("POST", "/holders", { name: "ci", kind: "service" });
    await client("POST", "/holders", { name: "secret-project", kind: "service" });
    provisioner = await issue({ kind: "provisioner", bounds: BOUNDS });
  });

  const keyId = (answer: Answer) => (answer.body["key"] as { id: string }).id;

  test("mints within its bounds, and sees and revokes what it minted alone", async () => {
    const mine = await provisioner("POST", "/keys", KEY);
    expect(mine.status, mine.text).toBe(201);
    const other = await client("POST", "/keys", { ...KEY, ip: { mode: "any" } });
    expect(other.status).toBe(201);
    expect((await provisioner("GET", "/keys")).body["data"]).toMatchObject([{ id: keyId(mine) }]);
    for (const path of ["", "/enforcement", "/receipts"]) {
      expect((await provisioner("GET", `/keys/${keyId(other)}${path}`)).status).toBe(404);
      expect((await provisioner("GET", `/keys/${keyId(mine)}${path}`)).status).toBe(200);
    }
    expect((await provisioner("POST", `/keys/${keyId(other)}/revoke`)).status).toBe(404);
    expect((await client("GET", `/keys/${keyId(other)}`)).body).toMatchObject({ key: { state: "active" } });
    expect((await provisioner("POST", `/keys/${keyId(mine)}/revoke`)).body).toMatchObject({
      key: { state: "revoked" },
    });
    const sibling = await issue({ kind: "provisioner", bounds: BOUNDS });
    expect((await sibling("GET", "/keys")).body["data"]).toEqual([]);
  });

  test.each<[string, object, string]>([
    ["another integration", { integration: "anthropic" }, "integration"],
    ["another holder", { holder: "secret-project" }, "holder"],
    ["a wider path", { allow: ["GET /**"] }, "allow.0"],
    ["another method", { allow: ["GET /v1/models", "DELETE /v1/models"] }, "allow.1"],
    ["a name bound to more", { allow: ["GET /{v}/models"], bindings: { v: "v2" } }, "allow.0"],
    ["no end", { expires_in: undefined }, "expires_in"],
    ["a later end", { expires_in: "61m" }, "expires_in"],
    ["any address", { ip: { mode: "any" } }, "ip"],
    ["confirmation instead of addresses", { ip: { mode: "confirm" } }, "ip"],
    ["other addresses", { ip: { mode: "allowlist", cidrs: ["10.0.0.0/7"] } }, "ip"],
    ["no rate", { limits: {} }, "limits.rate"],
    ["a higher rate", { limits: { rate: "101/minute" } }, "limits.rate"],
    ["a rate in shorter windows", { limits: { rate: "100/s" } }, "limits.rate"],
    ["enforcement that revokes late", { enforcement: "edge" }, "enforcement"],
  ])("is refused %s, and the field named", async (_, more, field) => {
    const answer = await provisioner("POST", "/keys", { ...KEY, ...more });
    expect(answer).toMatchObject({ status: 403, body: { code: "token_scope" } });
    expect(fields(answer)).toEqual([field]);
  });

  test("cannot tell what is there from what is not", async () => {
    const [there, gone] = [
      await provisioner("POST", "/keys", { ...KEY, integration: "anthropic", holder: "secret-project" }),
      await provisioner("POST", "/keys", { ...KEY, integration: "anthropix", holder: "secret-projekt" }),
    ];
    expect(there.body["errors"]).toEqual(gone.body["errors"]);
    const [seen, unseen] = [
      await provisioner("GET", "/keys?holder=secret-project"),
      await provisioner("GET", "/keys?holder=secret-projekt"),
    ];
    expect([seen.status, seen.body["data"]]).toEqual([unseen.status, unseen.body["data"]]);
  });

  test("has no more alive than it may; revoked and expired keys make room", async () => {
    const first = await provisioner("POST", "/keys", KEY);
    await provisioner("POST", "/keys", { ...KEY, expires_in: "10m" });
    expect(await provisioner("POST", "/keys", KEY)).toMatchObject({
      status: 409,
      body: { code: "too_many_alive" },
    });
    await provisioner("POST", `/keys/${keyId(first)}/revoke`);
    expect((await provisioner("POST", "/keys", KEY)).status).toBe(201);
    expect((await provisioner("POST", "/keys", KEY)).status).toBe(409);
    world.advance(10 * 60_000);
    expect((await provisioner("POST", "/keys", KEY)).status).toBe(201);
  });

  test("may do nothing else", async () => {
    for (const [method, path, body] of [
      ["GET", "/holders"],
      ["GET", "/integrations"],
      ["GET", "/tokens"],
      ["GET", "/audit-events"],
      ["GET", "/organization"],
      ["POST", "/tokens", { name: "x" }],
      ["PATCH", `/keys/${provisioner.id}`, { name: "x" }],
    ] as const) {
      expect(await provisioner(method, path, body), `${method} ${path}`).toMatchObject({
        status: 403,
        body: { code: "token_scope" },
      });
    }
  });

  test("its bounds name things that are there", async () => {
    const wrong = { ...BOUNDS, integrations: ["openai", "gone"] };
    expect(await client("POST", "/tokens", { name: "p", kind: "provisioner", bounds: wrong })).toMatchObject({
      status: 422,
      body: { code: "integration_unknown", errors: [{ field: "bounds.integrations.1" }] },
    });
  });
});

test("calls are counted per token and per address; the answers tell what is left", async () => {
  const { token } = await world.organization();
  const { token: other } = await world.organization();
  const api = createApi(world.deps, {
    token: { limit: 3, windowSeconds: 3_600 },
    address: { limit: 4, windowSeconds: 3_600 },
  });
  const call = (text: string, ip: string) =>
    api.request(
      "/api/v1/organization",
      { headers: { Authorization: `Bearer ${text}` } },
      { requestId: "r", ip },
    );
  const [first, second, third, fourth] = [
    await call(token, "192.0.2.1"),
    await call(token, "192.0.2.2"),
    await call(token, "192.0.2.1"),
    await call(token, "192.0.2.1"),
  ];
  expect(first.headers.get("RateLimit-Policy")).toBe('"relaykey";q=3;w=3600');
  expect(second.headers.get("RateLimit")).toMatch(/^"relaykey";r=1;t=\d+$/);
  expect([first, second, third].map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(fourth.status).toBe(429);
  expect(Number(fourth.headers.get("Retry-After"))).toBeGreaterThan(0);
  expect(await fourth.json()).toMatchObject({ code: "rate_limited" });
  // What the token was refused for does not count against its address.
  expect((await call(other, "192.0.2.1")).status).toBe(200);
  expect((await call(other, "192.0.2.1")).status).toBe(200);
  expect((await call(other, "192.0.2.1")).status).toBe(429);
  expect((await call(token, "192.0.2.9")).status).toBe(429);
  // Whoever has one IPv6 address has the /64 that it lies in.
  const tokens = await Promise.all(Array.from({ length: 5 }, () => world.organization()));
  const statuses: number[] = [];
  for (const [index, { token: each }] of tokens.entries())
    statuses.push((await call(each, `2001:db8::${String(index + 1)}`)).status);
  expect(statuses).toEqual([200, 200, 200, 200, 429]);
  // The window slides by sixtieths: what was used is free again a sixtieth late at most.
  world.advance(3_600_000 + 60_000);
  expect((await call(token, "192.0.2.1")).status).toBe(200);
});
