import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSigner } from "@relaykey/core/audit-chain/keys";
import { decodeProofLine } from "@relaykey/core/audit-chain/proof-file";
import { ProofReader } from "@relaykey/core/audit-chain/proof-reader";
import type { ProofReport } from "@relaykey/core/audit-chain/proof-reader";
import type { SignedEntry } from "@relaykey/core/audit-chain/entry";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { lowestIdAt, newId } from "@relaykey/core/ids";
import { dropExpiredPartitions } from "@relaykey/db/queries/audit";
import { appendAuditEvents, noteShortening } from "@relaykey/db/queries/audit-append";
import { openPostgres } from "../../../local/sql/postgres.ts";
import { startPostgres } from "../../../local/sql/test-postgres.ts";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

const postgres = await startPostgres();
let world: World;
beforeAll(async () => {
  world = await createWorld(
    postgres === null ? undefined : () => Promise.resolve(openPostgres(postgres.url)),
  );
});
afterAll(async () => {
  await world.close();
  postgres?.stop();
});

let made = 0;

function event(organizationId: string, at: number, changes: Partial<AuditEvent> = {}): AuditEvent {
  made += 1;
  return {
    v: 1,
    requestId: `${lowestIdAt(at).slice(0, 14)}${newId().slice(14)}`,
    at,
    organizationId,
    integrationId: null,
    integrationSlug: "openai",
    keyId: newId(),
    holderId: newId(),
    method: "GET",
    path: `/v1/models/${String(made)}`,
    query: null,
    decision: made % 3 === 0 ? "blocked" : "allowed",
    reason: made % 3 === 0 ? "scope_path" : null,
    outcome: "completed",
    status: 200,
    upstreamStatus: 200,
    ip: "203.0.113.7",
    userAgent: 'it\'s "quoted" \\ 漢字 \u2028 \u0007',
    durationMs: 3,
    bytesIn: 0,
    bytesOut: 2 ** 40,
    retentionDays: 30,
    droppedHeaders: ["cookie"],
    ...changes,
  };
}

/** An organization with batches of these sizes, a minute apart, the last one just written. */
async function chained(sizes: readonly number[]) {
  const organization = await world.organization();
  const began = Date.now() - sizes.length * MINUTE;
  const events: AuditEvent[] = [];
  for (const [index, size] of sizes.entries()) {
    const at = began + index * MINUTE;
    const batch = Array.from({ length: size }, (_, position) => event(organization.id, at + position));
    await appendAuditEvents(world.db, world.chainSigner, batch, at + 1_000);
    events.push(...batch);
  }
  return { ...organization, events, began };
}

async function proof(client: Client, query = ""): Promise<string[]> {
  const { status, text } = await client("GET", `/audit-events/proof${query}`);
  expect(status).toBe(200);
  return text.trimEnd().split("\n");
}

async function read(
  lines: readonly string[],
  options: { keys?: typeof world.deps.chainKeys; checkpoint?: SignedEntry | null; now?: number } = {},
): Promise<ProofReport> {
  const reader = new ProofReader(options.keys ?? world.deps.chainKeys, options.checkpoint ?? null);
  for (const line of lines) await reader.take(line);
  return reader.finish(options.now ?? Date.now());
}

const iso = (ms: number): string => new Date(ms).toISOString();

