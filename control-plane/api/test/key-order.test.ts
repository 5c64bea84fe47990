import fc from "fast-check";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toBase64Url, utf8 } from "@relaykey/core/bytes";
import { newId } from "@relaykey/core/ids";
import { KEY_SORTS } from "@relaykey/core/key-sort";
import type { KeySort } from "@relaykey/core/key-sort";
import { insertAuditEvents } from "@relaykey/db/queries/audit";
import { relayKeys } from "@relaykey/db/schema/keys";
import { readKeyCursor, writeKeyCursor } from "../../service/key-order.ts";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

const KEYS = 23;
const DAY_MS = 86_400_000;

interface ListedKey {
  readonly id: string;
  readonly name: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

let world: World;
let client: Client;
let organizationId: string;
/** Requests in the last week, by key. */
const use = new Map<string, number>();

beforeAll(async () => {
  world = await createWorld();
  ({ client, id: organizationId } = await world.organization());
  await client("POST", "/integrations", { slug: "openai", secret: "sk-1" });
  await client("POST", "/holders", { name: "ci", kind: "service" });
  const now = Math.floor(world.deps.now() / 1_000) * 1_000;
  for (let index = 0; index < KEYS; index += 1) {
    // Names, expiries, last uses and numbers of uses that are equal, and some that are not there.
    const made = await client("POST", "/keys", {
      ...{ holder: "ci", integration: "openai", allow: ["GET /v1/models"] },
      name: ["b", "B", "ärger", "a", "Z 1"][index % 5],
      ...(index % 3 === 0 ? {} : { expires_at: new Date(now + (1 + (index % 4)) * DAY_MS).toISOString() }),
    });
    expect(made.status, made.text).toBe(201);
    const { id } = made.body["key"] as ListedKey;
    use.set(id, index % 4);
    await requests(id, index % 4, now - (index % 2) * 60_000);
  }
}, 120_000);

afterAll(() => world.close());

async function requests(keyId: string, count: number, at: number): Promise<void> {
  const event = {
    ...{
      v: 1 as const,
      organizationId,
      integrationId: null,
      integrationSlug: "openai",
      keyId,
      holderId: null,
    },
    ...{ method: "GET", path: "/v1/models", query: null, decision: "allowed" as const, reason: null },
    ...{
      outcome: "completed" as const,
      upstreamStatus: 200,
      status: 200,
      ip: "192.0.2.1",
      userAgent: "curl",
    },
    ...{ durationMs: 1, bytesIn: 0, bytesOut: 0, retentionDays: 7, droppedHeaders: [] },
  };
  const events = Array.from({ length: count }, () => ({ ...event, requestId: newId(), at }));
  if (events.length > 0) await insertAuditEvents(world.db, events);
}

/** All keys, a page at a time. */
async function walk(sort: KeySort, limit: number): Promise<ListedKey[]> {
  const all: ListedKey[] = [];
  for (let cursor: string | null = null; ;) {
    const query = new URLSearchParams({ sort, limit: String(limit), ...(cursor === null ? {} : { cursor }) });
    const page = await client("GET", `/keys?${query.toString()}`);
    expect(page.status, page.text).toBe(200);
    all.push(...(page.body["data"] as ListedKey[]));
    cursor = page.body["next_cursor"] as string | null;
    if (cursor === null) return all;
  }
}

/** What a key is sorted by: null comes last. */
function valueOf(key: ListedKey, sort: KeySort): string | number | null {
  switch (sort.replace("-", "")) {
    case "name":
      return key.name.toLowerCase();
    case "expires":
      return key.expires_at;
    case "last_used":
      return key.last_used_at;
    case "use":
      return use.get(key.id) ?? 0;
    default:
      return key.id;
  }
}

/** Pairs of neighbours that stand the wrong way round. How letters compare is the database's to say. */
function misplaced(keys: readonly ListedKey[], sort: KeySort): string[] {
  const sign = sort.startsWith("-") ? -1 : 1;
  return keys.slice(1).flatMap((right, index) => {
    const left = keys[index] ?? right;
    const [before, after] = [valueOf(left, sort), valueOf(right, sort)];
    if (before === after) return sign * (left.id < right.id ? -1 : 1) < 0 ? [] : [`${left.id} ${right.id}`];
    if (before === null) return [`null before ${String(after)}`];
    if (after === null || sort.endsWith("name")) return [];
    return sign * (before < after ? -1 : 1) < 0 ? [] : [`${String(before)} ${String(after)}`];
  });
}

describe.each(KEY_SORTS)("keys sorted by %s", (sort) => {
  test("are each there once and in order, whatever the size of a page", async () => {
    const whole = await walk(sort, 200);
    expect(whole.map(({ id }) => id).toSorted()).toEqual([...use.keys()].toSorted());
    expect(misplaced(whole, sort)).toEqual([]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: KEYS + 1 }), async (limit) => {
        expect((await walk(sort, limit)).map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
      }),
      { numRuns: 4, examples: [[1], [KEYS - 1]] },
    );
  }, 120_000);
});

