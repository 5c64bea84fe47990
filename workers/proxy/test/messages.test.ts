import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { decodeMail } from "@relaykey/core/mail";
import { decodeNotice } from "@relaykey/core/notice";
import { holderStub } from "../holders.ts";
import type { KeyHolder } from "../objects/key-holder.ts";
import { SqliteHolderStore } from "../objects/sqlite-store.ts";
import { CAFE, call, confirmations, mailAbout, personsKey } from "./person.ts";
import { TestProxy, keyControl } from "./world.ts";
import type { TestKey } from "./world.ts";

describe("messages", () => {
  /** The object with queues that take what they are given from a moment on. */
  async function refusing(key: TestKey, times: number): Promise<{ mail: string[]; notice: string[] }> {
    const taken = { mail: [] as string[], notice: [] as string[] };
    let refusals = 0;
    const queue = (into: string[]) => ({
      send: (body: string) => {
        refusals += 1;
        if (refusals <= times) return Promise.reject(new Error("unavailable"));
        into.push(body);
        return Promise.resolve();
      },
    });
    await runInDurableObject(holderStub(env, key.snapshot.holderLocator), (instance: KeyHolder) => {
      Object.defineProperty(instance, "env", {
        value: { ...env, MAIL_QUEUE: queue(taken.mail), NOTICE_QUEUE: queue(taken.notice) },
      });
    });
    return taken;
  }

  test("a queue that is away loses no mail and no notice, and no request waits for it", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey();
    expect(await call(proxy, key)).toBe(200);
    const taken = await refusing(key, 3);
    expect(await call(proxy, key, CAFE)).toBe(423);
    await vi.waitFor(
      () => {
        expect([taken.mail.length, taken.notice.length]).toEqual([1, 1]);
      },
      { timeout: 20_000, interval: 200 },
    );
    const { pending } = await keyControl().networks(key.snapshot.holderLocator);
    expect(decodeMail(taken.mail[0] ?? "")).toEqual({
      v: 1,
      kind: "confirmation",
      holderLocator: key.snapshot.holderLocator,
      pendingId: pending[0]?.id,
    });
    expect(decodeNotice(taken.notice[0] ?? "")).toMatchObject({
      type: "holder.network_pending",
      organizationId: key.snapshot.organizationId,
      holderId: key.snapshot.holderId,
      data: { network: CAFE, mailed: true, pending_id: pending[0]?.id },
    });
  });

  test("an alarm that cannot do all of its work does the rest, and comes back until it can", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey();
    expect(await call(proxy, key)).toBe(200);
    // One more network than there are mails.
    const cafes = ["1", "2", "3", "4", "5"].map((end) => `198.51.100.${end}`);
    for (const cafe of cafes) expect(await call(proxy, key, cafe)).toBe(423);
    const taken = await refusing(key, 0);
    const stub = holderStub(env, key.snapshot.holderLocator);
    const policy = await stub.snapshot(key.snapshot.keyId);
    const write = (snapshot: string | null): Promise<void> =>
      runInDurableObject(stub, (_, { storage }) => {
        storage.sql.exec("UPDATE keys SET snapshot = ?", snapshot);
      });
    await write("unreadable");
    await runInDurableObject(stub, async (instance: KeyHolder, { storage }) => {
      const store = new SqliteHolderStore(storage.sql);
      // There is a mail for the network that waits, and another message beside it.
      store.putNotes({ ...store.notes(), mails: null });
      store.addMessage({ queue: "notice", body: "another", due: 0 });
      await instance.alarm();
      expect(taken.notice).toContain("another");
      expect(await storage.getAlarm()).toBeGreaterThan(Date.now());
    });
    const mailed = taken.mail.length;
    await write(policy);
    await vi.waitFor(
      () => {
        expect(taken.mail.length).toBeGreaterThan(mailed);
      },
      { timeout: 20_000, interval: 200 },
    );
  });

  test("admins are told who froze a key, and what lifting it takes", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey();
    await call(proxy, key);
    const { mail, locator } = await mailAbout(proxy, key, CAFE);
    const taken = await refusing(key, 0);
    await confirmations().reject(locator, mail.token);
    await vi.waitFor(() => {
      expect(taken.notice.map((body) => decodeNotice(body)?.type)).toContain("key.frozen");
    });
    const frozen = taken.notice
      .map((body) => decodeNotice(body))
      .find((notice) => notice?.type === "key.frozen");
    expect(frozen).toMatchObject({
      keyId: key.snapshot.keyId,
      data: { by: "holder", freezes: 1, network: CAFE },
    });
    expect(JSON.stringify(taken)).not.toContain(mail.token);
  });
});

test("the object's storage holds no token of a link", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  await call(proxy, key);
  const { mail, locator } = await mailAbout(proxy, key, CAFE);
  await runInDurableObject(holderStub(env, locator), (_, state) => {
    const tables = state.storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray();
    const rows = tables.flatMap(({ name }) => state.storage.sql.exec(`SELECT * FROM ${name}`).toArray());
    expect(tables.length).toBeGreaterThan(5);
    expect(JSON.stringify(rows)).not.toContain(mail.token);
  });
});

test("an object that was made before networks had places keeps its trust", async () => {
  const key = await personsKey();
  const stub = holderStub(env, key.snapshot.holderLocator);
  await runInDurableObject(stub, (_, state) => {
    const { sql } = state.storage;
    sql.exec(
      "CREATE TABLE trusted_ips (network TEXT PRIMARY KEY, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL)",
    );
    sql.exec("INSERT INTO trusted_ips VALUES (?, 1, 2)", CAFE);
    sql.exec("ALTER TABLE keys DROP COLUMN edition");
    sql.exec("ALTER TABLE keys DROP COLUMN freezes");
    const store = new SqliteHolderStore(sql);
    expect(store.trusted()).toMatchObject([
      { network: CAFE, source: "first_use", firstSeen: 1, lastSeen: 2 },
    ]);
    expect(store.keys()).toMatchObject([{ version: 1, edition: 1, freezes: 0 }]);
    // Were it the only one, and removed, the next would not be the first.
    expect(store.notes().firstUseTaken).toBe(true);
  });
  const proxy = await TestProxy.start();
  expect(await call(proxy, key, CAFE)).toBe(200);
  expect(await call(proxy, key)).toBe(423);
});
