import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isId } from "@relaykey/core/ids";
import { hashToken, parseToken } from "@relaykey/core/token";
import { markEnforced } from "@relaykey/db/queries/outbox";
import { outbox, relayKeys } from "@relaykey/db/schema/keys";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { enforceKey, retryOpenChanges } from "../../service/enforcement.ts";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

let world: World;
let client: Client;

interface KeyJson {
  id: string;
  name: string;
  state: string;
  allow: unknown[];
  policy: { version: number; state: string; enforced_version: number };
  limits: unknown;
  ip: unknown;
  expires_at: string | null;
}

interface KeyAnswer {
  key: KeyJson;
  token: string;
  enforcement: { state: string; version: number; enforced_at: string | null };
}

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  world.keyControl.failing = null;
  world.keyControl.before = () => Promise.resolve();
  ({ client } = await world.organization());
  await client("POST", "/integrations", { slug: "openai", secret: "sk-vendor" });
  await client("POST", "/holders", { name: "ci", kind: "service" });
});

const REQUEST = { holder: "ci", integration: "openai", allow: ["POST /v1/chat/completions"] };

async function createKey(more: object = {}): Promise<KeyAnswer> {
  const answer = await client("POST", "/keys", { ...REQUEST, ...more });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body as unknown as KeyAnswer;
}

async function readRow(keyId: string): Promise<typeof relayKeys.$inferSelect> {
  const [row] = await world.db.select().from(relayKeys).where(eq(relayKeys.id, keyId));
  if (row === undefined) throw new Error("no such key");
  return row;
}

