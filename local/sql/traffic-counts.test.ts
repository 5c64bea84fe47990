import { readFile } from "node:fs/promises";
import { eq, sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { lowestIdAt, newId } from "@relaykey/core/ids";
import { NO_LIMITS } from "@relaykey/core/limits";
import { openDatabase } from "@relaykey/db/client";
import type { Database } from "@relaykey/db/client";
import { dropExpiredPartitions, insertAuditEvents, listAuditEvents } from "@relaykey/db/queries/audit";
import type { AuditFilter } from "@relaykey/db/queries/audit";
import { deleteAuditEvents } from "@relaykey/db/queries/deletion";
import { moveToRetention } from "@relaykey/db/queries/retention";
import { countByKey, dailyUse, lastUses } from "@relaykey/db/queries/key-traffic";
import { countTraffic } from "@relaykey/db/queries/traffic-counts";
import { auditEvents } from "@relaykey/db/schema/audit";
import { holders } from "@relaykey/db/schema/holders";
import { integrations } from "@relaykey/db/schema/integrations";
import { relayKeys } from "@relaykey/db/schema/keys";
import { organizations } from "@relaykey/db/schema/organizations";
import { auditDays, trafficCounts } from "@relaykey/db/schema/traffic";
import type { SqlBackend } from "./backend.ts";
import { startSqlEndpoint } from "./endpoint.ts";
import type { SqlEndpoint } from "./endpoint.ts";
import { migrateBackend } from "./migrate-backend.ts";
import { openPglite } from "./pglite.ts";
import { openPostgres } from "./postgres.ts";
import { startPostgres } from "./test-postgres.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The end of the time that events are from: any day will do. */
const NOW = Date.parse("2026-03-20T10:17:00Z");
/** The statements of migrations that count the events that were there before, each with how many they are. */
const BACKFILLS = [
  { name: "0006_traffic_counts", statements: 1 },
  { name: "0013_audit_days", statements: 3 },
];

const postgres = await startPostgres();
if (postgres === null)
  console.warn("PostgreSQL's server is not installed here: its half of this test did not run.");
const BACKENDS: [string, () => Promise<SqlBackend>][] = [["PGlite", () => openPglite("memory://")]];
if (postgres !== null) BACKENDS.push(["PostgreSQL", () => Promise.resolve(openPostgres(postgres.url))]);

afterAll(() => postgres?.stop());

/** What happens to the events of an organization. */
type Step =
  | { readonly kind: "write"; readonly events: readonly Sketch[] }
  /** The last message comes again, beside a new event. */
  | { readonly kind: "redeliver" }
  | { readonly kind: "retain"; readonly days: 7 | 30 | 90 }
  | { readonly kind: "prune"; readonly daysLater: number }
  | { readonly kind: "delete"; readonly limit: number };

interface Sketch {
  readonly minutesAgo: number;
  /** How much later than the event its id was made. */
  readonly idLagMs: number;
  readonly key: number | null;
  readonly reason: AuditEvent["reason"];
  readonly isCut: boolean;
  readonly retentionDays: 7 | 30;
}

const PLAIN: Sketch = {
  minutesAgo: 0,
  idLagMs: 0,
  key: 0,
  reason: null,
  isCut: false,
  retentionDays: 30,
};

const sketches = fc.array(
  fc.record({
    minutesAgo: fc.oneof(
      fc.integer({ min: 0, max: 180 }),
      fc.integer({ min: 0, max: 12 * 24 * 60 }),
      // At midnight.
      fc.integer({ min: 0, max: 12 }).map((days) => 10 * 60 + 17 + days * 24 * 60),
    ),
    idLagMs: fc.integer({ min: -59_000, max: 59_000 }),
    key: fc.option(fc.integer({ min: 0, max: 2 })),
    reason: fc.constantFrom(null, null, "scope_path" as const, "rate_limited" as const),
    isCut: fc.boolean(),
    retentionDays: fc.constantFrom(7 as const, 30 as const),
  }),
  { minLength: 1, maxLength: 25 },
);

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("write" as const), events: sketches }) },
    fc.record({ kind: fc.constant("redeliver" as const) }),
    fc.record({
      kind: fc.constant("retain" as const),
      days: fc.constantFrom(7 as const, 30 as const, 90 as const),
    }),
    fc.record({ kind: fc.constant("prune" as const), daysLater: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ kind: fc.constant("delete" as const), limit: fc.integer({ min: 1, max: 9 }) }),
  ),
  { minLength: 1, maxLength: 8 },
);

