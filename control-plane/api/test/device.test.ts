import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { deviceLogins, managementTokens, throttles } from "@relaykey/db/schema/access";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { memberships } from "@relaykey/db/schema/people";
import type { Role } from "@relaykey/db/schema/people";
import type { Person } from "../../service/account/person.ts";
import { endSessions } from "../../service/account/sessions.ts";
import type { Caller } from "../../service/caller.ts";
import { decideDeviceLogin, findDeviceLogin } from "../../service/device-logins.ts";
import { changeMemberRole, removeMember } from "../../service/members.ts";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

let world: World;
let anybody: Client;
let organizationId: string;
let admin: Caller;

beforeAll(async () => {
  world = await createWorld();
  anybody = world.caller(null);
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  await world.db.delete(throttles);
  ({ id: organizationId } = await world.organization());
  admin = await world.person(organizationId, "admin");
});

interface Started {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri_complete: string;
}

async function start(client = "rk on build-7"): Promise<Started> {
  const answer = await anybody("POST", "/device/code", { client });
  expect(answer.status, answer.text).toBe(200);
  return answer.body as unknown as Started;
}

async function poll(started: Started): Promise<{ code: unknown; token: string }> {
  world.advance(6_000);
  const answer = await anybody("POST", "/device/token", { device_code: started.device_code });
  return { code: answer.body["code"] ?? null, token: String(answer.body["access_token"]) };
}

const approve = (caller: Caller, code: string, role: Role = "admin") =>
  decideDeviceLogin(world.deps, caller, code, { approve: true, role, lifetime: "8h" });