describe("creating a key", () => {
  test("answers once it is enforced, with a token that only its hash is kept of", async () => {
    const answer = await client("POST", "/keys", {
      ...REQUEST,
      name: "nightly",
      ip: { mode: "allowlist", cidrs: ["10.0.0.0/8", "2001:db8::1"] },
      expires_in: "7d",
      limits: { rate: "100/minute", uses: 5, max_body_bytes: 1000 },
    });
    expect(answer.status).toBe(201);
    const { key, token, enforcement } = answer.body as unknown as KeyAnswer;
    expect(isId(key.id)).toBe(true);
    expect(enforcement).toMatchObject({ state: "enforced", version: 1 });
    expect(key).toMatchObject({
      name: "nightly",
      state: "active",
      allow: ["POST /v1/chat/completions"],
      ip: { mode: "allowlist", cidrs: ["10.0.0.0/8", "2001:db8::1/128"] },
      limits: { rate: "100/m", uses: 5, max_body_bytes: 1000 },
      policy: { version: 1, state: "enforced", enforced_version: 1 },
    });
    expect(Date.parse(key.expires_at ?? "") - Date.now()).toBeGreaterThan(6.9 * 86_400_000);

    const snapshot = world.keyControl.latest(key.id);
    expect(snapshot).toMatchObject({ version: 1, tokenHash: await hashToken(token), state: "active" });
    expect(parseToken(token)?.locator).toBe(snapshot?.holderLocator);
    expect(JSON.stringify(await readRow(key.id))).not.toContain(token);
    const shown = await client("GET", `/keys/${key.id}`);
    expect(shown.text).not.toContain(token);
    expect(shown.text).not.toContain(await hashToken(token));
  });

  test("people's keys confirm each new address, machines' keys do not, unless told otherwise", async () => {
    await client("POST", "/holders", { name: "ada", kind: "person", email: "ada@example.com" });
    expect((await createKey({ holder: "ada" })).key.ip).toEqual({ mode: "confirm" });
    expect((await createKey()).key.ip).toEqual({ mode: "any" });
    expect((await createKey({ holder: "ada", ip: { mode: "any" } })).key.ip).toEqual({ mode: "any" });
  });

  test("rules with constraints on the query come back as they were given", async () => {
    const rule = {
      rule: "GET /v1/files",
      query: { allow: ["limit"], values: { purpose: ["batch"] }, no_duplicates: true },
    };
    const { key } = await createKey({ allow: ["GET /v1/models", rule] });
    expect(key.allow).toEqual(["GET /v1/models", rule]);
    expect(world.keyControl.latest(key.id)?.rules).toEqual([
      { methods: ["GET"], path: "/v1/models" },
      {
        methods: ["GET"],
        path: "/v1/files",
        query: { allow: ["limit"], values: { purpose: ["batch"] }, noDuplicates: true },
      },
    ]);
  });

  test.each([
    [{ holder: "nobody" }, 422, "holder_unknown", "holder", /no holder "nobody"/],
    [{ integration: "nothing" }, 422, "integration_unknown", "integration", /create it/],
    [{ allow: [] }, 400, "invalid_request", "allow", /at least one rule/],
    [{ allow: ["POST v1"] }, 400, "invalid_request", "allow.0", /slash/],
    [{ allow: ["post /v1"] }, 400, "invalid_request", "allow.0", /upper case/],
    [{ allow: ["GET /zones/{zone}"] }, 400, "invalid_request", "bindings", /\{zone\}/],
    [{ bindings: { zone: "z" } }, 400, "invalid_request", "bindings.zone", /No rule/],
    [{ ip: { mode: "allowlist" } }, 400, "invalid_request", "ip.cidrs", /needs its blocks/],
    [
      { ip: { mode: "allowlist", cidrs: ["10.1.2.3/8"] } },
      400,
      "invalid_request",
      "ip.cidrs.0",
      /10\.1\.2\.3\/8/,
    ],
    [{ ip: { mode: "any", cidrs: ["10.0.0.0/8"] } }, 400, "invalid_request", "ip.cidrs", /allowlist/],
    [{ expires_at: "2020-01-01T00:00:00Z" }, 400, "invalid_request", "expires_at", /future/],
    [{ expires_at: "tomorrow" }, 400, "invalid_request", "expires_at", /2027-01-31T12:00:00Z/],
    [{ expires_in: "7 days" }, 400, "invalid_request", "expires_in", /7d/],
    [
      { expires_in: "7d", expires_at: "2099-01-01T00:00:00Z" },
      400,
      "invalid_request",
      "expires_in",
      /not both/,
    ],
    [
      { not_before: "2099-01-02T00:00:00Z", expires_at: "2099-01-01T00:00:00Z" },
      400,
      "invalid_request",
      "not_before",
      /before it expires/,
    ],
    [{ limits: { rate: "many" } }, 400, "invalid_request", "limits.rate", /100\/minute/],
    [
      { limits: { burst: 1 } },
      400,
      "invalid_request",
      "limits.burst",
      /rate, uses, concurrency, max_body_bytes/,
    ],
    [{ ips: [] }, 400, "invalid_request", "ips", /holder, integration/],
    [{ holder: undefined }, 400, "invalid_request", "holder", /id or a name/],
  ])("%j is refused and the field named", async (more, status, code, field, message) => {
    const before = world.keyControl.applied.length;
    const answer = await client("POST", "/keys", { ...REQUEST, ...more });
    expect(answer).toMatchObject({ status, body: { code, status } });
    expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
    const errors = answer.body["errors"] as { field: string; message: string }[];
    expect(errors.map((error) => error.field)).toContain(field);
    expect(errors.find((error) => error.field === field)?.message).toMatch(message);
    expect(world.keyControl.applied).toHaveLength(before);
  });
});