describe("a proof file", () => {
  test("of the whole log proves all of it, with no database and no network", async () => {
    const { client, id } = await chained([3, 1, 7]);
    expect(await read(await proof(client))).toMatchObject({
      problems: [],
      events: 11,
      entries: 3,
      complete: "whole",
      expired: 0,
      unproved: 0,
      organizationId: id,
      head: { entry: { sequence: 3 } },
    });
  });

  test("of a range proves that none is missing in it; of a filter, its rows", async () => {
    const { client, began } = await chained([3, 4, 5, 2]);
    const range = `?from=${iso(began + 30_000)}&to=${iso(began + 2.5 * MINUTE)}`;
    expect(await read(await proof(client, range))).toMatchObject({
      problems: [],
      events: 9,
      complete: "range",
    });
    const blocked = await read(await proof(client, "?decision=blocked"));
    expect(blocked).toMatchObject({ problems: [], complete: "rows" });
    expect(blocked.events).toBeGreaterThan(2);
  });

  test("of a range that begins too late, or ends too early, does not pass for a whole one", async () => {
    const { client, began } = await chained([3, 4, 5, 2]);
    const range = `?from=${iso(began + 0.5 * MINUTE)}&to=${iso(began + 2.5 * MINUTE)}`;
    const lines = await proof(client, range);
    const late = recount(without(without(lines, 1), 2));
    expect((await read(late)).problems.join()).toMatch(/earlier ones may have events of its range/);
    expect((await read(recount(without(lines, 4)))).problems.join()).toMatch(/ends before batch 4/);
    expect((await read(recount(without(lines, 3)))).problems.join()).toMatch(/Batch 3 is missing/);
  });

  test("of a log without events says so; of an organization there is never another one's", async () => {
    const { client } = await world.organization();
    await chained([2]);
    expect(await read(await proof(client))).toMatchObject({ problems: [], events: 0, entries: 0 });
  });

  test("leaves out what expired, and nothing else", async () => {
    const { client, id } = await world.organization();
    const now = Date.now();
    const old = [
      event(id, now - 20 * DAY, { retentionDays: 7 }),
      event(id, now - 20 * DAY, { retentionDays: 7 }),
    ];
    await appendAuditEvents(world.db, world.chainSigner, old, now - 20 * DAY);
    await appendAuditEvents(world.db, world.chainSigner, [event(id, now - 9 * DAY)], now - 9 * DAY);
    await appendAuditEvents(world.db, world.chainSigner, [event(id, now)], now);
    await dropExpiredPartitions(world.db, iso(now).slice(0, 10));
    expect(await read(await proof(client))).toMatchObject({ problems: [], events: 2, expired: 2 });
    // Shortened to a week, the second is over as well, also where a range leaves the change out.
    await noteShortening(world.db, world.chainSigner, { organizationId: id, retentionDays: 7, now });
    await world.db.execute(
      sql`DELETE FROM audit_events WHERE organization_id = ${id} AND chain_sequence = 2`,
    );
    expect(await read(await proof(client))).toMatchObject({ problems: [], events: 1, expired: 3 });
    expect(await read(await proof(client, `?from=${iso(now - MINUTE)}`))).toMatchObject({ problems: [] });
  });
});

