import { createExecutionContext, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import { decodeMail } from "@relaykey/core/mail";
import { decodeNotice } from "@relaykey/core/notice";
import { encodeSnapshot } from "@relaykey/core/snapshot";
import { Confirmations } from "../confirmations.ts";
import { policyCacheKey } from "../directory.ts";
import { holderStub } from "../holders.ts";
import type { KeyHolder } from "../objects/key-holder.ts";
import { SqliteHolderStore } from "../objects/sqlite-store.ts";
import { CALLER_IP, TestProxy, appliedKey, bearer, change, keyControl, makeKey } from "./world.ts";
import type { KeyChanges, TestKey } from "./world.ts";

const URL = "https://proxy.example.com/vendor/v1/things";
const STREAM = "https://proxy.example.com/vendor/v1/stream";
const CAFE = "198.51.100.9";
const PERSON = {
  kind: "person",
  name: "Ada",
  email: "ada@example.com",
  mailable: true,
  limits: { rate: null, uses: null, concurrency: null, maxBodyBytes: null },
} as const;

function personsKey(changes: KeyChanges = {}): Promise<TestKey> {
  return appliedKey({ ip: { mode: "confirm" }, holder: PERSON, ...changes });
}

function confirmations(): Confirmations {
  return new Confirmations(createExecutionContext(), env);
}

async function call(proxy: TestProxy, key: TestKey, ip = CALLER_IP): Promise<number> {
  const response = await proxy.call(URL, bearer(key.token), ip);
  await response.text();
  return response.status;
}

/** Calls from a new network, and gives the mail about it. */
async function mailAbout(proxy: TestProxy, key: TestKey, ip: string) {
  expect(await call(proxy, key, ip)).toBe(423);
  const { holderLocator } = key.snapshot;
  const { pending } = await keyControl().networks(holderLocator);
  const entry = pending.find(({ network }) => network === ip);
  const mail = await confirmations().mail(holderLocator, entry?.id ?? "");
  if (mail === null) throw new Error("There is no mail.");
  return { mail, entry, locator: holderLocator };
}

test("the first network is trusted as it is used, and is listed with its place", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  expect(await call(proxy, key)).toBe(200);
  const { trusted, pending } = await keyControl().networks(key.snapshot.holderLocator);
  expect(trusted).toMatchObject([{ network: CALLER_IP, source: "first_use" }]);
  expect(pending).toEqual([]);
});

test("a new network answers 423 with what to do; one confirmation later the same call works", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  expect(await call(proxy, key)).toBe(200);
  const refused = await proxy.call(`${URL}?a=1`, { ...bearer(key.token) }, CAFE);
  expect(refused.status).toBe(423);
  expect(refused.headers.get("retry-after")).toBe("60");
  const body: Record<string, unknown> = await refused.json();
  expect(body).toMatchObject({
    code: "ip_unconfirmed",
    masked_email: "a•••@example.com",
    confirmation: { mail: "sent", address: CAFE, network: CAFE },
  });
  const { pairing_code: code } = body["confirmation"] as { pairing_code: string };
  expect(code).toMatch(/^\d{3}$/);
  for (const text of [body["detail"], body["message"], (body["error"] as { message: string }).message]) {
    expect(text).toContain("a•••@example.com");
    expect(text).toContain(code);
  }
  expect(JSON.stringify(body)).not.toContain("ada@example.com");

  const { mail, locator } = await mailAbout(proxy, key, CAFE);
  expect(mail).toMatchObject({
    to: "ada@example.com",
    view: { state: "pending", keyName: key.snapshot.name, numberMatching: false, pending: { mailed: true } },
  });
  expect(mail.view.pending.request).toMatchObject({ method: "GET", path: "/v1/things", address: CAFE });
  expect(await confirmations().view(locator, mail.token)).toMatchObject({ state: "pending" });
  expect(await confirmations().confirm(locator, mail.token, null)).toEqual({ state: "confirmed_now" });
  expect(await call(proxy, key, CAFE)).toBe(200);
  expect(await confirmations().confirm(locator, mail.token, null)).toEqual({ state: "confirmed" });
  const { trusted } = await keyControl().networks(locator);
  expect(trusted.find(({ network }) => network === CAFE)).toMatchObject({ source: "confirmed" });
});

