import { and, eq, gt } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { newId } from "@relaykey/core/ids";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import type { Role } from "@relaykey/db/schema/people";
import { setSessionToken } from "../../app/.server/session.ts";
import { ACTIONS, authorize } from "../../service/authorization.ts";
import type * as authorization from "../../service/authorization.ts";
import type { Caller } from "../../service/caller.ts";
import { decideDeviceLogin } from "../../service/device-logins.ts";
import type { Route } from "../route.ts";
import { ROUTES } from "../routes/index.ts";
import { founder } from "./accounts/people.ts";
import { stateOfOrganization } from "./state.ts";
import { TEST_ADDRESS, createWorld } from "./world.ts";
import type { Answer, Client, World } from "./world.ts";
import { watchWrites } from "./writes.ts";
import type { Writes } from "./writes.ts";

vi.mock("../../service/authorization.ts", async (importOriginal) => {
  const original = await importOriginal<typeof authorization>();
  return { ...original, authorize: vi.fn(original.authorize) };
});

const ENDS_ITSELF = "endOwnToken";

/** Walks over all routes of the table: a new one is part of them without a word here (G8). */
const GUARDED = ROUTES.filter(({ action }) => action !== null).sort(
  // One that ends the token that asks comes last: the others are asked with the same tokens.
  (left, right) => Number(left.id === ENDS_ITSELF) - Number(right.id === ENDS_ITSELF),
);

let world: World;
let seenWrites: () => Promise<Writes>;
let organizationId: string;
let admin: Client;
/** Values for path parameters that name things of the organization. */
let ids: Record<string, string>;
const strangers: Record<string, Client> = {};
/** All who may do what an admin may, but for what only people or the installation's first token may. */
const admins: Record<string, Client> = {};

beforeAll(async () => {
  world = await createWorld();
  seenWrites = await watchWrites(world.db);
  ({ id: organizationId, client: admin } = await world.organization());
  ids = {
    ...(await populate(admin)),
    ...(await member(admin, organizationId)),
    ...(await invitation(admin)),
    ...(await webhook(admin)),
    domain: await world.domain(organizationId),
    organization: organizationId,
  };
  const issue = async (body: object, ip?: string) => {
    const made = await admin("POST", "/tokens", { name: "walk", ...body });
    expect(made.status, made.text).toBe(201);
    return { made, client: world.caller(`Bearer ${String(made.body["token"])}`, ip) };
  };
  const revoked = await issue({ role: "admin" });
  const { id } = revoked.made.body["management_token"] as { id: string };
  await admin("POST", `/tokens/${id}/revoke`);
  const bounds = { integrations: ["openai"], allow: ["GET /**"], max_ttl: "1h", max_alive: 1 };
  const session = (await founder(world)).token;
  const dashboard = { clientIps: { kind: "edge" }, insecureCookies: true, securityContact: "" } as const;
  const cookie = await setSessionToken({ ...world.deps, ...dashboard }, session);
  const nobody = world.caller(null);
  const other = await world.organization();
  const signedOut = await commandLine(organizationId, "admin");
  expect((await signedOut("DELETE", "/whoami")).status).toBe(200);
  Object.assign(admins, {
    "its own admin": admin,
    "a token that may all in so many words": (await issue({ role: "admin", allow: ["* /**"] })).client,
    "an admin's command line": await commandLine(organizationId, "admin"),
  });
  Object.assign(strangers, {
    nobody,
    "a signed-in browser": (method, path, body) =>
      nobody(method, path, body, { Cookie: cookie.split(";")[0] ?? "" }),
    "a session as the token": world.caller(`Bearer ${session}`),
    "a command line that has signed out": signedOut,
    "another organization's admin": other.client,
    "another organization's command line": await commandLine(other.id, "admin"),
    "a viewer": (await issue({ role: "viewer" })).client,
    "a viewer's command line": await commandLine(organizationId, "viewer"),
    "a revoked token": revoked.client,
    "a provisioner": (await issue({ kind: "provisioner", bounds })).client,
    "a token with another scope": (await issue({ role: "admin", allow: ["GET /nothing-here"] })).client,
    "a token from a foreign address": (await issue({ role: "admin", ips: ["198.51.100.0/24"] })).client,
  } satisfies Record<string, Client>);
  const brief = await issue({ role: "admin", expires_in: "1m" });
  world.advance(61_000);
  strangers["an expired token"] = brief.client;
}, 120_000);