describe("signing a command line in", () => {
  test("waits for an admin, mints at the question that follows, once; only hashes are stored", async () => {
    const started = await start();
    expect(started.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect(started.verification_uri_complete).toBe(
      `https://relaykey.example/device?code=${started.user_code}`,
    );
    expect(await poll(started)).toMatchObject({ code: "authorization_pending" });
    const typed = ` ${started.user_code.toLowerCase().replace("-", " ")}`;
    expect(await findDeviceLogin(world.deps, admin, typed)).toMatchObject({
      ok: true,
      value: { client: "rk on build-7", ip: "203.0.113.9" },
    });
    expect(await approve(admin, typed)).toMatchObject({ ok: true });
    const before = await world.db.select().from(managementTokens);
    expect(before.some(({ name }) => name.startsWith("rk:"))).toBe(false);
    const { token } = await poll(started);
    expect(token).toMatch(/^rk_mgmt_/);
    const self = await world.caller(`Bearer ${token}`)("GET", "/whoami");
    expect(self.body).toMatchObject({
      token: { kind: "standard", role: "admin" },
      organization: { id: organizationId },
    });
    const { expires_at } = self.body["token"] as { expires_at: string };
    const hours = (Date.parse(expires_at) - world.deps.now()) / 3_600_000;
    expect(Math.round(hours)).toBe(8);
    expect(await poll(started)).toMatchObject({ code: "invalid_grant" });

    const stored = JSON.stringify([
      await world.db.select().from(deviceLogins),
      await world.db.select().from(managementTokens),
      await world.db.select().from(adminAuditEvents),
    ]);
    for (const secret of [
      token,
      started.device_code,
      started.user_code,
      started.user_code.replace("-", ""),
    ]) {
      expect(stored).not.toContain(secret);
      expect(world.logged.join("\n")).not.toContain(secret);
    }
    const events = await world.db
      .select()
      .from(adminAuditEvents)
      .where(eq(adminAuditEvents.organizationId, organizationId));
    expect(events.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["device_login.approved", "management_token.created"]),
    );
  });

  test("of many questions at the same time exactly one gets the token", async () => {
    const started = await start();
    await approve(admin, started.user_code);
    world.advance(6_000);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => anybody("POST", "/device/token", { device_code: started.device_code })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("who asks too often is told to slow down, and gets nothing for it", async () => {
    const started = await start();
    await poll(started);
    await approve(admin, started.user_code);
    const hasty = await anybody("POST", "/device/token", { device_code: started.device_code });
    expect(hasty).toMatchObject({ status: 400, body: { code: "slow_down" } });
    expect((await poll(started)).token).toMatch(/^rk_mgmt_/);
  });

  test("denied is denied, and expired is over, also when it was approved", async () => {
    const denied = await start();
    await decideDeviceLogin(world.deps, admin, denied.user_code, { approve: false });
    expect(await poll(denied)).toMatchObject({ code: "access_denied" });
    expect(await approve(admin, denied.user_code)).toMatchObject({ ok: false });
    const late = await start();
    await approve(admin, late.user_code);
    world.advance(600_000);
    expect(await poll(late)).toMatchObject({ code: "expired_token" });
    expect(await approve(admin, late.user_code)).toMatchObject({ ok: false });
  });

  test("the role is that of the approval, and an approver who was demoted or left lets nobody in", async () => {
    const looking = await start();
    await approve(admin, looking.user_code, "viewer");
    const viewer = world.caller(`Bearer ${(await poll(looking)).token}`);
    expect((await viewer("GET", "/organization")).status).toBe(200);
    expect(await viewer("POST", "/holders", { name: "x", kind: "agent" })).toMatchObject({ status: 403 });

    const started = await start();
    await approve(admin, started.user_code);
    await world.db
      .update(memberships)
      .set({ role: "viewer" })
      .where(eq(memberships.userId, admin.actor.id ?? ""));
    expect(await poll(started)).toMatchObject({ code: "access_denied" });
  });

  test("signing out everywhere ends the command lines of the person, and nobody else's", async () => {
    const colleague = await world.person(organizationId, "admin");
    const [own, other] = [await start(), await start()];
    await approve(admin, own.user_code);
    await approve(colleague, other.user_code);
    const login = world.caller(`Bearer ${(await poll(own)).token}`);
    const others = world.caller(`Bearer ${(await poll(other)).token}`);
    const person: Person = {
      userId: admin.actor.id ?? "",
      email: "ada@example.com",
      sessionId: newId(),
      organizationId,
      role: "admin",
      hasPasskey: false,
      isStrong: true,
      ip: null,
      userAgent: null,
    };
    await endSessions(world.deps, person, "others");
    expect((await login("GET", "/whoami")).status).toBe(200);
    await endSessions(world.deps, person, "all");
    expect(await login("GET", "/whoami")).toMatchObject({ status: 401, body: { code: "token_revoked" } });
    expect((await others("GET", "/whoami")).status).toBe(200);
  });

  test("what was let in may do what its person may: less once they are a viewer, nothing once they are gone", async () => {
    await world.person(organizationId, "admin");
    const started = await start();
    await approve(admin, started.user_code);
    const login = world.caller(`Bearer ${(await poll(started)).token}`);
    const made = await login("POST", "/tokens", {
      name: "from the command line",
      role: "admin",
      expires_in: "1h",
    });
    const second = world.caller(`Bearer ${String(made.body["token"])}`);
    const both = (method: "GET" | "POST", path: string, body?: object) =>
      Promise.all([login, second].map(async (client) => (await client(method, path, body)).status));
    expect(await both("GET", "/members")).toEqual([200, 200]);

    const own = await world.db
      .select()
      .from(memberships)
      .where(eq(memberships.userId, admin.actor.id ?? ""));
    const id = own[0]?.id ?? "";
    const colleague = await world.person(organizationId, "admin");
    expect(await changeMemberRole(world.deps, colleague, id, "viewer")).toMatchObject({ ok: true });
    expect(await both("GET", "/members")).toEqual([200, 200]);
    expect(await both("POST", "/holders", { name: "x", kind: "agent" })).toEqual([403, 403]);

    expect(await removeMember(world.deps, colleague, id)).toMatchObject({ ok: true });
    expect((await login("GET", "/members")).body).toMatchObject({ code: "token_revoked" });
    expect(await both("GET", "/members")).toEqual([401, 401]);
  });

  test.each([
    ["a viewer", () => world.person(organizationId, "viewer"), "role_insufficient"],
    ["an admin without the passkey they enrolled", () => ({ ...admin, isStrong: false }), "passkey_needed"],
    [
      "a token",
      (): Caller => ({ ...admin, actor: { kind: "management_token", id: newId() } }),
      "people_only",
    ],
  ])("%s cannot approve", async (_, caller, code) => {
    const started = await start();
    expect(await approve(await caller(), started.user_code)).toMatchObject({ ok: false, failure: { code } });
    expect(await poll(started)).toMatchObject({ code: "authorization_pending" });
  });

  test("a network of IPv6 starts no more logins than one address does", async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 21; count += 1) {
      const client = world.caller(null, `2001:db8::${String(count + 1)}`);
      statuses.push((await client("POST", "/device/code", { client: "rk" })).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 200), 429]);
  });

  test("codes cannot be guessed, nor logins be started, without end", async () => {
    const started = await start();
    for (let guess = 0; guess < 10; guess += 1) {
      expect(await findDeviceLogin(world.deps, admin, "BBBB-BBBB")).toMatchObject({
        failure: { code: "invalid_request" },
      });
    }
    expect(await findDeviceLogin(world.deps, admin, started.user_code)).toMatchObject({
      failure: { code: "rate_limited" },
    });
    // The window slides by sixtieths: what was used is free again a sixtieth late at most.
    world.advance(600_000 + 10_000);
    expect(await findDeviceLogin(world.deps, admin, "BBBB-BBBB")).toMatchObject({
      failure: { code: "invalid_request" },
    });
    const statuses: number[] = [];
    for (let count = 0; count < 21; count += 1) {
      statuses.push((await anybody("POST", "/device/code", { client: "x" })).status);
    }
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
  });

  test.each([[{}], [{ client: "" }], [{ client: "rk\u202eon" }], [{ client: "rk", x: 1 }]])(
    "%j is no client",
    async (body) => {
      expect((await anybody("POST", "/device/code", body)).status).toBe(400);
    },
  );
});

test("a command line signs itself out", async () => {
  const { client } = await world.organization();
  expect(await client("DELETE", "/whoami")).toMatchObject({ status: 200 });
  expect(await client("GET", "/whoami")).toMatchObject({ status: 401, body: { code: "token_revoked" } });
});
