import { env } from "cloudflare:workers";
import { createMessageBatch, createScheduledController } from "cloudflare:test";
import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { encodeAuditBatches } from "@relaykey/core/audit-event";
import type { ChainCheck } from "@relaykey/core/audit-chain/problem";
import { newId } from "@relaykey/core/ids";
import { dropExpiredPartitions, expiryDay, insertAuditEvents } from "@relaykey/db/queries/audit";
import { appendAuditEvents, noteShortening } from "@relaykey/db/queries/audit-append";
import { dropExpiredLeaves, readEntries } from "@relaykey/db/queries/audit-chain";
import { readChainCheck } from "@relaykey/db/queries/audit-chain-checks";
import worker from "./index.ts";
import { ChainTenant, DAY_MS, db, signer } from "./test/chain-world.ts";

const ALL = { entries: 1_000, events: 1_000_000 };
const today = (): string => new Date().toISOString().slice(0, 10);

describe("an untouched chain", () => {
  test("has each event once, in batches that follow one another, and verifies", async () => {
    const tenant = await ChainTenant.create();
    for (const count of [3, 1, 8]) await tenant.write(count);
    const entries = await readEntries(db, tenant.id, 1, ALL);
    expect(entries.map(({ signed: { entry } }) => entry)).toMatchObject([
      { sequence: 1, count: 3, previous: "0".repeat(64) },
      { sequence: 2, count: 1 },
      { sequence: 3, count: 8 },
    ]);
    expect(await tenant.checks()).toEqual([]);
    expect(await tenant.verify()).toMatchObject({ through: 3, events: 12, brokenCheck: null });
    await tenant.write(2);
    expect(await tenant.verify()).toMatchObject({ through: 4, events: 14, brokenCheck: null });
    expect(tenant.notices).toEqual([]);
  });

  test("events of different days are in different batches: each expires whole", async () => {
    const tenant = await ChainTenant.create();
    const now = Date.now();
    await appendAuditEvents(
      db,
      signer,
      [
        tenant.event({ at: now - DAY_MS }),
        tenant.event({ at: now }),
        tenant.event({ at: now, retentionDays: 90 }),
      ],
      now,
    );
    const entries = await readEntries(db, tenant.id, 1, ALL);
    expect(entries.map(({ signed: { entry } }) => entry.kind === "batch" && entry.count)).toEqual([1, 1, 1]);
    expect(await tenant.checks()).toEqual([]);
  });

  test("delivered again after a crash, alone or beside new ones, an event stays in its batch", async () => {
    const tenant = await ChainTenant.create();
    const events = [tenant.event(), tenant.event(), tenant.event()];
    const [first] = events;
    if (first === undefined) throw new Error("no event");
    const deliver = async (bodies: readonly string[]) => {
      const messages = bodies.map((body) => ({ id: newId(), timestamp: new Date(), attempts: 1, body }));
      await worker.queue(createMessageBatch("relaykey-audit", messages), env);
    };
    await deliver(encodeAuditBatches(events));
    await deliver([...encodeAuditBatches([first]), ...encodeAuditBatches([tenant.event(), first])]);
    await deliver(encodeAuditBatches(events));
    expect(await tenant.checks()).toEqual([]);
    expect(await tenant.verify()).toMatchObject({ events: 4, brokenCheck: null });
  });

  test("writers at the same time continue one another: nothing is lost, forked or written twice", async () => {
    const tenant = await ChainTenant.create();
    const shared = [tenant.event(), tenant.event()];
    await Promise.all(
      Array.from({ length: 12 }, () =>
        appendAuditEvents(db, signer, [...shared, tenant.event(), tenant.event()], Date.now()),
      ),
    );
    expect(await tenant.checks()).toEqual([]);
    expect(await tenant.verify()).toMatchObject({ through: 12, events: 26, brokenCheck: null });
  });
});

