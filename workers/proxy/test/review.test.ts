import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { encodeSnapshot } from "@relaykey/core/snapshot";
import { policyCacheKey } from "../directory.ts";
import { holderStub } from "../holders.ts";
import { SqliteHolderStore } from "../objects/sqlite-store.ts";
import { CAFE, PERSON, STREAM, call, confirmations, mailAbout, personsKey } from "./person.ts";
import { CALLER_IP, TestProxy, bearer, keyControl, makeKey } from "./world.ts";
import type { TestKey } from "./world.ts";

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