afterAll(() => world.close());

/** A command line that a person of the organization has let in (RFC 8628). */
async function commandLine(organization: string, role: Role): Promise<Client> {
  const anybody = world.caller(null);
  const started = await anybody("POST", "/device/code", { client: "rk" });
  const person = await world.person(organization, "admin");
  const decision = { approve: true, role, lifetime: "8h" } as const;
  const decided = await decideDeviceLogin(world.deps, person, String(started.body["user_code"]), decision);
  expect(decided).toMatchObject({ ok: true });
  world.advance(6_000);
  const admitted = await anybody("POST", "/device/token", { device_code: started.body["device_code"] });
  expect(admitted.status, admitted.text).toBe(200);
  return world.caller(`Bearer ${String(admitted.body["access_token"])}`);
}

/** Things of an organization, by the name of the parameter that names them. */
async function populate(client: Client): Promise<Record<string, string>> {
  const integration = await client("POST", "/integrations", { slug: "openai", secret: "sk-1" });
  const holder = await client("POST", "/holders", { name: "ci", kind: "service" });
  const key = await client("POST", "/keys", { holder: "ci", integration: "openai", allow: ["GET /v1"] });
  const token = await client("POST", "/tokens", { name: "of the organization" });
  const inside = (answer: Answer, name: string) => (answer.body[name] as { id: string }).id;
  return {
    integration: inside(integration, "integration"),
    holder: inside(holder, "holder"),
    key: inside(key, "key"),
    token: inside(token, "management_token"),
  };
}

function address(route: Route): string {
  return route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? newId());
}

function ask(client: Client, route: Route): Promise<Answer> {
  return client(route.method, address(route), route.body === null ? undefined : route.example);
}

function rowOf(route: Route): { readonly role: string; readonly provisioner?: true } {
  if (route.action === null) throw new TypeError(`${route.id} is public`);
  return ACTIONS[route.action];
}

const NAMED = GUARDED.map((route) => [`${route.method} ${route.path}`, route] as const);

describe.each(NAMED)("%s", (_, route) => {
  test("is refused to whoever has no token that counts", async () => {
    const expected = {
      nobody: [401, "token_missing"],
      "a signed-in browser": [401, "token_missing"],
      "a session as the token": [401, "token_invalid"],
      "a command line that has signed out": [401, "token_revoked"],
      "a revoked token": [401, "token_revoked"],
      "an expired token": [401, "token_expired"],
      "a token from a foreign address": [403, "token_address"],
      "a token with another scope": [403, "bootstrapOnly" in rowOf(route) ? "bootstrap_only" : "token_scope"],
    } as const;
    for (const [who, [status, code]] of Object.entries(expected)) {
      const client = strangers[who];
      if (client === undefined) throw new TypeError(who);
      const answer = await ask(client, route);
      const isPeopleOnly = answer.body["code"] === "people_only";
      expect([answer.status, isPeopleOnly ? code : answer.body["code"]], who).toEqual([status, code]);
    }
  });

  test("is for its role only, and for provisioners only where the table says so", async () => {
    const { role, provisioner } = rowOf(route);
    const minter = strangers["a provisioner"] ?? expect.unreachable();
    for (const who of ["a viewer", "a viewer's command line"]) {
      const viewer = strangers[who] ?? expect.unreachable();
      if (role !== "admin") continue;
      expect(await ask(viewer, route), who).toMatchObject({
        status: 403,
        body: { code: "role_insufficient" },
      });
    }
    const answer = await ask(minter, route);
    if (provisioner !== true) {
      expect(answer.status).toBe(403);
    } else if (route.path.includes("{key}")) {
      expect([403, 404]).toContain(answer.status);
    } else {
      // What it may see is what it minted, which is nothing yet, and what everybody may.
      expect(answer.text).not.toContain(ids["key"]);
    }
  });

  test("shows and changes nothing of another organization", async () => {
    const before = await stateOfOrganization(world, organizationId);
    for (const who of ["another organization's admin", "another organization's command line"]) {
      const other = strangers[who] ?? expect.unreachable();
      const answer = await ask(other, route);
      if (route.path.includes("{")) expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
      for (const id of Object.values(ids)) {
        // What a caller sent may be named in the refusal; what is there may not.
        if (!address(route).includes(id)) expect(answer.text, who).not.toContain(id);
      }
    }
    expect(await stateOfOrganization(world, organizationId)).toBe(before);
  });

  test("is authorized by the service as the table says", async () => {
    const recorded = vi.mocked(authorize);
    recorded.mockClear();
    const params = Object.fromEntries(
      [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => [name, ids[name] ?? newId()]),
    );
    const viewer: Caller = {
      organizationId: (await world.organization()).id,
      actor: { kind: "management_token", id: newId() },
      via: "api",
      ip: null,
      role: "viewer",
      token: {
        id: newId(),
        kind: "standard",
        rules: null,
        ipCidrs: null,
        expiresAt: null,
        bounds: null,
        userId: null,
      },
      isStrong: true,
    };
    const query = route.method === "DELETE" && route.query !== null ? { network: "192.0.2.1" } : {};
    const run = route.accept({ params, query, body: route.body === null ? null : route.example });
    const outcome = await run({ deps: world.deps, caller: viewer, ip: null, expected: null });
    expect(recorded.mock.calls[0]?.[1]).toBe(route.action);
    if (rowOf(route).role === "admin") {
      expect(outcome).toMatchObject({ ok: false, failure: { code: "role_insufficient" } });
    }
  });
});