/** What somebody who owns the database may do to batches of 4, 4 and 4, and what gives it away. */
const TAMPERING: [string, (tenant: ChainTenant) => Promise<SQL[]> | SQL[], ChainCheck][] = [
  [
    "alters an event",
    (t) => [
      sql`UPDATE audit_events SET path = '/v1/other' WHERE ${t.rows()} AND chain_sequence = 2 AND chain_position = 1`,
    ],
    "event_altered",
  ],
  [
    "alters a time",
    (t) => [
      sql`UPDATE audit_events SET at = at + interval '1 millisecond' WHERE ${t.rows()} AND chain_sequence = 2 AND chain_position = 1`,
    ],
    "event_altered",
  ],
  [
    "removes an event",
    (t) => [sql`DELETE FROM audit_events WHERE ${t.rows()} AND chain_sequence = 2 AND chain_position = 1`],
    "event_missing",
  ],
  [
    "removes all events of a batch",
    (t) => [sql`DELETE FROM audit_events WHERE ${t.rows()} AND chain_sequence = 2`],
    "event_missing",
  ],
  [
    "exchanges the places of two",
    (t) => [
      sql`UPDATE audit_events SET chain_position = 3 - chain_position WHERE ${t.rows()} AND chain_sequence = 2`,
    ],
    "event_moved",
  ],
  [
    "exchanges the paths of two",
    (t) => [
      sql`UPDATE audit_events AS event SET path = other.path FROM audit_events AS other WHERE event.organization_id = ${t.id} AND other.organization_id = ${t.id} AND event.chain_sequence = 2 AND other.chain_sequence = 2 AND event.chain_position + other.chain_position = 3`,
    ],
    "event_altered",
  ],
  [
    "moves an event into another batch",
    (t) => [
      sql`UPDATE audit_events SET chain_sequence = 3, chain_position = 4 WHERE ${t.rows()} AND chain_sequence = 2 AND chain_position = 1`,
    ],
    "event_missing",
  ],
  [
    "takes an event out of its batch",
    (t) => [
      sql`UPDATE audit_events SET chain_sequence = NULL, chain_position = NULL WHERE ${t.rows()} AND chain_sequence = 2 AND chain_position = 1`,
    ],
    "event_missing",
  ],
  [
    "adds an event in no batch",
    async (t) => {
      await insertAuditEvents(db, [t.event({ at: Date.now() })]);
      return [];
    },
    "event_unchained",
  ],
  [
    "adds an event to a batch",
    async (t) => {
      const forged = t.event();
      await insertAuditEvents(db, [forged]);
      return [
        sql`UPDATE audit_events SET chain_sequence = 3, chain_position = 4 WHERE request_id = ${forged.requestId}`,
      ];
    },
    "event_added",
  ],
  [
    "adds an event under a batch of another time",
    async (t) => {
      const forged = t.event({ at: Date.now() });
      await insertAuditEvents(db, [forged]);
      return [
        sql`UPDATE audit_events SET chain_sequence = 1, chain_position = 0 WHERE request_id = ${forged.requestId}`,
      ];
    },
    "event_added",
  ],
  [
    "adds an event under a batch that is to come",
    async (t) => {
      const forged = t.event({ at: Date.now() });
      await insertAuditEvents(db, [forged]);
      return [
        sql`UPDATE audit_events SET chain_sequence = 99, chain_position = 0 WHERE request_id = ${forged.requestId}`,
      ];
    },
    "event_added",
  ],
  [
    "removes a batch with its events",
    (t) => [
      sql`DELETE FROM audit_events WHERE ${t.rows()} AND chain_sequence = 2`,
      sql`DELETE FROM audit_chain WHERE ${t.rows()} AND sequence = 2`,
    ],
    "batch_missing",
  ],
  [
    "removes the first batch with its events",
    (t) => [
      sql`DELETE FROM audit_events WHERE ${t.rows()} AND chain_sequence = 1`,
      sql`DELETE FROM audit_chain WHERE ${t.rows()} AND sequence = 1`,
    ],
    "batch_missing",
  ],
  [
    "removes a batch and closes the gap",
    (t) => [
      sql`DELETE FROM audit_events WHERE ${t.rows()} AND chain_sequence = 2`,
      sql`DELETE FROM audit_chain WHERE ${t.rows()} AND sequence = 2`,
      sql`UPDATE audit_chain SET sequence = 2 WHERE ${t.rows()} AND sequence = 3`,
      sql`UPDATE audit_events SET chain_sequence = 2 WHERE ${t.rows()} AND chain_sequence = 3`,
    ],
    "signature_wrong",
  ],
  [
    "makes a batch smaller",
    (t) => [
      sql`DELETE FROM audit_events WHERE ${t.rows()} AND chain_sequence = 2 AND chain_position = 3`,
      sql`UPDATE audit_chain SET count = 3, leaves = substring(leaves FROM 1 FOR 96) WHERE ${t.rows()} AND sequence = 2`,
    ],
    "signature_wrong",
  ],
  [
    "lets a batch expire earlier",
    (t) => [
      sql`UPDATE audit_chain SET retention_days = 0, day = '2020-01-01', leaves = NULL WHERE ${t.rows()} AND sequence = 2`,
      sql`DELETE FROM audit_events WHERE ${t.rows()} AND chain_sequence = 2`,
    ],
    "signature_wrong",
  ],
  [
    "says that retention was shortened",
    (t) => [
      sql`INSERT INTO audit_chain (organization_id, sequence, kind, previous, hash, written_at, retention_days, key_id, signature) SELECT organization_id, 4, 'retention', hash, hash, now(), 0, key_id, signature FROM audit_chain WHERE ${t.rows()} AND sequence = 3`,
      sql`DELETE FROM audit_events WHERE ${t.rows()} AND chain_sequence = 2`,
    ],
    "event_missing",
  ],
  [
    "forgets the leaves",
    (t) => [sql`UPDATE audit_chain SET leaves = NULL WHERE ${t.rows()} AND sequence = 2`],
    "leaves_altered",
  ],
  [
    "alters the leaves",
    (t) => [
      sql`UPDATE audit_chain SET leaves = overlay(leaves PLACING '\\x00'::bytea FROM 5) WHERE ${t.rows()} AND sequence = 2`,
    ],
    "leaves_altered",
  ],
  [
    "copies a batch over another",
    (t) => [
      sql`UPDATE audit_chain AS entry SET root = other.root, count = other.count, leaves = other.leaves, signature = other.signature FROM audit_chain AS other WHERE entry.organization_id = ${t.id} AND other.organization_id = ${t.id} AND entry.sequence = 2 AND other.sequence = 1`,
    ],
    "signature_wrong",
  ],
];

