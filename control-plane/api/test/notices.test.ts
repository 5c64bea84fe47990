import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { encodeNotice } from "@relaykey/core/notice";
import type { Notice } from "@relaykey/core/notice";
import { findKey } from "@relaykey/db/queries/keys";
import { auditDeadLetters } from "@relaykey/db/schema/audit";
import { holders } from "@relaykey/db/schema/holders";
import { notices } from "@relaykey/db/schema/notices";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { memberships, users } from "@relaykey/db/schema/people";
import { consumeNotices } from "../../service/notices/consume.ts";
import { noticeExpiringKeys } from "../../service/notices/expiring.ts";
import { sendAlerts } from "../../service/notices/send-alerts.ts";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

let world: World;
let client: Client;
let organizationId: string;
let key: { readonly id: string };
let holder: { readonly id: string };

beforeAll(async () => {
  world = await createWorld();
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  ({ client, id: organizationId } = await world.organization());
  await client("POST", "/integrations", { slug: "openai", secret: "sk-vendor" });
  const made = await client("POST", "/holders", { name: "Ann", kind: "person", email: "ann@example.com" });
  holder = made.body["holder"] as typeof holder;
  key = await createKey("laptop");
  for (const email of ["b@example.com", "a@example.com"]) await addMember(email, "admin");
  await addMember("viewer@example.com", "viewer");
  // What earlier tests left.
  world.advance(3 * 60_000);
  while ((await sendAlerts(world.deps)) > 0);
  world.mails.length = 0;
});

async function createKey(name: string, more: object = {}) {
  const answer = await client("POST", "/keys", {
    holder: "Ann",
    integration: "openai",
    name,
    allow: ["GET /v1/models"],
    ...more,
  });
  expect(answer.status).toBe(201);
  return answer.body["key"] as { id: string };
}

async function addMember(local: string, role: "admin" | "viewer"): Promise<void> {
  const id = newId();
  await world.db.insert(users).values({ id, email: `${id}.${local}` });
  await world.db.insert(memberships).values({ id: newId(), organizationId, userId: id, role });
}

function notice(changes: Partial<Notice> = {}): Notice {
  return {
    v: 1,
    type: "key.frozen",
    dedupeKey: newId(),
    organizationId,
    keyId: key.id,
    holderId: holder.id,
    integrationId: null,
    at: world.deps.now(),
    data: { key: "laptop", holder: "Ann", by: "holder", freezes: 1, address: "198.51.100.4", country: "FR" },
    ...changes,
  };
}

function message(body: unknown) {
  const outcome = { acked: 0, retries: [] as number[] };
  return {
    outcome,
    id: newId(),
    body,
    attempts: 1,
    ack: () => {
      outcome.acked += 1;
    },
    retry: ({ delaySeconds = 0 } = {}) => {
      outcome.retries.push(delaySeconds);
    },
  };
}

const deliver = (...sent: Notice[]) =>
  consumeNotices(
    world.deps,
    sent.map((one) => message(encodeNotice(one))),
  );

const stored = (type: string) =>
  world.db
    .select()
    .from(notices)
    .where(and(eq(notices.organizationId, organizationId), eq(notices.type, type)));

const events = (action: string) =>
  world.db
    .select()
    .from(adminAuditEvents)
    .where(and(eq(adminAuditEvents.organizationId, organizationId), eq(adminAuditEvents.action, action)));

test("a report delivered again and again, also at the same time, is one notice with one effect", async () => {
  const report = notice();
  const runs = await Promise.all(Array.from({ length: 8 }, () => deliver(report, report)));
  expect(runs.reduce((sum, { written }) => sum + written, 0)).toBe(1);
  expect(await stored("key.frozen")).toHaveLength(1);
  expect(await findKey(world.db, organizationId, key.id)).toMatchObject({
    state: "frozen",
    frozenBy: "holder",
  });
  expect(world.keyControl.latest(key.id)?.state).toBe("frozen");
  expect(await events("key.frozen")).toMatchObject([
    { actorKind: "holder", actorId: holder.id, via: "confirmation" },
  ]);
});

test("a freeze that is reported after an admin lifted it stays lifted", async () => {
  world.keyControl.inspect = () =>
    Promise.resolve({
      keyId: key.id,
      version: 1,
      state: "frozen",
      leasedUntil: 0,
      usesTaken: 0,
      leasesAsked: 0,
      holderFreezes: 1,
    });
  await deliver(notice());
  expect((await client("POST", `/keys/${key.id}/unfreeze`)).status).toBe(200);
  await deliver(notice());
  expect(await findKey(world.db, organizationId, key.id)).toMatchObject({ state: "active" });
  await deliver(notice({ data: { freezes: 2 } }));
  expect(await findKey(world.db, organizationId, key.id)).toMatchObject({ state: "frozen" });
});

test("a freeze is mailed to each admin once, with the way to a new key; a crash in between repeats the same mails", async () => {
  await deliver(notice());
  const send = world.deps.sendMail;
  const broken = { ...world.deps, sendMail: () => Promise.reject(new Error("the queue is away")) };
  await expect(sendAlerts(broken)).rejects.toThrow("the queue is away");
  expect(await sendAlerts({ ...world.deps, sendMail: send })).toBe(0);
  world.advance(3 * 60_000);
  await Promise.all([sendAlerts(world.deps), sendAlerts(world.deps)]);
  expect(world.mails.map((mail) => (mail.kind === "alert" ? mail.to.slice(37) : mail.kind))).toEqual(
    expect.arrayContaining(["a@example.com", "b@example.com"]),
  );
  expect(world.mails).toHaveLength(2);
  expect(new Set(world.mails.map((mail) => (mail.kind === "alert" ? mail.id : ""))).size).toBe(2);
  expect(world.mails[0]).toMatchObject({
    title: "Ann froze the key laptop",
    action: { url: `https://relaykey.example/keys/${key.id}?confirm=reroll` },
  });
  world.advance(3 * 60_000);
  expect(await sendAlerts(world.deps)).toBe(0);
});