/** Were the refusals above for want of a thing to ask for, these would be refused as well. */
describe("whoever may, is shown", () => {
  const reads = GUARDED.filter(({ method }) => method === "GET");

  test.each(reads.map((route) => [route.path, route] as const))("%s", async (_, route) => {
    for (const [who, client] of Object.entries(admins)) {
      const answer = await ask(client, route);
      expect(answer.status, `${who}: ${answer.text}`).toBe(200);
    }
  });
});

/** Other than one event: of each thing that changes one. It is the installation that rewraps, each vendor key with its own. */
const EVENTS: Readonly<Record<string, number>> = { rerollKey: 2, goOnRewrapping: 0 };

interface Try {
  readonly query?: string;
  readonly body?: object;
  /** In place of those that every organization of this walk has. */
  readonly things?: Readonly<Record<string, string>>;
}

async function webhook(client: Client): Promise<Record<string, string>> {
  const made = await client("POST", "/webhooks", { url: "https://hooks.example.com/relaykey" });
  expect(made.status, made.text).toBe(201);
  return { webhook: (made.body["webhook"] as { id: string }).id };
}

async function member(client: Client, organization: string): Promise<Record<string, string>> {
  await world.person(organization, "viewer");
  const [first] = (await client("GET", "/members")).body["data"] as { id: string }[];
  return { member: first?.id ?? "" };
}

async function invitation(client: Client): Promise<Record<string, string>> {
  // Mail to one address is throttled, whichever organization asks.
  const made = await client("POST", "/invitations", { email: `${newId()}@example.com`, role: "viewer" });
  expect(made.status, made.text).toBe(201);
  return { invitation: (made.body["invitation"] as { id: string }).id };
}