test("a repeated delivery of a mail carries the same token; the object keeps its hash only", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  await call(proxy, key);
  const { mail, locator, entry } = await mailAbout(proxy, key, CAFE);
  expect(await confirmations().mail(locator, entry?.id ?? "")).toEqual(mail);
  expect(mail.token).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test('"this wasn\'t me" freezes the key everywhere: streams are cut, and no snapshot thaws it unknowingly', async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  await call(proxy, key);
  const stream = await proxy.call(STREAM, bearer(key.token));
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  const { mail, locator } = await mailAbout(proxy, key, CAFE);
  expect(await confirmations().reject(locator, mail.token)).toEqual({ state: "frozen_now" });
  expect(await call(proxy, key)).toBe(403);
  await expect(
    (async () => {
      while (!(await reader.read()).done);
    })(),
  ).rejects.toThrow();
  expect(await env.POLICY.get(policyCacheKey(key.snapshot.tokenHash))).toContain('"state":"frozen"');
  expect(await confirmations().reject(locator, mail.token)).toEqual({ state: "rejected" });

  const { holderFreezes, version } = (await keyControl().inspect(key.snapshot)) ?? {};
  expect([holderFreezes, version]).toEqual([1, 1]);
  const unaware = await change(key, { name: "renamed" });
  expect(await call(proxy, key)).toBe(403);
  const thawed = await change(unaware, { freezesLifted: 1 });
  expect(await call(proxy, key)).toBe(200);
  // Nor does an older one bring it back.
  await keyControl().apply(encodeSnapshot(unaware.snapshot));
  expect(await call(proxy, thawed)).toBe(200);
});

test('"this wasn\'t me" freezes what an admin has left: the second key that was used from there', async () => {
  const proxy = await TestProxy.start();
  const first = await personsKey();
  const second = await makeKey({ ip: { mode: "confirm" }, holder: PERSON }, first.snapshot.holderLocator);
  await keyControl().apply(encodeSnapshot(second.snapshot));
  expect(await call(proxy, first)).toBe(200);
  const { mail, locator } = await mailAbout(proxy, first, CAFE);
  expect(await call(proxy, second, CAFE)).toBe(423);
  await change(first, { state: "frozen" });
  expect(await confirmations().view(locator, mail.token)).toMatchObject({
    state: "pending",
    keyDisplay: second.snapshot.display,
  });
  expect(await confirmations().reject(locator, mail.token)).toEqual({ state: "frozen_now" });
  expect(await call(proxy, second)).toBe(403);
  expect((await keyControl().inspect(first.snapshot))?.holderFreezes).toBe(0);
});

describe("removing a trusted network", () => {
  test("no request starts from it when that returns, and its streams are cut", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey();
    await call(proxy, key);
    const stream = await proxy.call(STREAM, bearer(key.token));
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    expect(await keyControl().removeNetwork(key.snapshot.holderLocator, CALLER_IP)).toBe(true);
    // Nor is it the first use again. The isolate believed it to be trusted, and told nobody who calls; now it does.
    const refused = await proxy.call(URL, bearer(key.token));
    expect(refused.status).toBe(423);
    expect(await refused.json()).toMatchObject({
      confirmation: { mail: "sent", pairing_code: expect.stringMatching(/^\d{3}$/) as string },
    });
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow();
    const cut = (await proxy.settled()).find(({ outcome }) => outcome === "cut");
    expect(cut?.reason).toBe("ip_unconfirmed");
    expect(await keyControl().removeNetwork(key.snapshot.holderLocator, CALLER_IP)).toBe(false);
  });
});