/** Ranges and pieces as the pages ask for them, and others. */
const questions = fc.record({
  fromMinutesAgo: fc.oneof(
    fc.constantFrom(77, 17, 24 * 60 + 17, 7 * 24 * 60 + 17),
    fc.integer({ min: 1, max: 14 * 24 * 60 }),
  ),
  toMinutesAgo: fc.integer({ min: -60, max: 300 }),
  bucketMs: fc.constantFrom(MINUTE, 5 * MINUTE, HOUR / 2, HOUR, 4 * HOUR, DAY),
  filter: fc.constantFrom("none", "key", "holder", "integration", "blocked", "scope_path", "GET"),
});

describe.each(BACKENDS)("counts of traffic, on %s", (_, open) => {
  let backend: SqlBackend;
  let endpoint: SqlEndpoint;
  let db: Database;

  beforeAll(async () => {
    backend = await open();
    await migrateBackend(backend);
    endpoint = await startSqlEndpoint({ backend, password: "p" });
    db = openDatabase("postgres://relaykey:p@localhost/relaykey", endpoint.url);
  }, 60_000);

  afterAll(async () => {
    await endpoint.close();
    await backend.close();
  });

  test("say what the events say, whatever is written, written again, moved, pruned and deleted", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.array(questions, { minLength: 3, maxLength: 6 }), async (taken, asked) => {
        const of = await organization(db);
        await take(db, of, taken);
        const rows = await db.select().from(auditEvents).where(eq(auditEvents.organizationId, of.id));
        for (const question of asked) {
          const from = new Date(NOW - question.fromMinutesAgo * MINUTE);
          const to = new Date(Math.max(from.getTime() + 1, NOW - question.toMinutesAgo * MINUTE));
          const filter = filterOf(of, question.filter);
          const counted = await countTraffic(db, of.id, { ...filter, from, to }, question.bucketMs);
          const bucketOf = (row: Row) => Math.floor((row.at.getTime() - from.getTime()) / question.bucketMs);
          const wanted = rows.filter((row) => row.at >= from && row.at <= to && admits(filter, row));
          expect(
            new Map(
              counted.map((s) => [`${String(s.bucket)} ${s.decision} ${String(s.reason)}`, s.requests]),
            ),
          ).toEqual(
            tally(
              wanted,
              (row) =>
                `${String(bucketOf(row))} ${row.decision} ${String(row.decision === "blocked" ? row.reason : null)}`,
            ),
          );
        }
        await expectKeysToAgree(db, of, rows);
        // Of a key whose events are deleted one after the other, nobody asks any more when it was used.
        if (taken.every(({ kind }) => kind !== "delete")) await expectLastUses(db, of, rows);
        await expectDaysToAgree(db, of, rows);
      }),
      { numRuns: 30 },
    );
  }, 180_000);

  test("lead a list back through the whole log, also where an id is of the neighbouring day", async () => {
    const of = await organization(db);
    const midnight = 10 * 60 + 17;
    const days = Array.from({ length: 45 }, (_, index) => midnight + index * 24 * 60);
    const written = days.flatMap((minutesAgo) => [
      event(of, { ...PLAIN, minutesAgo: minutesAgo - 0.1, idLagMs: -30_000 }, 0),
      event(of, { ...PLAIN, minutesAgo: minutesAgo + 0.1, idLagMs: 30_000 }, 0),
    ]);
    await insertAuditEvents(db, written);
    const rows = await db.select().from(auditEvents).where(eq(auditEvents.organizationId, of.id));
    expect(rows).toHaveLength(written.length);
    await expectDaysToAgree(db, of, rows);
  }, 60_000);

  test("begin, in a database that has events already, with what these say", async () => {
    const of = await organization(db);
    await take(db, of, [{ kind: "write", events: fc.sample(sketches, { numRuns: 20, seed: 7 }).flat() }]);
    const counts = async () => {
      const pieces = await db.select().from(trafficCounts).where(eq(trafficCounts.organizationId, of.id));
      const days = await db.select().from(auditDays).where(eq(auditDays.organizationId, of.id));
      return [...pieces, ...days].map((row) => JSON.stringify(row)).sort();
    };
    const kept = await counts();
    expect(kept.length).toBeGreaterThan(100);
    await db.execute(sql`TRUNCATE ${trafficCounts}, ${auditDays}`);
    for (const { name, statements } of BACKFILLS) {
      const file = new URL(`../../db/migrations/${name}.sql`, import.meta.url);
      for (const statement of (await readFile(file, "utf8"))
        .split("--> statement-breakpoint")
        .slice(-statements))
        await backend.script(statement);
    }
    expect(await counts()).toEqual(kept);
  }, 60_000);
});

