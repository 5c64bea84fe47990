import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { openPglite } from "../../../local/sql/pglite.ts";
import { openPostgres } from "../../../local/sql/postgres.ts";
import { startPostgres } from "../../../local/sql/test-postgres.ts";
import { systemCaller } from "../../service/caller.ts";
import { openApiDocument } from "../openapi.ts";
import { readingOf } from "../precondition.ts";
import type { Route } from "../route.ts";
import { ROUTES } from "../routes/index.ts";
import { stateOfOrganization } from "./state.ts";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

/** Operations that change something without regard to what was read, and why that is right. A new one has to be here, or take If-Match. */
const UNCONDITIONAL: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      "freezeOrganization",
      "unfreezeOrganization",
      "freezeHolder",
      "unfreezeHolder",
      "freezeKey",
      "unfreezeKey",
      "revokeKey",
      "revokeKeys",
      "revokeToken",
      "endOwnToken",
    ].map((id) => [id, "says what shall be, whatever is: a brake must not fail because of a new name"]),
  ),
  ...Object.fromEntries(
    ["enforceOrganization", "goOnRewrapping"].map((id) => [id, "goes on with what is under way"]),
  ),
  ...Object.fromEntries(
    ["dryRunPolicy", "testNewIntegration", "testIntegration", "testWebhook"].map((id) => [
      id,
      "tries something, and changes no setting",
    ]),
  ),
  ...Object.fromEntries(
    ["replayDelivery", "replayWebhook"].map((id) => [id, "sends again; a message is known by its id"]),
  ),
  ...Object.fromEntries(
    ["approveNetwork", "removeNetwork", "dismissPending"].map((id) => [
      id,
      "names one entry of a list that grows by itself, and touches no other",
    ]),
  ),
  ...Object.fromEntries(
    ["startDeviceLogin", "pollDeviceLogin"].map((id) => [
      id,
      "is a step of a ceremony: each code works once",
    ]),
  ),
  releaseDomain: "a claim has nothing but its name: it is held or it is not",
  markNoticesSeen: "a mark that can be set as often as one likes",
  setPlan: "the operator's word, whatever the plan is",
};

const CHANGES = ROUTES.filter(({ method, creates }) => method !== "GET" && creates === undefined);
const CONDITIONAL = ROUTES.filter(({ conditional }) => conditional === true);

const postgres = await startPostgres();
if (postgres === null)
  console.warn("PostgreSQL's server is not installed here: what happens at the same time was not tested.");

let world: World;

beforeAll(async () => {
  // PGlite does one thing at a time: only a real server shows what happens between a look and a write.
  world = await createWorld(() =>
    postgres === null ? openPglite("memory://") : Promise.resolve(openPostgres(postgres.url)),
  );
}, 120_000);

afterAll(async () => {
  await world.close();
  postgres?.stop();
});

test("each operation that changes something takes If-Match, or says why not", () => {
  const without = CHANGES.filter(({ conditional }) => conditional !== true).map(({ id }) => id);
  expect(without.toSorted()).toEqual(Object.keys(UNCONDITIONAL).toSorted());
});

test("the document tells of If-Match where it is taken, and of the refusal", () => {
  const { paths } = JSON.parse(JSON.stringify(openApiDocument(ROUTES))) as {
    paths: Record<string, Record<string, { parameters: { name: string }[]; responses: object }>>;
  };
  for (const route of ROUTES) {
    const operation = paths[route.path]?.[route.method.toLowerCase()];
    const takes = operation?.parameters.some(({ name }) => name === "If-Match");
    expect([takes, operation !== undefined && "412" in operation.responses], route.id).toEqual(
      Array(2).fill(route.conditional === true),
    );
  }
});

/** The path of a thing, with its name in it, and a change to it by somebody else. */
interface Thing {
  readonly path: string;
  readonly touch: () => Promise<unknown>;
}

type MakeThing = (client: Client, organizationId: string) => Promise<Thing>;

async function make(client: Client, path: string, body: object, name: string): Promise<string> {
  const answer = await client("POST", path, body);
  expect(answer.status, answer.text).toBe(201);
  return (answer.body[name] as { id: string }).id;
}

const made =
  (collection: string, body: () => object, name: string, change: object): MakeThing =>
  async (client) => {
    const path = `${collection}/${await make(client, collection, body(), name)}`;
    return { path, touch: () => client("PATCH", path, change) };
  };