describe("a holder looks through the own networks", () => {
  /** The token of a link, mailed as it was asked for. */
  async function mailed(key: TestKey): Promise<{ locator: string; token: string }> {
    const { holderLocator: locator } = key.snapshot;
    const stub = holderStub(env, locator);
    expect(await stub.askForReview(locator)).toBe(true);
    const generation = await runInDurableObject(stub, (_, { storage }) => {
      return new SqliteHolderStore(storage.sql).notes().review?.generation ?? 0;
    });
    const mail = await confirmations().reviewMail(locator, generation);
    expect(mail).toMatchObject({ to: "ada@example.com", holderName: "Ada" });
    // A repeated delivery is the same mail.
    expect(await confirmations().reviewMail(locator, generation)).toEqual(mail);
    return { locator, token: mail?.token ?? "" };
  }

  test("G1: no request starts from a network that its holder took back, and its streams are cut", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey();
    await call(proxy, key);
    const stream = await proxy.call(STREAM, bearer(key.token));
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    const { locator, token } = await mailed(key);
    const view = await confirmations().review(locator, token);
    expect(view).toMatchObject({
      state: "open",
      trusted: [{ network: CALLER_IP, source: "first_use" }],
      keys: [{ keyId: key.snapshot.keyId, isFrozen: false, addresses: "confirm" }],
    });
    expect(JSON.stringify(view)).not.toContain(key.snapshot.tokenHash);
    expect(await confirmations().stopTrusting(locator, token, CALLER_IP)).toEqual({ state: "removed_now" });
    expect(await call(proxy, key)).toBe(423);
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow();
  });

  test("and freezes any of the own keys, in the copy at the edge as well", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey();
    await call(proxy, key);
    const edge = await makeKey(
      { ip: { mode: "any" }, enforcement: "edge", holder: PERSON },
      key.snapshot.holderLocator,
    );
    await keyControl().apply(encodeSnapshot(edge.snapshot));
    const { locator, token } = await mailed(key);
    expect(await confirmations().freezeKey(locator, token, key.snapshot.keyId)).toEqual({
      state: "frozen_now",
      withinSeconds: 0,
    });
    expect(await call(proxy, key)).toBe(403);
    expect(await confirmations().freezeKey(locator, token, edge.snapshot.keyId)).toEqual({
      state: "frozen_now",
      withinSeconds: 90,
    });
    expect(await env.POLICY.get(policyCacheKey(edge.snapshot.tokenHash))).toContain('"state":"frozen"');
    expect((await confirmations().freezeKey(locator, token, edge.snapshot.keyId)).state).toBe("frozen");
    const stranger = await personsKey();
    expect((await confirmations().freezeKey(locator, token, stranger.snapshot.keyId)).state).toBe(
      "key_ended",
    );
    expect(await call(proxy, stranger)).toBe(200);
  });

  test("from the page where an address was just answered for, and with no other link", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey();
    await call(proxy, key);
    const { mail, locator } = await mailAbout(proxy, key, CAFE);
    expect(await confirmations().openReview(locator, mail.token)).toBeNull();
    expect(await confirmations().confirm(locator, mail.token, null)).toEqual({ state: "confirmed_now" });
    const token = (await confirmations().openReview(locator, mail.token)) ?? "";
    expect(await confirmations().review(locator, token)).toMatchObject({ state: "open" });
    expect(await confirmations().review(locator, mail.token)).toEqual({ state: "ended" });
    expect(await confirmations().stopTrusting(locator, "x".repeat(43), CAFE)).toEqual({ state: "ended" });
    expect(await call(proxy, key, CAFE)).toBe(200);
  });
});

test("an admin approves a block: what waits inside is settled, and calls from it work", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  await call(proxy, key);
  const { mail, locator } = await mailAbout(proxy, key, CAFE);
  await keyControl().approveNetwork(locator, "198.51.100.0/24");
  expect(await call(proxy, key, CAFE)).toBe(200);
  expect(await call(proxy, key, "198.51.100.77")).toBe(200);
  expect(await confirmations().view(locator, mail.token)).toEqual({ state: "confirmed" });
  await expect(keyControl().approveNetwork(locator, "198.51.100.1/24")).rejects.toThrow();
  await expect(keyControl().approveNetwork(locator, "2a06:98c0:3600::103")).rejects.toThrow();
});

test("concurrent first calls from two networks trust exactly one", async () => {
  const [one, other] = [await TestProxy.start(), await TestProxy.start()];
  const key = await personsKey();
  const statuses = await Promise.all([call(one, key), call(other, key, CAFE)]);
  expect(statuses.sort()).toEqual([200, 423]);
});

test("without trust on first use the first network waits as well", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey({ confirmation: { ...DEFAULT_CONFIRMATION, trustOnFirstUse: false } });
  const { mail, locator } = await mailAbout(proxy, key, CALLER_IP);
  expect(await confirmations().confirm(locator, mail.token, null)).toEqual({ state: "confirmed_now" });
  expect(await call(proxy, key)).toBe(200);
});