/** What can be done to a file's lines, and what is said of it. The first line is the header, the last one the end. */
const FORGERIES: [string, (lines: string[]) => string[], RegExp][] = [
  [
    "an altered event",
    (lines) => lines.map((line) => line.replace("/v1/models/", "/v1/other/")),
    /was altered/,
  ],
  [
    "a removed event",
    (lines) => recount(lines.filter((_, at) => at !== lines.findIndex(isEvent))),
    /is missing before its time/,
  ],
  [
    "an event twice",
    (lines) =>
      recount(lines.flatMap((line, at) => (at === lines.findIndex(isEvent) ? [line, line] : [line]))),
    /was added/,
  ],
  ["two events in each other's place", (lines) => exchange(lines, '"position"'), /was altered/],
  ["two events with each other's content", (lines) => exchange(lines, '"event"'), /was altered/],
  ["a removed batch", (lines) => recount(without(lines, 2)), /Batch 2 is missing/],
  ["the first batch removed", (lines) => recount(without(lines, 1)), /Batch 1 is missing/],
  ["the end of the chain removed", (lines) => recount(without(lines, 3)), /ends before batch 3/],
  ["the end cut off", (lines) => lines.slice(0, -1), /was cut off/],
  ["a part of the middle cut out", (lines) => lines.filter((line) => !isEvent(line)), /says that it has/],
  [
    "a signature of something else",
    (lines) => lines.map((line) => line.replace(/"signature":"../, '"signature":"AA')),
    /is not what was signed/,
  ],
  [
    "a batch that expires at once",
    (lines) =>
      recount(
        lines
          .filter((line) => !isEvent(line))
          .map((line) =>
            line.replace('"retention_days":30', '"retention_days":0').replace(/"day":"\d{4}/, '"day":"2020'),
          ),
      ),
    /is not what was signed/,
  ],
  [
    "a later time of export",
    (lines) => [lines[0]?.replace(/"exported_at":"\d{4}/, '"exported_at":"2100') ?? "", ...lines.slice(1)],
    /from the future/,
  ],
  [
    "another organization's name",
    (lines) =>
      lines.map((line, at) =>
        at === 0 ? line.replace(/"organization_id":"[^"]+"/, `"organization_id":"${newId()}"`) : line,
      ),
    /another organization/,
  ],
  ["no header", (lines) => lines.slice(1), /no header/],
  ["nothing", () => [], /no proof file/],
  ["something else", () => ["{}", "not json", "[]", "null"], /Line 1 is not of a proof file/],
  ["lines after the end", (lines) => [...lines, lines[1] ?? ""], /does not belong/],
];

function isEvent(line: string): boolean {
  return line.startsWith('{"type":"event"');
}

/** As a forger would leave it: with an end that fits. */
function recount(lines: readonly string[]): string[] {
  const events = lines.filter(isEvent).length;
  const entries = lines.filter((line) => line.startsWith('{"type":"entry"')).length;
  return [...lines.slice(0, -1), JSON.stringify({ type: "end", entries, events })];
}

/** Without an entry of the chain and its events. */
function without(lines: readonly string[], sequence: number): string[] {
  return lines.filter(
    (line) => line.startsWith('{"type":"header"') || !line.includes(`"sequence":${String(sequence)},`),
  );
}

/** Exchanges a member of the first two events of a batch. */
function exchange(lines: readonly string[], member: string): string[] {
  const batch = lines.filter((line) => isEvent(line) && line.includes('"sequence":3,')).slice(0, 2);
  const [one, two] = batch.map((line) => JSON.parse(line) as Record<string, unknown>);
  if (one === undefined || two === undefined) throw new Error("no two events");
  const name = JSON.parse(member) as string;
  [one[name], two[name]] = [two[name], one[name]];
  const [first, second] = batch;
  return lines.map((line) =>
    line === first ? JSON.stringify(one) : line === second ? JSON.stringify(two) : line,
  );
}

describe("a forged file", () => {
  let lines: string[] = [];
  beforeAll(async () => {
    lines = await proof((await chained([2, 3, 5])).client);
  });

  test.each(FORGERIES)("%s is found out", async (_, forge, sentence) => {
    const { problems } = await read(forge(lines));
    expect(problems.join("\n")).toMatch(sentence);
  });

  test("every change of a byte of an event, an entry or a hash is found out", async () => {
    expect((await read(lines)).problems).toEqual([]);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: lines.length - 2 }),
        fc.nat(),
        fc.integer({ min: 32, max: 126 }),
        async (at, where, code) => {
          const line = lines[at + 1] ?? "";
          const index = where % line.length;
          const changed = `${line.slice(0, index)}${String.fromCharCode(code)}${line.slice(index + 1)}`;
          // Another spelling of the same line, as of white space or an escape, is the same line.
          const [before, after] = [decodeProofLine(line), decodeProofLine(changed)];
          if (JSON.stringify(before) === JSON.stringify(after)) return;
          const { problems } = await read([...lines.slice(0, at + 1), changed, ...lines.slice(at + 2)]);
          expect(problems).not.toEqual([]);
        },
      ),
      { numRuns: 400 },
    );
  });

  test("a file that is signed throughout by a foreign key is only as good as that key", async () => {
    const foreign = await openSigner(btoa("f".repeat(32)));
    const { id, client } = await world.organization();
    await appendAuditEvents(world.db, foreign, [event(id, Date.now())], Date.now());
    const forged = await proof(client);
    expect((await read(forged)).problems.join()).toMatch(/signed by a key that is not among those/);
    expect((await read(forged, { keys: [foreign.publicKey] })).problems).toEqual([]);
  });
});

describe("a checkpoint", () => {
  test("that is kept gives away a chain that was cut or replaced behind it", async () => {
    const { client, id } = await chained([2, 2, 2]);
    const checkpoint = (await read(await proof(client))).head;
    const now = Date.now();
    await appendAuditEvents(world.db, world.chainSigner, [event(id, now)], now);
    expect((await read(await proof(client), { checkpoint })).problems).toEqual([]);

    const cut = async (after: number) => {
      await world.db.execute(
        sql`DELETE FROM audit_events WHERE organization_id = ${id} AND chain_sequence > ${after}`,
      );
      await world.db.execute(
        sql`DELETE FROM audit_chain WHERE organization_id = ${id} AND sequence > ${after}`,
      );
    };
    await cut(2);
    const shorter = await proof(client);
    expect((await read(shorter)).problems).toEqual([]);
    expect((await read(shorter, { checkpoint })).problems.join()).toMatch(/ends before batch 3/);
    // Even the key's owner cannot make another past.
    await appendAuditEvents(world.db, world.chainSigner, [event(id, now)], now);
    expect((await read(await proof(client), { checkpoint })).problems.join()).toMatch(
      /the chain was replaced/,
    );
  });

  test("of another organization, or without a good signature, is none", async () => {
    const [one, two] = [await chained([1]), await chained([1])];
    const checkpoint = (await read(await proof(one.client))).head;
    expect((await read(await proof(two.client), { checkpoint })).problems.join()).toMatch(
      /another organization/,
    );
    if (checkpoint === null) throw new Error("no head");
    const altered = { ...checkpoint, entry: { ...checkpoint.entry, sequence: 7 } };
    expect((await read(await proof(one.client), { checkpoint: altered })).problems.join()).toMatch(
      /nothing can be held/,
    );
  });
});

test("the state of the chain: empty, unchecked, and the head that a proof ends with", async () => {
  const { client, id } = await world.organization();
  const state = async () => (await client("GET", "/audit-chain")).body["audit_chain"];
  const keys = [{ id: world.chainSigner.publicKey.id, public_key: world.chainSigner.publicKey.text }];
  expect(await state()).toMatchObject({ state: "empty", head: null, public_keys: keys });
  await appendAuditEvents(world.db, world.chainSigner, [event(id, Date.now())], Date.now());
  expect(await state()).toMatchObject({ state: "unchecked", head: { sequence: 1, count: 1 }, problem: null });
});