test("a storm is one alert, whatever its reports; the next one after the window is another", async () => {
  const storm = () => notice({ type: "holder.confirmation_storm", data: { networks: 40, key: "laptop" } });
  await deliver(...Array.from({ length: 30 }, storm));
  expect(await stored("holder.confirmation_storm")).toHaveLength(30);
  expect(await sendAlerts(world.deps)).toBe(1);
  world.advance(7 * 3_600_000);
  await deliver(storm(), storm());
  expect(await sendAlerts(world.deps)).toBe(1);
});

test("storms of many holders at once are a few alerts", async () => {
  await deliver(
    ...Array.from({ length: 20 }, () =>
      notice({ type: "holder.confirmation_storm", holderId: newId(), data: {} }),
    ),
  );
  expect(await sendAlerts(world.deps)).toBe(3);
});

test("a bounce stops mail to that address; a new address starts anew; a late bounce of the former one changes nothing", async () => {
  const bounce = notice({
    type: "holder.mail_failed",
    keyId: null,
    data: { reason: "bounced", address: "Ann@example.com" },
  });
  await deliver(bounce);
  const find = async () => (await world.db.select().from(holders).where(eq(holders.id, holder.id)))[0];
  expect(await find()).toMatchObject({ mailState: "bounced" });
  expect(world.keyControl.latest(key.id)?.holder.mailable).toBe(false);
  expect(await events("holder.mail_stopped")).toHaveLength(1);
  await client("PATCH", `/holders/${holder.id}`, { email: "ann@elsewhere.example" });
  expect(world.keyControl.latest(key.id)?.holder.mailable).toBe(true);
  await deliver({ ...bounce, dedupeKey: newId() });
  expect(await find()).toMatchObject({ mailState: "ok" });
  await deliver(
    notice({ type: "holder.mail_failed", data: { reason: "undelivered", address: "ann@elsewhere.example" } }),
  );
  expect(await find()).toMatchObject({ mailState: "ok" });
});

test("what cannot be read, or belongs to nobody, is kept whole; a database that is away is tried again, later and later", async () => {
  const [junk, stranger] = [
    message("not a notice"),
    message(encodeNotice(notice({ organizationId: newId() }))),
  ];
  expect(await consumeNotices(world.deps, [junk, stranger])).toMatchObject({ rejected: 2, retried: 0 });
  expect([junk.outcome.acked, stranger.outcome.acked]).toEqual([1, 1]);
  const letters = await world.db.select().from(auditDeadLetters);
  expect(letters.map(({ origin }) => origin)).toEqual(
    expect.arrayContaining([`notices/${junk.id}`, `notices/${stranger.id}`]),
  );
  const away = {
    ...world.deps,
    db: new Proxy(world.deps.db, {
      get: () => {
        throw new Error("away");
      },
    }),
  };
  const waiting = { ...message(encodeNotice(notice())), attempts: 4 };
  expect(await consumeNotices(away, [waiting])).toMatchObject({ retried: 1 });
  expect(waiting.outcome).toEqual({ acked: 0, retries: [16] });
});

test("what admins do to keys is noticed in the same transaction, bulk and reroll included; another organization sees none of it", async () => {
  await client("POST", `/keys/${key.id}/freeze`);
  world.keyControl.inspect = () => Promise.resolve(null);
  await client("POST", `/keys/${key.id}/unfreeze`);
  const rerolled = await client("POST", `/keys/${key.id}/reroll`, {});
  expect(rerolled.status).toBe(201);
  const second = await createKey("second");
  await client("POST", `/keys/${second.id}/revoke`);
  const of = async (type: string) => (await stored(type)).map(({ keyId }) => keyId);
  expect(await of("key.frozen")).toEqual([key.id]);
  expect(await of("key.unfrozen")).toEqual([key.id]);
  expect(await of("key.revoked")).toEqual([second.id]);
  const replacement = (rerolled.body["key"] as { id: string }).id;
  expect(new Set(await of("key.created"))).toEqual(new Set([key.id, replacement, second.id]));
  expect((await stored("key.created"))[0]?.data).toMatchObject({
    key: "laptop",
    holder: "Ann",
    integration: "openai",
  });
  expect(await sendAlerts(world.deps)).toBe(0);
});

test("a key is noticed a week and a day before it expires, once each; a key made for less is not", async () => {
  const at = (ms: number) => ({ expires_at: new Date(world.deps.now() + ms).toISOString() });
  const day = 86_400_000;
  await createKey("month", at(30 * day));
  await createKey("hours", at(day / 2));
  await createKey("days", at(3 * day));
  const run = async () => {
    await noticeExpiringKeys(world.deps);
    await noticeExpiringKeys(world.deps);
    return (await stored("key.expiring"))
      .map(({ data }) => `${String(data["key"])} ${String(data["stage"])}`)
      .sort();
  };
  expect(await run()).toEqual([]);
  world.advance(2.5 * day);
  expect(await run()).toEqual(["days 1d"]);
  world.advance(21 * day);
  expect(await run()).toEqual(["days 1d", "month 7d"]);
  world.advance(6 * day);
  expect(await run()).toEqual(["days 1d", "month 1d", "month 7d"]);
});
