import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { newId } from "@relaykey/core/ids";
import { NO_LIMITS } from "@relaykey/core/limits";
import type { Notice } from "@relaykey/core/notice";
import { openDatabase } from "@relaykey/db/client";
import { dropExpiredPartitions, expiryDay, insertAuditEvents } from "@relaykey/db/queries/audit";
import { moveToRetention } from "@relaykey/db/queries/retention";
import { auditEvents, usageDays } from "@relaykey/db/schema/audit";
import { holders } from "@relaykey/db/schema/holders";
import { integrations } from "@relaykey/db/schema/integrations";
import { relayKeys } from "@relaykey/db/schema/keys";
import { organizations } from "@relaykey/db/schema/organizations";
import { judgeHealth, watch } from "./watch.ts";

const db = openDatabase(env.DATABASE_URL, env.RELAYKEY_SQL_ENDPOINT);
const DAY_MS = 86_400_000;
const nobody = (): Promise<void> => Promise.resolve();

/** An organization with an integration, a holder and a key; and events of theirs. */
async function tenant() {
  const [organizationId, integrationId, holderId, keyId] = [newId(), newId(), newId(), newId()];
  await db.insert(organizations).values({ id: organizationId, name: "Tenant" });
  await db.insert(integrations).values({
    id: integrationId,
    organizationId,
    slug: "openai",
    name: "OpenAI",
    upstreamOrigin: "https://api.openai.com",
    timeoutMs: 1_000,
    credential: { kind: "bearer" },
    requestHeaders: [],
    dialect: "plain",
    secretVersion: 1,
  });
  const locator = keyId.replaceAll("-", "").slice(-16);
  await db.insert(holders).values({ id: holderId, organizationId, name: "ci", kind: "service", locator });
  await db.insert(relayKeys).values({
    id: keyId,
    organizationId,
    holderId,
    integrationId,
    name: "ci key",
    tokenHash: newId(),
    display: "rk_proxy_…abcd",
    state: "active",
    policyVersion: 1,
    ipMode: "any",
    ipCidrs: [],
    limits: NO_LIMITS,
    bindings: {},
    enforcement: "lease",
  });
  const event = (changes: Partial<AuditEvent> = {}): AuditEvent => ({
    v: 1,
    requestId: newId(),
    at: Date.now(),
    organizationId,
    integrationId,
    integrationSlug: "openai",
    keyId,
    holderId,
    method: "GET",
    path: "/v1/models",
    query: null,
    decision: "allowed",
    reason: null,
    outcome: "completed",
    status: 200,
    upstreamStatus: 200,
    ip: null,
    userAgent: null,
    durationMs: 1,
    bytesIn: 0,
    bytesOut: 0,
    retentionDays: 30,
    droppedHeaders: [],
    ...changes,
  });
  const sent: Notice[] = [];
  const write = async (...events: AuditEvent[]) => {
    await insertAuditEvents(db, events);
    await watch(db, events, async (notice) => void sent.push(notice), Date.now());
  };
  return { organizationId, integrationId, keyId, event, sent, write };
}

test("a vendor that refuses its key five times in a row fails, once; it is well again after three other answers", async () => {
  const { integrationId, event, sent, write } = await tenant();
  const refused = () => event({ status: 401, upstreamStatus: 401 });
  const health = async () =>
    (await db.select().from(integrations).where(eq(integrations.id, integrationId)))[0]?.health;
  await write(event(), refused(), refused(), refused(), refused());
  expect(sent).toEqual([]);
  await write(refused());
  expect(sent).toMatchObject([
    { type: "integration.failing", integrationId, data: { integration: "openai", status: 401 } },
  ]);
  expect(await health()).toBe("failing");
  await new Promise((resume) => setTimeout(resume, 5));
  await write(refused(), event(), event());
  expect(await health()).toBe("failing");
  await write(event());
  expect(await health()).toBe("ok");
  expect(sent).toHaveLength(1);
});

test("a crash after telling, before noting, tells of the same happening", async () => {
  const { event, sent } = await tenant();
  const events = Array.from({ length: 5 }, () => event({ upstreamStatus: 401, status: 401 }));
  await insertAuditEvents(db, events);
  const crash = async (notice: Notice) => {
    sent.push(notice);
    throw new Error("the machine stopped");
  };
  await expect(watch(db, events, crash, Date.now())).rejects.toThrow();
  await expect(watch(db, events, crash, Date.now() + 1_000)).rejects.toThrow();
  expect(new Set(sent.map(({ dedupeKey }) => dedupeKey)).size).toBe(1);
});