test("equal names stand together, whatever their case", async () => {
  const names = (await walk("name", 7)).map(({ name }) => name.toLowerCase());
  expect(names.filter((name, index) => name !== names[index - 1]).toSorted()).toEqual(
    [...new Set(names)].toSorted(),
  );
});

test("without a sort they are as they were: newest first", async () => {
  const { data } = (await client("GET", "/keys?limit=200")).body as { data: ListedKey[] };
  expect(data).toEqual(await walk("-created", 200));
});

test("a key that is used meanwhile moves, and the next page goes on where it was", async () => {
  const first = await client("GET", "/keys?sort=-last_used&limit=5");
  const { data, next_cursor: cursor } = first.body as { data: ListedKey[]; next_cursor: string };
  const last = data.at(-1) ?? expect.unreachable();
  await requests(last.id, 1, world.deps.now());
  use.set(last.id, (use.get(last.id) ?? 0) + 1);
  const next = await client("GET", `/keys?sort=-last_used&limit=5&cursor=${cursor}`);
  const seen = new Set(data.map(({ id }) => id));
  expect((next.body["data"] as ListedKey[]).filter(({ id }) => seen.has(id))).toEqual([]);
});

test.each(["name", "-expires", "use", "created"] as const)(
  "what is no cursor of the sort %s is refused, and nothing else happens",
  async (sort) => {
    const id = newId();
    const other = sort === "created" ? "name" : "created";
    for (const cursor of [
      "x",
      "\u0000",
      writeKeyCursor(other, { value: "a", id }),
      ...["[]", '["a"]', '[1,"x"]', `["99999999999999999999","${id}"]`, "null", `[{},"${id}"]`].map((text) =>
        toBase64Url(utf8(text)),
      ),
    ]) {
      if (sort === "name" && readKeyCursor("name", cursor) !== null) continue;
      const answer = await client("GET", `/keys?sort=${sort}&cursor=${encodeURIComponent(cursor)}`);
      expect([answer.status, cursor], answer.text).toEqual([400, cursor]);
    }
  },
);

test.each([
  ["name", "relay_keys_name"],
  ["expires", "relay_keys_first_to_expire"],
] as const)("an index has the order of %s", async (sort, index) => {
  const value = sort === "name" ? sql`lower(${relayKeys.name})` : sql`${relayKeys.expiresAt}`;
  // Few keys are sorted faster without: what matters is that it can be used.
  const [, plan] = await world.db.batch([
    world.db.execute(sql`SET LOCAL enable_seqscan = off`),
    world.db.execute<{ "QUERY PLAN": string }>(sql`EXPLAIN SELECT id FROM ${relayKeys}
      WHERE organization_id = ${organizationId}::uuid ORDER BY ${value} NULLS LAST, id LIMIT 5`),
  ]);
  const text = plan.rows.map((row) => row["QUERY PLAN"]).join("\n");
  expect(text).toContain(index);
  expect(text).not.toContain("Sort");
});