type Row = typeof auditEvents.$inferSelect;

interface Organization {
  readonly id: string;
  readonly integrationId: string;
  readonly keys: readonly { readonly id: string; readonly holderId: string }[];
}

async function organization(db: Database): Promise<Organization> {
  const id = newId();
  const integrationId = newId();
  await db.insert(organizations).values({ id, name: "counted" });
  await db.insert(integrations).values({
    id: integrationId,
    organizationId: id,
    slug: "openai",
    name: "OpenAI",
    upstreamOrigin: "https://api.openai.com",
    timeoutMs: 60_000,
    credential: { kind: "bearer" },
    requestHeaders: [],
    dialect: "plain",
    secretVersion: 1,
  });
  const keys: { id: string; holderId: string }[] = [];
  for (const holder of [0, 0, 1]) {
    const holderId = holder === 0 && keys[0] !== undefined ? keys[0].holderId : newId();
    if (keys.every((key) => key.holderId !== holderId)) {
      await db.insert(holders).values({
        id: holderId,
        organizationId: id,
        name: `h${String(keys.length)}`,
        kind: "service",
        locator: newId().slice(-11),
      });
    }
    const key = { id: newId(), holderId };
    await db.insert(relayKeys).values({
      ...key,
      organizationId: id,
      integrationId,
      name: `k${String(keys.length)}`,
      tokenHash: newId(),
      display: "rk_proxy_…",
      state: "active",
      policyVersion: 1,
      ipMode: "any",
      ipCidrs: [],
      limits: NO_LIMITS,
      bindings: {},
      enforcement: "lease",
    });
    keys.push(key);
  }
  return { id, integrationId, keys };
}

async function take(db: Database, of: Organization, taken: readonly Step[]): Promise<void> {
  let last: readonly AuditEvent[] = [];
  for (const step of taken) {
    switch (step.kind) {
      case "write":
        last = step.events.map((sketch, index) => event(of, sketch, index));
        await insertAuditEvents(db, last);
        break;
      case "redeliver":
        await insertAuditEvents(db, [
          // A queue does not keep a message for longer, and events that have settled may have moved.
          ...last.filter(({ at }) => at > NOW - 4 * DAY),
          event(of, { ...PLAIN, minutesAgo: 1 }, 0),
        ]);
        break;
      case "retain":
        await db
          .update(organizations)
          .set({ auditRetentionDays: step.days, retentionChangedAt: new Date(NOW - 8 * DAY) })
          .where(eq(organizations.id, of.id));
        await moveToRetention(db, new Date(NOW), () => Promise.resolve());
        break;
      case "prune":
        await dropExpiredPartitions(db, new Date(NOW + step.daysLater * DAY).toISOString().slice(0, 10));
        break;
      case "delete":
        await deleteAuditEvents(db, of.id, step.limit);
        break;
    }
  }
}

function event(of: Organization, sketch: Sketch, index: number): AuditEvent {
  const at = NOW - sketch.minutesAgo * MINUTE - index;
  const key = sketch.key === null ? null : (of.keys[sketch.key] ?? null);
  return {
    v: 1,
    requestId: `${lowestIdAt(at + sketch.idLagMs).slice(0, 13)}${newId().slice(13)}`,
    at,
    organizationId: of.id,
    integrationId: key === null ? null : of.integrationId,
    integrationSlug: "openai",
    keyId: key?.id ?? null,
    holderId: key?.holderId ?? null,
    method: index % 2 === 0 ? "GET" : "POST",
    path: "/v1/models",
    query: null,
    decision: sketch.reason === null || sketch.isCut ? "allowed" : "blocked",
    reason: sketch.reason,
    outcome: "completed",
    status: 200,
    upstreamStatus: null,
    ip: null,
    userAgent: null,
    durationMs: 1,
    bytesIn: 0,
    bytesOut: 0,
    retentionDays: sketch.retentionDays,
    droppedHeaders: [],
  };
}

