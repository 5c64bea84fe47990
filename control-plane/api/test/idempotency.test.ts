import { and, eq, isNotNull } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { hashToken } from "@relaykey/core/token";
import type { Database } from "@relaykey/db/client";
import { idempotencyKeys, managementTokens } from "@relaykey/db/schema/access";
import { relayKeys } from "@relaykey/db/schema/keys";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { openPglite } from "../../../local/sql/pglite.ts";
import { openPostgres } from "../../../local/sql/postgres.ts";
import { startPostgres } from "../../../local/sql/test-postgres.ts";
import { createApi } from "../app.ts";
import { ROUTES } from "../routes/index.ts";
import { TEST_ADDRESS, createWorld } from "./world.ts";
import type { Answer, Client, World } from "./world.ts";

const postgres = await startPostgres();
if (postgres === null) console.warn("PostgreSQL's server is not installed here: PGlite stood in for it.");

let world: World;
let organizationId: string;
let token: string;
let client: Client;

beforeAll(async () => {
  world = await createWorld(() =>
    postgres === null ? openPglite("memory://") : Promise.resolve(openPostgres(postgres.url)),
  );
}, 120_000);

afterAll(async () => {
  await world.close();
  postgres?.stop();
});

beforeEach(async () => {
  ({ id: organizationId, token, client } = await world.organization("bootstrap"));
});

/** What goes wrong with the database of an attempt. */
interface Faults {
  /** Awaited before each batch; what it throws is what the database answers. */
  readonly before?: () => Promise<void>;
  /** From the moment on at which something was made, nothing is reached any more: the process is gone. */
  readonly diesOnceMade?: true;
  /** The answer cannot be kept. */
  readonly forgets?: true;
  /** The batch that makes it is lost on its way, and is handed what sends it after all. */
  readonly loses?: (arrive: () => Promise<unknown>) => void;
}

/** Of a create: the token, the claim, then what makes it. */
const MAKING_BATCH = 3;

function faulty({ before = () => Promise.resolve(), diesOnceMade, forgets, loses }: Faults): Database {
  let isDead = false;
  let batches = 0;
  return new Proxy(world.db, {
    get: (target, name) => {
      if (isDead) throw new Error("the process is gone");
      if (name === "update" && forgets === true) {
        return (table: Parameters<Database["update"]>[0]) => {
          if (table === idempotencyKeys) throw new Error("the answer is lost");
          return target.update(table);
        };
      }
      if (name === "batch") {
        return async (statements: Parameters<Database["batch"]>[0]) => {
          await before();
          batches += 1;
          if (batches === MAKING_BATCH && loses !== undefined) {
            loses(() => target.batch(statements));
            throw new Error("the database does not answer");
          }
          const answer = await target.batch(statements);
          isDead = diesOnceMade === true && (await isMade());
          if (isDead) throw new Error("the process is gone");
          return answer;
        };
      }
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

async function isMade(): Promise<boolean> {
  const rows = await world.db
    .select({ keyHash: idempotencyKeys.keyHash })
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.organizationId, organizationId), isNotNull(idempotencyKeys.madeId)));
  return rows.length > 0;
}

/** Sends a create by way of an attempt that things go wrong with. */
async function attempt(path: string, body: object, faults: Faults): Promise<Response> {
  return createApi({ ...world.deps, db: faulty(faults) }).request(
    `/api/v1${path}`,
    {
      method: "POST",
      headers: {
        Authorization: `Bearer ${token}`,
        "Content-Type": "application/json",
        "Idempotency-Key": "one",
      },
      body: JSON.stringify(body),
    },
    { requestId: newId(), ip: TEST_ADDRESS },
  );
}

const repeat = (path: string, body: object): Promise<Answer> =>
  client("POST", path, body, { "Idempotency-Key": "one" });

const KEY = { holder: "ci", integration: "openai", allow: ["GET /v1/models"] };

/** What each create needs, and what it is sent. */
async function prepared(path: string): Promise<{ readonly path: string; readonly body: object }> {
  if (path !== "/integrations") await client("POST", "/integrations", { slug: "openai", secret: "sk-1" });
  if (path !== "/holders") await client("POST", "/holders", { name: "ci", kind: "service" });
  const bodies: Readonly<Record<string, object>> = {
    "/keys": KEY,
    "/webhooks": { url: "https://hooks.example.com/relaykey" },
    "/keys/{key}/reroll": { overlap: "1h" },
  };
  const route = ROUTES.find((candidate) => candidate.path === path && candidate.method === "POST");
  const body = bodies[path] ?? (route?.example as object);
  if (!path.includes("{key}")) return { path, body };
  const made = await client("POST", "/keys", KEY);
  return { path: path.replace("{key}", (made.body["key"] as { id: string }).id), body };
}

async function events(): Promise<number> {
  return (await world.db.select({ id: adminAuditEvents.id }).from(adminAuditEvents)).length;
}

const CREATES = ROUTES.filter(({ creates }) => creates !== undefined).map(
  ({ id, path }) => [id, path] as const,
);

/** Tokens are known by their hashes: what is shown again must be what was made. */
async function isKnown(text: unknown): Promise<boolean> {
  const hash = await hashToken(String(text));
  const keys = await world.db
    .select({ id: relayKeys.id })
    .from(relayKeys)
    .where(eq(relayKeys.tokenHash, hash));
  const tokens = await world.db
    .select({ id: managementTokens.id })
    .from(managementTokens)
    .where(eq(managementTokens.tokenHash, hash));
  return keys.length + tokens.length === 1;
}

describe.each(CREATES)("%s", (id, route) => {
  test("that died right after it was done is answered when it is sent again, and done once", async () => {
    const { path, body } = await prepared(route);
    expect((await attempt(path, body, { diesOnceMade: true })).status).toBe(500);
    const before = await events();
    const answer = await repeat(path, body);
    expect(answer.status, answer.text).toBe(201);
    // An invitation goes out again, which is an event of its own.
    expect((await events()) - before).toBe(id === "createInvitation" ? 1 : 0);
    for (const name of ["token", "management_token"]) {
      const text = answer.body[name];
      if (typeof text === "string") expect(await isKnown(text), name).toBe(true);
    }
    expect((await repeat(path, body)).text).toBe(answer.text);
  });

  test("whose answer could not be kept gets the same answer again", async () => {
    const { path, body } = await prepared(route);
    const first = await attempt(path, body, { forgets: true });
    expect(first.status).toBe(201);
    const text = await first.text();
    const again = await repeat(path, body);
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    const secretsOf = (answer: string) => /"(?:token|secret)":"[^"]*"/g.exec(answer)?.[0];
    expect(secretsOf(again.text)).toBe(secretsOf(text));
    expect(idsOf(again.text)).toEqual(idsOf(text));
    const stored = JSON.stringify(await world.db.select().from(idempotencyKeys));
    expect(stored).not.toMatch(/rk_(?:mgmt|proxy)_|whsec_/);
  });
});