/** What an operation needs beyond its example to be done. */
const TRIES: Readonly<Record<string, (client: Client, organizationId: string) => Promise<Try>>> = {
  createIntegration: async () => ({ body: { slug: "stripe", secret: "sk-2" } }),
  createHolder: async () => ({ body: { name: "another", kind: "agent" } }),
  deleteIntegration: async (client) => {
    const made = await client("POST", "/integrations", { slug: "stripe", secret: "sk-2" });
    return { things: { integration: (made.body["integration"] as { id: string }).id } };
  },
  deleteHolder: async (client) => {
    const made = await client("POST", "/holders", { name: "another", kind: "agent" });
    return { things: { holder: (made.body["holder"] as { id: string }).id } };
  },
  rollBackIntegration: async (client) => {
    const route = ROUTES.find(({ id }) => id === "rotateIntegration");
    const rotated = await client("POST", "/integrations/openai/rotate", route?.example);
    expect(rotated.status, rotated.text).toBe(200);
    return {};
  },
  unfreezeKey: async (client) => {
    const [key] = (await client("GET", "/keys")).body["data"] as { id: string }[];
    await client("POST", `/keys/${String(key?.id)}/freeze`);
    return {};
  },
  revokeKeys: async () => ({ body: { holder: "ci" } }),
  removeNetwork: async (client) => {
    await client("POST", "/holders/ci/networks", { network: "203.0.113.0/24" });
    world.keyControl.removeNetwork = () => Promise.resolve(true);
    return { query: "?network=203.0.113.0%2F24" };
  },
  changeMember: async (client, organization) => ({
    things: await member(client, organization),
    body: { role: "admin" },
  }),
  removeMember: async (client, organization) => ({ things: await member(client, organization) }),
  resendInvitation: async (client) => ({ things: await invitation(client) }),
  revokeInvitation: async (client) => ({ things: await invitation(client) }),
  releaseDomain: async (_, organization) => ({ things: { domain: await world.domain(organization) } }),
  changeWebhook: async (client) => ({ things: await webhook(client) }),
  deleteWebhook: async (client) => ({ things: await webhook(client) }),
  rotateWebhookSecret: async (client) => ({ things: await webhook(client) }),
  testWebhook: async (client) => ({ things: await webhook(client) }),
  enforceOrganization: async (client) => {
    const [key] = (await client("GET", "/keys")).body["data"] as { id: string }[];
    world.keyControl.failing = () => true;
    expect((await client("PATCH", `/keys/${String(key?.id)}`, { name: "waits" })).status).toBe(202);
    world.keyControl.failing = null;
    return {};
  },
  dismissPending: async () => {
    world.keyControl.dismissPending = () => Promise.resolve(true);
    return { things: { pending: newId() } };
  },
  replayDelivery: async (client) => {
    const named = await webhook(client);
    await client("POST", "/keys", { holder: "ci", integration: "openai", allow: ["GET /v1"] });
    const deliveries = await client("GET", `/webhooks/${named["webhook"] ?? ""}/deliveries`);
    const [first] = deliveries.body["data"] as { id: string }[];
    return { things: { ...named, delivery: first?.id ?? "" } };
  },
  markNoticesSeen: async (client) => {
    const [notice] = (await client("GET", "/notices")).body["data"] as { id: string }[];
    return { body: { up_to: notice?.id } };
  },
  replayWebhook: async (client) => ({
    things: await webhook(client),
    body: { since: new Date(world.deps.now() - 3_600_000).toISOString() },
  }),
};

describe("every act of an operation is in the admin audit, in its own transaction", () => {
  const operations = GUARDED.filter(({ method }) => method !== "GET");

  test.each(operations.map((route) => [route.id, route] as const))("%s", async (id, route) => {
    const isBootstrap = "bootstrapOnly" in rowOf(route);
    const own = await world.organization(isBootstrap ? "bootstrap" : "standard");
    const things = await populate(own.client);
    const {
      query = "",
      body = route.example,
      things: more = {},
    } = (await TRIES[id]?.(own.client, own.id)) ?? {};
    const marker = newId();
    await seenWrites();
    const path = route.path.replaceAll(
      /\{(\w+)\}/g,
      (_, name: string) => more[name] ?? things[name] ?? newId(),
    );
    const answer = await own.client(route.method, path + query, route.body === null ? undefined : body);
    expect(answer.status, answer.text).toBeLessThan(300);
    const { written, unaccounted } = await seenWrites();
    expect(unaccounted).toEqual([]);
    const made = answer.body["organization"] as { id: string } | undefined;
    const events = await world.db
      .select()
      .from(adminAuditEvents)
      .where(
        and(
          eq(adminAuditEvents.organizationId, id === "createOrganization" ? (made?.id ?? "") : own.id),
          gt(adminAuditEvents.id, marker),
        ),
      );
    const actions = events.map(({ action }) => action);
    if (route.changes === "nothing") {
      expect([written, actions]).toEqual([[], []]);
      return;
    }
    expect(actions, actions.join(", ")).toHaveLength(EVENTS[id] ?? 1);
    for (const event of events) {
      expect(event).toMatchObject({ actorKind: "management_token", ip: TEST_ADDRESS });
      expect(JSON.stringify(event)).not.toMatch(/sk-\d|rk_(?:mgmt|proxy)_[A-Za-z0-9]{20}/);
    }
  });

  test("an operation that says it changes nothing says so to readers, too", () => {
    const quiet = operations.filter(({ changes }) => changes === "nothing").map(({ id }) => id);
    expect(quiet.sort()).toEqual(["dryRunPolicy", "enforceOrganization", "testNewIntegration"]);
  });
});