describe("numbers", () => {
  test("two networks at once have to be told apart by theirs; three wrong ones lock an entry", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey();
    await call(proxy, key);
    const { mail, locator } = await mailAbout(proxy, key, CAFE);
    expect(await call(proxy, key, "192.0.2.1")).toBe(423);
    expect(await confirmations().view(locator, mail.token)).toMatchObject({ numberMatching: true });
    // Nothing was guessed.
    expect(await confirmations().confirm(locator, mail.token, null)).toEqual({ state: "mismatch" });
    const states = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      states.push((await confirmations().confirm(locator, mail.token, "none")).state);
    }
    expect(states).toEqual(["mismatch", "mismatch", "locked"]);
    const response = await proxy.call(URL, bearer(key.token), CAFE);
    expect(response.status).toBe(423);
  });

  test("where the organization wants it, the number from the refusal confirms", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey({ confirmation: { ...DEFAULT_CONFIRMATION, numberMatching: true } });
    await call(proxy, key);
    const refused = await proxy.call(URL, bearer(key.token), CAFE);
    const { confirmation } = await refused.json<{ confirmation: { pairing_code: string } }>();
    const { mail, locator } = await mailAbout(proxy, key, CAFE);
    const number = confirmation.pairing_code;
    expect(await confirmations().confirm(locator, mail.token, number)).toEqual({ state: "confirmed_now" });
  });
});

test("a holder without mail is sent to the administrator", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey({ holder: { ...PERSON, mailable: false } });
  await call(proxy, key);
  const refused = await proxy.call(URL, bearer(key.token), CAFE);
  const body: Record<string, unknown> = await refused.json();
  expect(body).toMatchObject({ masked_email: null, confirmation: { mail: "unsendable" } });
  expect(body["detail"]).toContain("administrator");
});

test("links that were never made lead nowhere, and name no object", async () => {
  const locator = "0".repeat(16);
  for (const token of ["", "x".repeat(43), "../", "x".repeat(10_000)]) {
    expect(await confirmations().view(locator, token)).toEqual({ state: "unknown" });
    expect(await confirmations().reject(locator, token)).toEqual({ state: "unknown" });
  }
  expect(await confirmations().view("not a locator", "x".repeat(43))).toEqual({ state: "unknown" });
  expect(await confirmations().mail("not a locator", "x")).toBeNull();
});

test("an IPv6 client is its prefix, as the key counts", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey({ confirmation: { ...DEFAULT_CONFIRMATION, v6Prefix: 48 } });
  expect(await call(proxy, key, "2001:db8:1:2::3")).toBe(200);
  expect(await call(proxy, key, "2001:db8:1:9::3")).toBe(200);
  expect(await call(proxy, key, "2001:db8:2:2::3")).toBe(423);
  // Trust in one client is none in a crowd, whichever way the prefix is changed.
  const narrower = await change(key, { confirmation: { ...DEFAULT_CONFIRMATION, v6Prefix: 64 } });
  expect(await call(proxy, narrower, "2001:db8:1:2::3")).toBe(423);
  await change(narrower, { confirmation: { ...DEFAULT_CONFIRMATION, v6Prefix: 44 } });
  expect(await call(proxy, narrower, "2001:db8:1:2::3")).toBe(423);
});

test("an IPv4-mapped or NAT64 address is the IPv4 address it carries", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  expect(await call(proxy, key, CAFE)).toBe(200);
  expect(await call(proxy, key, `::ffff:${CAFE}`)).toBe(200);
  expect(await call(proxy, key, `64:ff9b::${CAFE}`)).toBe(200);
});

test("the edge that all Workers share is never trusted, not even as the first", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  const response = await proxy.call(URL, bearer(key.token), "2a06:98c0:3600::103");
  expect(await response.json()).toMatchObject({ code: "ip_unconfirmable" });
  const { trusted, pending } = await keyControl().networks(key.snapshot.holderLocator);
  expect([trusted, pending]).toEqual([[], []]);
  expect(await holderStub(env, key.snapshot.holderLocator).snapshot(key.snapshot.keyId)).not.toBeNull();
});

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

test.each([
  ["slack", 200, (text: string) => (JSON.parse(text) as { ok: boolean }).ok],
  ["octokit", 403, () => false],
  ["aws", 423, () => false],
] as const)("in the dialect of %s the refusal says what to do as well", async (dialect, status, isOk) => {
  const proxy = await TestProxy.start();
  const key = await personsKey({ integration: { dialect } });
  expect(await call(proxy, key)).toBe(200);
  const refused = await proxy.call(URL, bearer(key.token), CAFE);
  const text = await refused.text();
  expect(refused.status).toBe(status);
  expect(isOk(text)).toBe(false);
  expect(text).toContain("A mail is on its way to a•••@example.com");
  expect(text).toMatch(/its number is \d{3}/);
});
