import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { lowestIdAt, newId } from "@relaykey/core/ids";
import { insertAuditEvents } from "@relaykey/db/queries/audit";
import { showAdminEvent, queryAdminEvents } from "../../service/admin-log.ts";
import { queryAuditEvents } from "../../service/audit.ts";
import { systemCaller } from "../../service/caller.ts";
import { bucketsOf, rangeBetween, rangeUntil } from "../../service/time-range.ts";
import { showStanding, showTraffic } from "../../service/traffic.ts";
import type { Standing } from "../../service/traffic.ts";
import { findUnusual } from "../../service/unusual.ts";
import { createWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

interface Tenant {
  readonly id: string;
  readonly keyId: string;
  readonly holderId: string;
}

async function tenant(key: Record<string, unknown> = {}): Promise<Tenant> {
  const { id, client } = await world.organization();
  const holder = await client("POST", "/holders", { name: "ci", kind: "service" });
  await client("POST", "/integrations", {
    slug: "openai",
    catalogue: "openai",
    secret: "sk-0123456789abcdef",
  });
  const made = await client("POST", "/keys", {
    holder: "ci",
    integration: "openai",
    allow: ["GET /**"],
    ...key,
  });
  expect([201, 202]).toContain(made.status);
  return {
    id,
    keyId: (made.body["key"] as { id: string }).id,
    holderId: (holder.body["holder"] as { id: string }).id,
  };
}

function event(of: Tenant, changes: Partial<AuditEvent>): AuditEvent {
  const blocked = changes.reason !== undefined && changes.reason !== null;
  const at = changes.at ?? Date.now();
  return {
    v: 1,
    requestId: `${lowestIdAt(at).slice(0, 13)}${newId().slice(13)}`,
    at,
    organizationId: of.id,
    integrationId: newId(),
    integrationSlug: "openai",
    keyId: of.keyId,
    holderId: of.holderId,
    method: "GET",
    path: "/v1/models",
    query: null,
    decision: blocked ? "blocked" : "allowed",
    reason: null,
    outcome: "completed",
    status: blocked ? 403 : 200,
    upstreamStatus: null,
    ip: "203.0.113.7",
    userAgent: null,
    durationMs: 3,
    bytesIn: 0,
    bytesOut: 0,
    retentionDays: 30,
    droppedHeaders: [],
    ...changes,
  };
}

function many(count: number, of: Tenant, changes: Partial<AuditEvent>): AuditEvent[] {
  return Array.from({ length: count }, () => event(of, changes));
}

async function standing(organizationId: string): Promise<Standing> {
  const shown = await showStanding(world.deps, systemCaller(organizationId));
  if (!shown.ok) throw new Error(shown.failure.code);
  return shown.value;
}

describe("traffic", () => {
  test("is counted by piece of time, decision and reason, and ends at the range", async () => {
    const one = await tenant();
    const other = await tenant();
    const from = new Date(Math.floor(Date.now() / HOUR) * HOUR - 6 * HOUR);
    const at = (hours: number) => from.getTime() + hours * HOUR;
    await insertAuditEvents(world.db, [
      ...many(2, one, { at: at(0) }),
      event(one, { at: at(1) - 1 }),
      ...many(3, one, { at: at(1), reason: "scope_path" }),
      event(one, { at: at(1), reason: "ip_not_allowed" }),
      // The answer of an allowed request that was cut has a reason, and is no refusal.
      event(one, { at: at(2), decision: "allowed", reason: "token_revoked", outcome: "cut" }),
      event(one, { at: at(-1) }),
      event(one, { at: at(4) }),
      event(other, { at: at(1) }),
    ]);
    const range = { from, to: new Date(at(3)), bucketMs: HOUR };
    const counted = await showTraffic(world.deps, systemCaller(one.id), {}, range);
    expect(counted.ok && new Set(counted.value)).toEqual(
      new Set([
        { bucket: 0, decision: "allowed", reason: null, requests: 3 },
        { bucket: 1, decision: "blocked", reason: "scope_path", requests: 3 },
        { bucket: 1, decision: "blocked", reason: "ip_not_allowed", requests: 1 },
        { bucket: 2, decision: "allowed", reason: null, requests: 1 },
      ]),
    );
  });

  test.each<[string, Parameters<typeof queryAuditEvents>[2], number]>([
    ["method", { method: "POST" }, 1],
    ["a part of the path, taken literally", { pathPart: "50%_o" }, 1],
    ["address", { ip: "2001:db8::1" }, 1],
    ["status class", { status: { least: 400, most: 499 } }, 2],
    ["reason", { reason: "scope_method" }, 1],
  ])("is found by %s", async (_name, filter, expected) => {
    const of = await tenant();
    await insertAuditEvents(world.db, [
      event(of, { method: "POST" }),
      event(of, { path: "/v1/50%_off" }),
      event(of, { path: "/v1/50xxoff" }),
      event(of, { ip: "2001:db8::1", status: 302 }),
      event(of, { reason: "scope_method", status: 403 }),
      event(of, { reason: "rate_limited", status: 429 }),
    ]);
    const page = { limit: 50, cursor: null };
    const found = await queryAuditEvents(world.deps, systemCaller(of.id), filter, page);
    expect(found.ok && found.value.entries).toHaveLength(expected);
    const byHolder = await queryAuditEvents(world.deps, systemCaller(of.id), { holderId: of.holderId }, page);
    expect(byHolder.ok && byHolder.value.entries).toHaveLength(6);
  });

  test("ranges begin on whole pieces and have few of them", () => {
    const now = Date.parse("2026-11-24T15:07:31Z");
    const day = rangeUntil(now, "24h");
    expect(day.from.toISOString()).toBe("2026-11-23T15:30:00.000Z");
    expect(bucketsOf(day)).toBe(48);
    for (const name of ["1h", "7d", "30d"] as const) {
      const range = rangeUntil(now, name);
      expect(range.from.getTime() % range.bucketMs).toBe(0);
      expect(bucketsOf(range)).toBeGreaterThan(20);
      expect(bucketsOf(range)).toBeLessThan(62);
    }
    expect(rangeBetween(new Date(2), new Date(1))).toBeNull();
    expect(rangeBetween(new Date(0), new Date(10 * 365 * DAY))?.bucketMs).toBeGreaterThan(30 * DAY);
  });
});

describe("standing", () => {
  test("counts what waits: expiring, frozen, pending, failing, new addresses", async () => {
    world.keyControl.failing = () => true;
    const of = await tenant({ expires_at: new Date(Date.now() + 2 * DAY).toISOString() });
    world.keyControl.failing = null;
    await insertAuditEvents(world.db, [
      ...many(3, of, { reason: "ip_unconfirmed", ip: "198.51.100.1" }),
      event(of, { reason: "ip_unconfirmed", ip: "198.51.100.2" }),
      // Confirmed since.
      event(of, { ip: "198.51.100.2" }),
      event(of, { reason: "ip_unconfirmed", ip: "198.51.100.3", at: Date.now() - HOUR }),
    ]);
    expect(await standing(of.id)).toMatchObject({
      activeKeys: 1,
      pendingKeys: 1,
      expiringKeys: 1,
      frozenKeys: 0,
      failingIntegrations: 0,
      integrations: 1,
      newAddresses: 1,
      expiring: [{ id: of.keyId }],
      keys: [{ id: of.keyId, allowed: 1, blocked: 5 }],
    });
  });

  test("names a key that is blocked far more than in the days before, and no other", async () => {
    const of = await tenant();
    const caller = systemCaller(of.id);
    await insertAuditEvents(world.db, many(21, of, { reason: "scope_path", at: Date.now() - 5 * DAY }));
    expect((await standing(of.id)).unusual).toEqual([]);
    await insertAuditEvents(world.db, many(25, of, { reason: "scope_path" }));
    expect((await standing(of.id)).unusual).toEqual([
      { kind: "blocked", key: { id: of.keyId, name: "ci/openai" }, requests: 25, usual: 3 },
    ]);
    expect(caller.organizationId).toBe(of.id);
  });

  test("what is usual for a key is not unusual; a new key's use is not either", () => {
    const key = {
      id: "1",
      name: "k",
      display: "",
      allowed: 0,
      blocked: 0,
      allowedBefore: 0,
      blockedBefore: 0,
    };
    expect(findUnusual([{ ...key, blocked: 100, blockedBefore: 700 }], 7)).toEqual([]);
    expect(findUnusual([{ ...key, blocked: 19 }], 7)).toEqual([]);
    expect(findUnusual([{ ...key, allowed: 10_000 }], 7)).toEqual([]);
    expect(findUnusual([{ ...key, allowed: 10_000, allowedBefore: 700 }], 7)).toMatchObject([
      { kind: "busy" },
    ]);
  });
});

describe("admin events", () => {
  test("are listed newest first with names, by filter and page, and only of the own organization", async () => {
    const one = await tenant();
    const other = await tenant();
    const caller = systemCaller(one.id);
    const all = await queryAdminEvents(world.deps, caller, {}, { limit: 2, cursor: null });
    if (!all.ok) throw new Error(all.failure.code);
    expect(all.value.entries.map(({ action }) => action)).toEqual(["key.created", "integration.created"]);
    expect(all.value.entries[0]).toMatchObject({
      subjectName: "ci/openai",
      actorKind: "management_token",
      actorName: "test",
    });
    const rest = await queryAdminEvents(world.deps, caller, {}, { limit: 9, cursor: all.value.nextCursor });
    expect(rest.ok && rest.value.entries.map(({ action }) => action)).toEqual([
      "holder.created",
      "organization.created",
    ]);
    const keys = await queryAdminEvents(world.deps, caller, { action: "key." }, { limit: 9, cursor: null });
    expect(keys.ok && keys.value.entries).toHaveLength(1);
    const id = all.value.entries[0]?.id ?? "";
    expect((await showAdminEvent(world.deps, caller, id)).ok).toBe(true);
    expect(await showAdminEvent(world.deps, systemCaller(other.id), id)).toMatchObject({ ok: false });
    expect(await showAdminEvent(world.deps, caller, "x' OR 1=1")).toMatchObject({ ok: false });
  });
});