describe("changing a key", () => {
  test("brings a new version to the data plane, with only the named things changed", async () => {
    const { key } = await createKey({ allow: ["GET /a", "GET /b", "GET /c"], limits: { uses: 3 } });
    const answer = await client("PATCH", `/keys/${key.id}`, {
      allow: ["GET /d"],
      limits: { rate: "5/10s" },
      expires_in: "2h",
    });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        key: { allow: ["GET /d"], limits: { rate: "5/10s", uses: 3 }, name: key.name },
        enforcement: { state: "enforced", version: 2 },
      },
    });
    expect(world.keyControl.latest(key.id)).toMatchObject({
      version: 2,
      rules: [{ methods: ["GET"], path: "/d" }],
      limits: { rate: { limit: 5, windowSeconds: 10 }, uses: 3 },
    });
    const cleared = await client("PATCH", `/keys/${key.id}`, { limits: { uses: null }, expires_at: null });
    expect(cleared.body).toMatchObject({ key: { limits: { rate: "5/10s", uses: null }, expires_at: null } });
  });

  test("an empty or unknown change is refused", async () => {
    const { key } = await createKey();
    expect(await client("PATCH", `/keys/${key.id}`, {})).toMatchObject({
      status: 400,
      body: { errors: [{ field: "body", message: expect.stringContaining("at least one") as string }] },
    });
    expect((await client("PATCH", `/keys/${key.id}`, { holder: "ci" })).body["errors"]).toMatchObject([
      { field: "holder" },
    ]);
    expect((await client("PATCH", "/keys/no-id", { name: "x" })).status).toBe(404);
  });

  test("changes at the same time each get a version of their own, and the newest is what holds", async () => {
    const { key } = await createKey();
    const answers = await Promise.all(
      ["/a", "/b", "/c", "/d"].map((path) => client("PATCH", `/keys/${key.id}`, { allow: [`GET ${path}`] })),
    );
    const won = answers.filter(({ status }) => status === 200);
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    const rows = await world.db.select().from(outbox).where(eq(outbox.keyId, key.id));
    const versions = rows.map(({ version }) => version).sort((left, right) => left - right);
    expect(versions).toEqual(Array.from({ length: won.length + 1 }, (_, index) => index + 1));

    const stored = (await client("GET", `/keys/${key.id}`)).body["key"] as KeyJson;
    const held = world.keyControl.latest(key.id);
    expect(held?.version).toBe(stored.policy.version);
    expect(held?.rules.map(({ path }) => `GET ${path}`)).toEqual(stored.allow);
    expect(stored.policy.state).toBe("enforced");
  });

  test("changes of different things at the same time both last", async () => {
    const { key } = await createKey();
    const changes = [{ limits: { uses: 7 } }, { limits: { rate: "5/10s" } }, { name: "renamed" }];
    await Promise.all(changes.map((change) => client("PATCH", `/keys/${key.id}`, change)));
    expect((await client("GET", `/keys/${key.id}`)).body["key"]).toMatchObject({
      name: "renamed",
      limits: { uses: 7, rate: "5/10s" },
      policy: { version: 4, state: "enforced" },
    });
  });

  test("a version that the data plane confirms late does not hide a newer one", async () => {
    const { key } = await createKey();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.keyControl.before = ({ version }) => (version === 2 ? held : Promise.resolve());
    const slow = client("PATCH", `/keys/${key.id}`, { allow: ["GET /old"] });
    while (((await client("GET", `/keys/${key.id}`)).body["key"] as KeyJson).policy.version < 2);
    const fast = await client("PATCH", `/keys/${key.id}`, { allow: ["GET /new"] });
    expect(fast.body).toMatchObject({ enforcement: { state: "enforced", version: 3 } });
    release();
    expect((await slow).body).toMatchObject({ enforcement: { state: "enforced", version: 3 } });
    const stored = (await client("GET", `/keys/${key.id}`)).body["key"] as KeyJson;
    expect(stored).toMatchObject({ allow: ["GET /new"], policy: { version: 3, enforced_version: 3 } });
  });
});

describe("revoking a key", () => {
  test("is final, enforced on return, and can be repeated", async () => {
    const { key } = await createKey();
    const first = await client("POST", `/keys/${key.id}/revoke`);
    expect(first).toMatchObject({
      status: 200,
      body: { key: { state: "revoked" }, enforcement: { state: "enforced", version: 2 } },
    });
    expect(world.keyControl.revoked.at(-1)).toMatchObject({ ref: { keyId: key.id }, version: 2 });
    const calls = world.keyControl.revoked.length;
    const again = await client("POST", `/keys/${key.id}/revoke`);
    expect(again).toMatchObject({ status: 200, body: { enforcement: { state: "enforced", version: 2 } } });
    expect(world.keyControl.revoked).toHaveLength(calls);
    expect(await client("PATCH", `/keys/${key.id}`, { name: "back" })).toMatchObject({
      status: 409,
      body: { code: "key_revoked" },
    });
    const events = await world.db
      .select()
      .from(adminAuditEvents)
      .where(eq(adminAuditEvents.subjectId, key.id));
    expect(events.map(({ action }) => action).sort()).toEqual(["key.created", "key.revoked"]);
  });

  test("wins over changes at the same time", async () => {
    const { key } = await createKey();
    await Promise.all([
      client("PATCH", `/keys/${key.id}`, { name: "one" }),
      client("POST", `/keys/${key.id}/revoke`),
      client("PATCH", `/keys/${key.id}`, { name: "two" }),
    ]);
    const shown = (await client("GET", `/keys/${key.id}`)).body["key"] as KeyJson;
    expect(shown.state).toBe("revoked");
    expect(world.keyControl.holding.get(key.id)).toBe(shown.policy.version);
    expect(world.keyControl.revoked.at(-1)?.version).toBe(shown.policy.version);
  });

  test("that cannot reach the data plane is pending, and pending again when repeated", async () => {
    const { key } = await createKey();
    world.keyControl.failing = () => true;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await client("POST", `/keys/${key.id}/revoke`)).toMatchObject({
        status: 202,
        body: { enforcement: { state: "pending", version: 2, enforced_at: null } },
      });
    }
    world.keyControl.failing = null;
    expect((await client("POST", `/keys/${key.id}/revoke`)).body).toMatchObject({
      enforcement: { state: "enforced", version: 2 },
    });
  });
});