describe("somebody who owns the database is found out who", () => {
  test.each(TAMPERING)("%s", async (_, statements, expected) => {
    const tenant = await ChainTenant.create();
    for (let batch = 0; batch < 3; batch += 1) await tenant.write(4);
    expect(await tenant.verify()).toMatchObject({ through: 3, brokenCheck: null });
    await tenant.tamper(...(await statements(tenant)));
    expect(await tenant.checks()).toContain(expected);
    expect((await tenant.verify())?.brokenCheck).not.toBeNull();
    expect(tenant.notices).toHaveLength(1);
  });

  test("removes the end of a chain, also when it grows again over the gap", async () => {
    const tenant = await ChainTenant.create();
    for (let batch = 0; batch < 3; batch += 1) await tenant.write(2);
    await tenant.verify();
    await tenant.tamper(
      sql`DELETE FROM audit_events WHERE ${tenant.rows()} AND chain_sequence = 3`,
      sql`DELETE FROM audit_chain WHERE ${tenant.rows()} AND sequence = 3`,
    );
    expect(await tenant.verify()).toMatchObject({ brokenCheck: "chain_shortened", brokenSequence: 3 });
    await tenant.write(2);
    await tenant.write(2);
    expect(await tenant.verify()).toMatchObject({ brokenCheck: "chain_shortened", brokenSequence: 3 });
    expect(tenant.notices).toHaveLength(1);
  });

  test("signs with a key of their own", async () => {
    const tenant = await ChainTenant.create();
    await tenant.write(2);
    expect(await tenant.checks([])).toEqual(["key_unknown"]);
  });
});