function idsOf(answer: string): unknown {
  return [...answer.matchAll(/"id":"([^"]*)"/g)].map(([, id]) => id);
}

/** Holds an attempt right before it makes what it makes. */
function hold(): {
  readonly before: () => Promise<void>;
  readonly waiting: Promise<void>;
  readonly letGo: () => void;
} {
  const waiting = Promise.withResolvers<undefined>();
  const held = Promise.withResolvers<undefined>();
  let batches = 0;
  const before = async () => {
    batches += 1;
    if (batches !== MAKING_BATCH) return;
    waiting.resolve(undefined);
    await held.promise;
  };
  return {
    before,
    waiting: waiting.promise,
    letGo: () => {
      held.resolve(undefined);
    },
  };
}

describe("an attempt", () => {
  test("that fails before anything was made is repeated at once", async () => {
    const { path, body } = await prepared("/keys");
    let batches = 0;
    const before = () => {
      batches += 1;
      return batches === MAKING_BATCH ? Promise.reject(new Error("the database is away")) : Promise.resolve();
    };
    expect((await attempt(path, body, { before })).status).toBe(500);
    expect(await isMade()).toBe(false);
    expect((await repeat(path, body)).status).toBe(201);
  });

  test("that nobody has heard of for two minutes is taken over, and can no longer commit", async () => {
    const { path, body } = await prepared("/keys");
    const { before, waiting, letGo } = hold();
    const slow = attempt(path, body, { before });
    await waiting;
    expect(await repeat(path, body)).toMatchObject({
      status: 409,
      body: { code: "idempotency_in_progress" },
    });
    world.advance(121_000);
    const answer = await repeat(path, body);
    expect(answer.status, answer.text).toBe(201);
    expect(answer.headers.get("Idempotency-Replayed")).toBeNull();
    letGo();
    expect((await slow).status).toBe(500);
    expect((await client("GET", "/keys")).body["data"]).toHaveLength(1);
    expect((await repeat(path, body)).text).toBe(answer.text);
  });

  test("that was given up makes nothing for another request that has the key by now", async () => {
    const { path, body } = await prepared("/holders");
    let arrive = (): Promise<unknown> => expect.unreachable();
    const loses = (send: () => Promise<unknown>): void => {
      arrive = send;
    };
    expect((await attempt(path, body, { loses })).status).toBe(500);
    const { before, waiting, letGo } = hold();
    const other = attempt(path, { ...body, name: "another" }, { before });
    await waiting;
    await expect(arrive()).rejects.toThrow(/claim is lost/);
    letGo();
    const answer = await other;
    expect(answer.status).toBe(201);
    expect((await client("GET", "/holders")).body["data"]).toMatchObject([{ name: "another" }]);
    expect((await repeat(path, { ...body, name: "another" })).text).toBe(await answer.text());
  });

  test("of whose work nothing is left says so", async () => {
    const { path, body } = await prepared("/holders");
    await attempt(path, body, { diesOnceMade: true });
    const [holder] = (await client("GET", "/holders")).body["data"] as { id: string }[];
    expect((await client("DELETE", `/holders/${String(holder?.id)}`)).status).toBe(200);
    expect(await repeat(path, body)).toMatchObject({
      status: 409,
      body: { code: "idempotency_answer_lost" },
    });
  });
});

test("twenty equal creates at once have one effect and one answer", async () => {
  const { path, body } = await prepared("/keys");
  for (const key of ["a", "b", "c"]) {
    const before = await events();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client("POST", path, body, { "Idempotency-Key": key })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await events()) - before).toBe(1);
  }
});