describe("what could not be enforced", () => {
  test("is shown as pending, retried when due, and done once", async () => {
    world.keyControl.failing = () => true;
    const { key, token, enforcement } = await createKey();
    expect(enforcement).toMatchObject({ state: "pending", version: 1 });
    expect(parseToken(token)).not.toBeNull();
    expect(key.policy.state).toBe("pending");

    world.keyControl.failing = null;
    // The failed attempt itself pushed the next one into the future.
    await retryOpenChanges(world.deps);
    expect(world.keyControl.latest(key.id)).toBeUndefined();
    world.advance(3_000);
    await retryOpenChanges(world.deps);
    expect(world.keyControl.latest(key.id)?.version).toBe(1);
    expect((await client("GET", `/keys/${key.id}`)).body).toMatchObject({
      key: { policy: { state: "enforced", enforced_version: 1 } },
    });
    const applies = world.keyControl.applied.length;
    await retryOpenChanges(world.deps);
    expect(world.keyControl.applied).toHaveLength(applies);
  });

  test("a confirmation of an older version is not one of this", async () => {
    const { key } = await createKey();
    const { deps } = world;
    const stale = { keyId: key.id, version: 1, enforcedAt: Date.now(), waitedMs: 0 };
    const enforcement = await enforceKey(
      { ...deps, keyControl: { ...deps.keyControl, apply: () => Promise.resolve(stale) } },
      (await readRow(key.id)).organizationId,
      key.id,
      2,
    );
    expect(enforcement).toEqual({ state: "pending", version: 2 });
  });

  test("a late confirmation of an older version does not take a newer one back", async () => {
    const { key } = await createKey();
    const { organizationId } = await readRow(key.id);
    for (const version of [3, 2]) {
      const at = new Date(version * 1_000);
      await markEnforced(world.db, organizationId, key.id, { version, enforcedAt: at, waitedMs: 0, now: at });
    }
    expect(await readRow(key.id)).toMatchObject({ enforcedVersion: 3, enforcedAt: new Date(3_000) });
  });

  test("backs off further with each failure", async () => {
    world.keyControl.failing = () => true;
    const { key } = await createKey();
    const read = async () => {
      const [row] = await world.db.select().from(outbox).where(eq(outbox.keyId, key.id));
      return { attempts: row?.attempts, wait: (row?.nextAttemptAt.getTime() ?? 0) - world.deps.now() };
    };
    expect((await read()).attempts).toBe(1);
    world.advance(2_500);
    await retryOpenChanges(world.deps);
    const second = await read();
    expect(second.attempts).toBe(2);
    expect(second.wait).toBeGreaterThan(2_500);
    world.keyControl.failing = null;
    world.advance(600_000);
    await retryOpenChanges(world.deps);
  });
});

test("lists are paged, newest first, and filtered", async () => {
  const ids: string[] = [];
  for (let index = 0; index < 3; index += 1) ids.unshift((await createKey()).key.id);
  await client("POST", `/keys/${ids[0] ?? ""}/revoke`);
  const first = await client("GET", "/keys?limit=2&holder=ci&integration=openai");
  expect((first.body["data"] as KeyJson[]).map(({ id }) => id)).toEqual(ids.slice(0, 2));
  const second = await client("GET", `/keys?limit=2&cursor=${String(first.body["next_cursor"])}`);
  expect((second.body["data"] as KeyJson[]).map(({ id }) => id)).toEqual(ids.slice(2));
  expect(second.body["next_cursor"]).toBeNull();
  const revoked = await client("GET", "/keys?state=revoked");
  expect((revoked.body["data"] as KeyJson[]).map(({ id }) => id)).toEqual(ids.slice(0, 1));
  for (const query of ["?limit=0", "?limit=201", "?cursor=x", "?state=gone", "?size=3", "?limit=1&limit=2"]) {
    expect((await client("GET", `/keys${query}`)).status, query).toBe(400);
  }
  expect((await client("GET", "/keys?holder=nobody")).status).toBe(422);
});