/** By the operation that shows one. */
const THINGS: Readonly<Record<string, MakeThing>> = {
  showOrganization: async (client) => ({
    path: "/organization",
    touch: () => client("PATCH", "/organization", { name: "Touched" }),
  }),
  showCustody: async (client) => ({
    path: "/custody",
    touch: () => client("PUT", "/custody", { customer_key: null }),
  }),
  showIntegration: made("/integrations", () => ({ slug: "openai", secret: "sk-1" }), "integration", {
    name: "Touched",
  }),
  showHolder: made("/holders", () => ({ name: "ci", kind: "service" }), "holder", { name: "touched" }),
  showKey: async (client, organizationId) => {
    await make(client, "/integrations", { slug: "openai", secret: "sk-1" }, "integration");
    await make(client, "/holders", { name: "ci", kind: "service" }, "holder");
    const body = { holder: "ci", integration: "openai", allow: ["GET /v1"] };
    return made("/keys", () => body, "key", { name: "touched" })(client, organizationId);
  },
  showMember: async (client, organizationId) => {
    // The last admin stays: there is one more.
    await world.person(organizationId, "admin");
    await world.person(organizationId, "viewer");
    const { data } = (await client("GET", "/members")).body as { data: { id: string; role: string }[] };
    const path = `/members/${data.find(({ role }) => role === "viewer")?.id ?? ""}`;
    return { path, touch: () => client("PATCH", path, { role: "admin" }) };
  },
  showInvitation: async (client) => {
    const invited = { email: `${newId()}@example.com`, role: "viewer" };
    const path = `/invitations/${await make(client, "/invitations", invited, "invitation")}`;
    return {
      path,
      touch: () => {
        world.advance(1_000);
        return client("POST", `${path}/resend`);
      },
    };
  },
  showWebhook: made("/webhooks", () => ({ url: "https://hooks.example.com/a" }), "webhook", {
    description: "touched",
  }),
};

/** What an operation is sent, where its example would change nothing or be refused. */
const BODIES: Readonly<Record<string, object>> = {
  changeOrganization: { name: "Changed" },
  changeIntegration: { name: "Changed" },
  changeCustody: { customer_key: null },
  changeWebhook: { description: "changed" },
};

/** What has to have happened first. */
const FIRST: Readonly<Record<string, (client: Client, path: string) => Promise<unknown>>> = {
  rollBackIntegration: (client, path) => client("POST", `${path}/rotate`, { secret: "sk-2" }),
};

const AT_ONCE = 3;

describe.each(CONDITIONAL.map((route) => [`${route.method} ${route.path}`, route] as const))(
  "%s",
  (_, route) => {
    async function prepared() {
      const { id, client } = await world.organization();
      const reading = readingOf(route, ROUTES) ?? expect.unreachable();
      const thing = await THINGS[reading.id]?.(client, id);
      if (thing === undefined) throw new TypeError(`Say in THINGS how ${reading.id} gets something to show.`);
      await FIRST[route.id]?.(client, thing.path);
      const change = (etag: string) =>
        client(route.method, thing.path + actOf(route, reading), bodyOf(route), { "If-Match": etag });
      const etag = async () => (await client("GET", thing.path)).headers.get("ETag") ?? "";
      return { id, thing, change, etag };
    }

    test("refuses what was worked out from what is there no more, and changes nothing", async () => {
      const { id, thing, change, etag } = await prepared();
      const stale = await etag();
      expect(stale).toMatch(/^"[\w-]{22}"$/);
      expect(await thing.touch()).toMatchObject({ status: 200 });
      const before = await stateOfOrganization(world, id);
      for (const field of [stale, `W/${stale}`, '"made-up"']) {
        expect(await change(field)).toMatchObject({ status: 412, body: { code: "precondition_failed" } });
      }
      expect(await stateOfOrganization(world, id)).toBe(before);
      const done = await change(await etag());
      expect(done.status, done.text).toBeLessThan(300);
      expect(await stateOfOrganization(world, id)).not.toBe(before);
    });

    test("looks again where it writes: what has moved on since the look is not changed", async () => {
      const { id, thing } = await prepared();
      await thing.touch();
      const before = await stateOfOrganization(world, id);
      const params = Object.fromEntries(
        [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => [name, thing.path.split("/")[2] ?? ""]),
      );
      const run = route.accept({ params, query: {}, body: bodyOf(route) ?? null });
      const outcome = await run({
        deps: world.deps,
        caller: systemCaller(id),
        ip: null,
        expected: 1_000_000,
      });
      expect(outcome).toMatchObject({ ok: false, failure: { code: "precondition_failed" } });
      expect(await stateOfOrganization(world, id)).toBe(before);
    });

    test("of several that were worked out from one reading makes one", async () => {
      const { thing, change, etag } = await prepared();
      await thing.touch();
      const read = await etag();
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => change(read)));
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses[0], JSON.stringify(answers)).toBeLessThan(300);
      // What is gone is not there; what has moved on is another.
      for (const status of statuses.slice(1)) expect([404, 412]).toContain(status);
    });
  },
);

function actOf(route: Route, reading: Route): string {
  return route.path.slice(reading.path.length);
}

function bodyOf(route: Route): unknown {
  return route.body === null ? undefined : (BODIES[route.id] ?? route.example);
}