function filterOf(of: Organization, name: string): AuditFilter {
  const [first] = of.keys;
  switch (name) {
    case "key":
      return { keyId: first?.id ?? "" };
    case "holder":
      return { holderId: first?.holderId ?? "" };
    case "integration":
      return { integrationId: of.integrationId };
    case "blocked":
      return { decision: "blocked" };
    case "scope_path":
      return { reason: "scope_path" };
    case "GET":
      return { method: "GET" };
    default:
      return {};
  }
}

function admits(filter: AuditFilter, row: Row): boolean {
  return Object.entries(filter).every(([name, value]) => row[name as keyof Row] === value);
}

function tally(rows: readonly Row[], name: (row: Row) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(name(row), (counts.get(name(row)) ?? 0) + 1);
  return counts;
}

async function expectKeysToAgree(db: Database, of: Organization, rows: readonly Row[]): Promise<void> {
  const today = Math.floor(NOW / DAY) * DAY;
  const from = today - 6 * DAY;
  const ids = of.keys.map(({ id }) => id);
  const use = await dailyUse(db, of.id, ids, new Date(from), new Date(today + DAY));
  const since = Math.floor((NOW - DAY) / HOUR) * HOUR;
  const beforeUntil = Math.floor(since / DAY) * DAY;
  const range = {
    since: new Date(since),
    before: new Date(beforeUntil - 7 * DAY),
    beforeUntil: new Date(beforeUntil),
  };
  const busiest = await countByKey(db, of.id, range, 10);
  for (const id of ids) {
    const own = rows.filter(({ keyId }) => keyId === id);
    const inDay = (day: number) =>
      own.filter(({ at }) => Math.floor((at.getTime() - from) / DAY) === day).length;
    const days = Array.from({ length: 7 }, (_, day) => inDay(day));
    expect(use.get(id) ?? days.map(() => 0)).toEqual(days);
    const count = (decision: string, start: number, end: number) =>
      own.filter((row) => row.decision === decision && row.at.getTime() >= start && row.at.getTime() < end)
        .length;
    const wanted = {
      allowed: count("allowed", since, Infinity),
      blocked: count("blocked", since, Infinity),
      allowedBefore: count("allowed", beforeUntil - 7 * DAY, beforeUntil),
      blockedBefore: count("blocked", beforeUntil - 7 * DAY, beforeUntil),
    };
    const found = busiest.find((key) => key.id === id);
    if (wanted.allowed + wanted.blocked === 0) expect(found).toBeUndefined();
    else expect(found).toMatchObject(wanted);
  }
}

async function expectLastUses(db: Database, of: Organization, rows: readonly Row[]): Promise<void> {
  const wanted = new Map<string | null, Date>();
  for (const { keyId, at } of rows) {
    if (at > (wanted.get(keyId) ?? 0)) wanted.set(keyId, at);
  }
  wanted.delete(null);
  expect(
    await lastUses(
      db,
      of.id,
      of.keys.map(({ id }) => id),
    ),
  ).toEqual(wanted);
}

/** What a list finds by the days, a page at a time, is what there is. */
async function expectDaysToAgree(db: Database, of: Organization, rows: readonly Row[]): Promise<void> {
  const days = await db.select().from(auditDays).where(eq(auditDays.organizationId, of.id));
  const nameOf = (day: string, expiresOn: string) => `${day} ${expiresOn}`;
  expect(
    new Map(
      days
        .filter(({ events }) => events > 0)
        .map(({ day, expiresOn, events }) => [nameOf(day, expiresOn), events]),
    ),
  ).toEqual(tally(rows, ({ at, expiresOn }) => nameOf(at.toISOString().slice(0, 10), expiresOn)));
  const newestFirst = rows
    .map(({ requestId }) => requestId)
    .sort()
    .reverse();
  for (const size of [7, 100]) {
    const listed: string[] = [];
    for (let isMore = true; isMore;) {
      const before = listed.at(-1);
      const page = await listAuditEvents(db, of.id, before === undefined ? {} : { before }, size);
      listed.push(...page.map(({ requestId }) => requestId));
      isMore = page.length === size;
    }
    expect(listed).toEqual(newestFirst);
  }
}