test("a customer's key that refuses is told of once in a while for an organization, not for each request", async () => {
  const { organizationId, event, sent, write } = await tenant();
  const refused = () =>
    event({ decision: "blocked", reason: "custody_key_refused", status: 503, upstreamStatus: null });
  await write(refused(), refused(), event());
  expect(sent).toMatchObject([
    { type: "custody.key_refused", organizationId, data: { integration: "openai" } },
  ]);
  await write(refused());
  // Repeated, and the same happening, unless six hours have just begun.
  expect(new Set(sent.map(({ dedupeKey }) => dedupeKey)).size).toBeLessThanOrEqual(2);
  await write(
    event({ decision: "blocked", reason: "custody_key_unreachable", status: 503, upstreamStatus: null }),
  );
  expect(sent).toHaveLength(2);
});

test("403 alone, and failures of the vendor, say nothing of its key", () => {
  expect(judgeHealth({ statuses: [403, 403, 403, 403, 403] })).toBeNull();
  expect(judgeHealth({ statuses: [403, 401, 403, 403, 403] })).toBe("failing");
  expect(judgeHealth({ statuses: [500, 503, 500, 500, 500] })).toBeNull();
  expect(judgeHealth({ statuses: [401, 401, 401, 401] })).toBeNull();
  expect(judgeHealth({ statuses: [404, 200, 429] })).toBe("ok");
});

test("fifty refused requests of a key within minutes are a storm; new addresses, and allowed requests, are not", async () => {
  const { keyId, event, sent, write } = await tenant();
  const blocked = (reason: AuditEvent["reason"]) =>
    event({ decision: "blocked", reason, status: 403, upstreamStatus: null });
  await write(...Array.from({ length: 49 }, () => blocked("scope_path")), event());
  await write(...Array.from({ length: 60 }, () => blocked("ip_unconfirmed")));
  expect(sent).toEqual([]);
  await write(blocked("scope_path"));
  expect(sent).toMatchObject([
    { type: "key.blocked_storm", keyId, data: { count: 50, reason: "scope_path" } },
  ]);
});

test("requests are counted per day as they are written, a repeated message once", async () => {
  const { organizationId, event } = await tenant();
  const events = [event(), event(), event({ at: Date.now() - DAY_MS })];
  await insertAuditEvents(db, events);
  await insertAuditEvents(db, [...events.slice(0, 1), event()]);
  const days = await db.select().from(usageDays).where(eq(usageDays.organizationId, organizationId));
  expect(days.map(({ requests }) => requests).sort()).toEqual([1, 3]);
});

test("a longer retention reaches events that are there; a shorter one too, a week later; what is young stays where a repetition looks", async () => {
  const { organizationId, event } = await tenant();
  const old = event({ at: Date.now() - 6 * DAY_MS, retentionDays: 7 });
  const young = event({ retentionDays: 7 });
  await insertAuditEvents(db, [old, young]);
  const plan = async (days: number, changedAt: Date) =>
    db
      .update(organizations)
      .set({ auditRetentionDays: days, retentionChangedAt: changedAt })
      .where(eq(organizations.id, organizationId));
  const stored = async ({ requestId }: AuditEvent) =>
    (await db.select().from(auditEvents).where(eq(auditEvents.requestId, requestId)))[0]?.expiresOn;
  await plan(365, new Date());
  await moveToRetention(db, new Date(), nobody);
  expect(await stored(old)).toBe(expiryDay({ at: old.at, retentionDays: 365 }));
  expect(await stored(young)).toBe(expiryDay(young));
  await insertAuditEvents(db, [young]);
  expect(await db.select().from(auditEvents).where(eq(auditEvents.requestId, young.requestId))).toHaveLength(
    1,
  );

  const ancient = event({ at: Date.now() - 20 * DAY_MS, retentionDays: 365 });
  await insertAuditEvents(db, [ancient]);
  await plan(7, new Date());
  await moveToRetention(db, new Date(), nobody);
  expect(await stored(ancient)).toBe(expiryDay(ancient));
  await plan(7, new Date(Date.now() - 8 * DAY_MS));
  await moveToRetention(db, new Date(), nobody);
  await dropExpiredPartitions(db, new Date().toISOString().slice(0, 10));
  expect(await stored(ancient)).toBeUndefined();
  expect(await stored(old)).toBe(expiryDay(old));

  await plan(7, new Date(Date.now() - 30 * DAY_MS));
  await moveToRetention(db, new Date(), nobody);
  const [settled] = await db.select().from(organizations).where(eq(organizations.id, organizationId));
  expect(settled?.retentionChangedAt).toBeNull();
});