test("the clock checks every chain that there is", async () => {
  const tenants = [await ChainTenant.create(), await ChainTenant.create()];
  for (const tenant of tenants) await tenant.write(2);
  await worker.scheduled(createScheduledController({ scheduledTime: new Date(), cron: "* * * * *" }), env);
  for (const { id } of tenants) expect(await readChainCheck(db, id)).toMatchObject({ through: 1, events: 2 });
});

test("what is broken is told once, and over when it is as it was", async () => {
  const tenant = await ChainTenant.create();
  const [first] = await tenant.write(4);
  await tenant.verify();
  await tenant.tamper(sql`UPDATE audit_events SET status = 201 WHERE request_id = ${first?.requestId}`);
  const broken = { brokenCheck: "event_altered", brokenSequence: 1, brokenRequestId: first?.requestId };
  expect(await tenant.verify()).toMatchObject(broken);
  await tenant.write(1);
  expect(await tenant.verify()).toMatchObject({ ...broken, through: 2 });
  expect(tenant.notices).toMatchObject([
    { type: "audit.chain_broken", data: { check: "event_altered", batch: 1, request_id: first?.requestId } },
  ]);
  await tenant.tamper(sql`UPDATE audit_events SET status = 200 WHERE request_id = ${first?.requestId}`);
  expect(await tenant.verify()).toMatchObject({ brokenCheck: null, brokenAt: null });
  expect(tenant.notices).toHaveLength(1);
});

describe("retention", () => {
  test("what has expired is gone without being missed; its batch stays, and what is young is still watched", async () => {
    const tenant = await ChainTenant.create();
    const [old] = await tenant.write(3, { at: Date.now() - 40 * DAY_MS, retentionDays: 7 });
    await tenant.write(3);
    expect(await tenant.checks()).toEqual([]);
    await dropExpiredPartitions(db, today());
    expect(await tenant.checks()).toEqual([]);
    await dropExpiredLeaves(db, today());
    const [expired, young] = await readEntries(db, tenant.id, 1, ALL);
    expect(old === undefined ? null : expiryDay(old) < today()).toBe(true);
    expect(expired?.leaves).toBeNull();
    expect(young?.leaves).toHaveLength(96);
    expect(await tenant.checks()).toEqual([]);
    await tenant.tamper(sql`DELETE FROM audit_events WHERE ${tenant.rows()} AND chain_position = 1`);
    expect(await tenant.checks()).toEqual(["event_missing"]);
  });

  test("a shorter retention is written into the chain, once, before events go early", async () => {
    const tenant = await ChainTenant.create();
    await tenant.write(2, { at: Date.now() - 20 * DAY_MS, retentionDays: 365 });
    await tenant.write(2);
    const change = { organizationId: tenant.id, retentionDays: 7, now: Date.now() };
    await noteShortening(db, signer, change);
    await noteShortening(db, signer, change);
    expect(await tenant.verify()).toMatchObject({ through: 3, events: 4 });
    await tenant.tamper(sql`DELETE FROM audit_events WHERE ${tenant.rows()} AND chain_sequence = 1`);
    expect(await tenant.checks()).toEqual([]);
    // Two days are left to these.
    await tenant.tamper(sql`DELETE FROM audit_events WHERE ${tenant.rows()} AND chain_sequence = 2`);
    expect(await tenant.checks()).toEqual(["event_missing"]);
  });
});
