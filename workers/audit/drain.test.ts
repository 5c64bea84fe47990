import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { openSigner } from "@relaykey/core/audit-chain/keys";
import { encodeAuditBatches } from "@relaykey/core/audit-event";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { newId } from "@relaykey/core/ids";
import { openDatabase } from "@relaykey/db/client";
import { expiryDay, insertAuditEvents, listAuditEvents } from "@relaykey/db/queries/audit";
import { auditDeadLetters, auditEvents } from "@relaykey/db/schema/audit";
import { drain } from "./drain.ts";
import worker from "./index.ts";

const db = openDatabase(env.DATABASE_URL, env.RELAYKEY_SQL_ENDPOINT);

function event(changes: Partial<AuditEvent> = {}): AuditEvent {
  return {
    v: 1,
    requestId: newId(),
    at: Date.now(),
    organizationId: newId(),
    integrationId: newId(),
    integrationSlug: "openai",
    keyId: newId(),
    holderId: newId(),
    method: "POST",
    path: "/v1/chat/completions",
    query: null,
    decision: "blocked",
    reason: "scope_path",
    outcome: "completed",
    status: 403,
    upstreamStatus: null,
    ip: "203.0.113.7",
    userAgent: `it's "quoted"`,
    durationMs: 3,
    bytesIn: 0,
    bytesOut: 2 ** 40,
    retentionDays: 30,
    droppedHeaders: ["cookie", "x-a"],
    ...changes,
  };
}

async function deliver(bodies: readonly unknown[], queue = "relaykey-audit") {
  const messages = bodies.map((body) => ({ id: newId(), timestamp: new Date(), attempts: 1, body }));
  const batch = createMessageBatch(queue, messages);
  const ctx = createExecutionContext();
  await worker.queue(batch, env);
  return { result: await getQueueResult(batch, ctx), ids: messages.map(({ id }) => id) };
}

async function stored(requestId: string) {
  return db.select().from(auditEvents).where(eq(auditEvents.requestId, requestId));
}

test("G5: an event delivered three times, also twice in one batch, is in the table once", async () => {
  const one = event();
  await deliver([...encodeAuditBatches([one, one]), ...encodeAuditBatches([one])]);
  await deliver([...encodeAuditBatches([one])]);
  const rows = await stored(one.requestId);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    path: one.path,
    userAgent: one.userAgent,
    bytesOut: one.bytesOut,
    droppedHeaders: ["cookie", "x-a"],
    at: new Date(one.at),
    expiresOn: expiryDay(one),
  });
});

test("a poisonous event is kept whole and takes no neighbour with it", async () => {
  const good = event();
  const poison = { ...event(), status: "two hundred" };
  const body = JSON.stringify({ v: 1, events: [poison, good] });
  const { result, ids } = await deliver([body, "not json"]);
  expect(result.explicitAcks.toSorted()).toEqual(ids.toSorted());
  expect(await stored(good.requestId)).toHaveLength(1);
  const letters = await db.select().from(auditDeadLetters);
  expect(letters.find((letter) => letter.origin === `${ids[0] ?? ""}/0`)?.raw).toBe(JSON.stringify(poison));
  expect(letters.find((letter) => letter.origin === ids[1])?.raw).toBe("not json");
});

test("an event that the database refuses is retried alone", async () => {
  const good = event();
  // Readable as an event, but PostgreSQL's text cannot hold a NUL.
  const bad = event({ path: "/v1/\0" });
  const { result, ids } = await deliver([...encodeAuditBatches([bad]), ...encodeAuditBatches([good])]);
  expect(result.explicitAcks).toEqual([ids[1]]);
  expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual([ids[0]]);
  expect(await stored(good.requestId)).toHaveLength(1);
});

test("while the database is away everything is retried, later and later", async () => {
  const away = openDatabase("postgres://relaykey:wrong@localhost/relaykey", env.RELAYKEY_SQL_ENDPOINT);
  const delays: number[] = [];
  const message = (attempts: number) => ({
    id: newId(),
    body: encodeAuditBatches([event()])[0],
    attempts,
    ack: () => {
      throw new Error("acknowledged what was not written");
    },
    retry: (options?: { delaySeconds: number }) => {
      delays.push(options?.delaySeconds ?? 0);
    },
  });
  const signer = await openSigner(env.RELAYKEY_AUDIT_KEY);
  const drained = await drain(away, signer, [message(1), message(3), message(50)], Date.now());
  expect(drained).toMatchObject({ written: 0, retried: 3 });
  expect(delays).toEqual([5, 20, 300]);
});

describe("retention", () => {
  test("an expired day's partition is dropped, the others stay", async () => {
    const old = event({ at: Date.now() - 40 * 86_400_000, retentionDays: 7 });
    const kept = event();
    await insertAuditEvents(db, [old, kept]);
    await worker.scheduled(createScheduledController({ scheduledTime: new Date(), cron: "17 0 * * *" }), env);
    expect(await stored(old.requestId)).toHaveLength(0);
    expect(await stored(kept.requestId)).toHaveLength(1);
  });
});

test("G8: a reader sees the events of its own organization only, newest first", async () => {
  const organizationId = newId();
  const mine = [
    event({ organizationId }),
    event({ organizationId, decision: "allowed", reason: null, status: 200 }),
  ];
  await insertAuditEvents(db, [...mine, event()]);
  const rows = await listAuditEvents(db, organizationId, {}, 10);
  expect(rows.map((row) => row.requestId)).toEqual(mine.map((one) => one.requestId).toReversed());
  expect(await listAuditEvents(db, organizationId, { decision: "blocked" }, 10)).toHaveLength(1);
  expect(await listAuditEvents(db, organizationId, { before: mine[1]?.requestId ?? "" }, 10)).toHaveLength(1);
});
