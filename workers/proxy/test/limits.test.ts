import { describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { NO_LIMITS } from "@relaykey/core/limits";
import type { Limits } from "@relaykey/core/limits";
import { encodeSnapshot } from "@relaykey/core/snapshot";
import { TestProxy, appliedKey, bearer, keyControl, makeKey } from "./world.ts";
import type { TestKey } from "./world.ts";

const THINGS = "https://proxy.example.com/vendor/v1/things";
const STREAM = "https://proxy.example.com/vendor/v1/stream";

/** Two keys of one holder, under its limits. */
async function keysOfOneHolder(limits: Limits): Promise<[TestKey, TestKey]> {
  const holder = { kind: "service", name: "ci", email: null, mailable: true, limits } as const;
  const one = await appliedKey({ holder });
  // Minted for the same object: the locator stands in the token.
  const other = await makeKey({ holder, holderId: one.snapshot.holderId }, one.snapshot.holderLocator);
  await keyControl().apply(encodeSnapshot(other.snapshot));
  return [one, other];
}

async function status(proxy: TestProxy, key: TestKey): Promise<number> {
  const response = await proxy.call(THINGS, bearer(key.token));
  await response.text();
  return response.status;
}

async function open(proxy: TestProxy, key: TestKey): Promise<Response> {
  const response = await proxy.call(STREAM, bearer(key.token));
  return response;
}

describe("concurrency", () => {
  test("G7: no more requests are under way than a key may have, over several isolates", async () => {
    const isolates = [await TestProxy.start(), await TestProxy.start(), await TestProxy.start()];
    const key = await appliedKey({ limits: { ...NO_LIMITS, concurrency: 3 } });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => open(isolates[index % 3] as TestProxy, key)),
    );
    const opened = answers.filter((response) => response.status === 200);
    expect(opened).toHaveLength(3);
    const refused = answers.filter((response) => response.status !== 200);
    expect(new Set(refused.map((response) => response.status))).toEqual(new Set([429]));
    expect(await refused[0]?.json()).toMatchObject({ code: "concurrency_limited" });
    for (const response of opened) await response.body?.cancel();
  });

  test("a slot is free again when its answer ends, at once where it was used, soon elsewhere", async () => {
    const [here, elsewhere] = [await TestProxy.start(), await TestProxy.start()];
    const key = await appliedKey({ limits: { ...NO_LIMITS, concurrency: 1 } });
    for (let index = 0; index < 5; index += 1) expect(await status(here, key)).toBe(200);
    expect(await status(elsewhere, key)).toBe(429);
    // One lease after its last use the slot goes back.
    await expect.poll(() => status(elsewhere, key), { timeout: 6_000, interval: 200 }).toBe(200);
  });

  test("an open stream keeps its slot for as long as it is open", async () => {
    const [here, elsewhere] = [await TestProxy.start(), await TestProxy.start()];
    const key = await appliedKey({ limits: { ...NO_LIMITS, concurrency: 1 } });
    const stream = await open(here, key);
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    const until = Date.now() + 13_000;
    while (Date.now() < until) {
      await reader.read();
      if (Math.random() < 0.02) expect(await status(elsewhere, key)).toBe(429);
    }
    await reader.cancel();
    await expect.poll(() => status(elsewhere, key), { timeout: 6_000, interval: 200 }).toBe(200);
  });

  test("G7: a holder's cap is over all of its keys", async () => {
    const proxy = await TestProxy.start();
    const [one, other] = await keysOfOneHolder({ ...NO_LIMITS, concurrency: 2 });
    const streams = [await open(proxy, one), await open(proxy, other)];
    expect(streams.map((response) => response.status)).toEqual([200, 200]);
    expect(await status(proxy, one)).toBe(429);
    for (const stream of streams) await stream.body?.cancel();
  });
});

describe("rates", () => {
  test("G7: a holder's rate is over all of its keys", async () => {
    const proxy = await TestProxy.start();
    const [one, other] = await keysOfOneHolder({ ...NO_LIMITS, rate: { limit: 5, windowSeconds: 3_600 } });
    const statuses = [];
    for (let index = 0; index < 8; index += 1)
      statuses.push(await status(proxy, index % 2 === 0 ? one : other));
    expect(statuses.filter((code) => code === 200)).toHaveLength(5);
    expect(statuses.slice(5)).toEqual([429, 429, 429]);
  });

  test("G7: of many requests at once exactly as many pass as the limit says, none is lost to the crowd", async () => {
    const isolates = [await TestProxy.start(), await TestProxy.start()];
    const key = await appliedKey({ limits: { ...NO_LIMITS, rate: { limit: 40, windowSeconds: 3_600 } } });
    const statuses = await Promise.all(
      Array.from({ length: 100 }, (_, index) => status(isolates[index % 2] as TestProxy, key)),
    );
    expect(statuses.filter((code) => code === 200)).toHaveLength(40);
    expect(statuses.filter((code) => code === 429)).toHaveLength(60);
  });

  test("the caller is told how much is left, and when to come back", async () => {
    const proxy = await TestProxy.start();
    const key = await appliedKey({ limits: { ...NO_LIMITS, rate: { limit: 3, windowSeconds: 3_600 } } });
    const left: (string | null)[] = [];
    for (let index = 0; index < 3; index += 1) {
      const response = await proxy.call(THINGS, bearer(key.token));
      await response.text();
      expect(response.headers.get("ratelimit-policy")).toBe('"relaykey";q=3;w=3600');
      left.push(/;r=(\d+);t=\d+$/.exec(response.headers.get("ratelimit") ?? "")?.[1] ?? null);
    }
    expect(left).toEqual(["2", "1", "0"]);
    const refused = await proxy.call(THINGS, bearer(key.token));
    expect(refused.status).toBe(429);
    expect(refused.headers.get("ratelimit")).toMatch(/^"relaykey";r=0;t=[1-9]\d*$/);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    await refused.text();
  });

  test("a key without a rate is told nothing", async () => {
    const proxy = await TestProxy.start();
    const response = await proxy.call(THINGS, bearer((await appliedKey()).token));
    await response.text();
    expect(response.headers.has("ratelimit")).toBe(false);
  });
});

test("the smaller of the key's and the holder's body size counts", async () => {
  const proxy = await TestProxy.start();
  const holder = {
    kind: "service",
    name: newId(),
    email: null,
    mailable: true,
    limits: { ...NO_LIMITS, maxBodyBytes: 4 },
  } as const;
  const key = await appliedKey({ holder, limits: { ...NO_LIMITS, maxBodyBytes: 100 } });
  const response = await proxy.call(THINGS, { ...bearer(key.token), method: "POST", body: "12345" });
  expect(response.status).toBe(413);
});
