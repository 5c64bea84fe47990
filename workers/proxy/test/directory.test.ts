import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { EDGE_BOUND_SECONDS, EDGE_MEMORY_SECONDS } from "@relaykey/core/enforcement";
import { encodeSnapshot } from "@relaykey/core/snapshot";
import { KeyControl } from "../control.ts";
import { Directory, policyCacheKey } from "../directory.ts";
import { makeKey } from "./world.ts";

/** A KV that holds one value, and counts how often it is read. */
function cache(): { kv: KVNamespace; value: string | null; reads: number } {
  const state = {
    value: null as string | null,
    reads: 0,
    kv: {
      get: () => {
        state.reads += 1;
        return Promise.resolve(state.value);
      },
    } as unknown as KVNamespace,
  };
  return state;
}

test("an edge key is read from the cache again before its bound is over, and only then", async () => {
  const { snapshot } = await makeKey({ enforcement: "edge" });
  const store = cache();
  let now = 1_000_000;
  const directory = new Directory(store.kv, () => now);
  store.value = encodeSnapshot(snapshot);
  await directory.find(snapshot.tokenHash);
  store.value = encodeSnapshot({ ...snapshot, version: 2, state: "revoked" });
  now += EDGE_MEMORY_SECONDS * 1_000;
  expect((await directory.find(snapshot.tokenHash))?.snapshot.state).toBe("active");
  expect(store.reads).toBe(1);
  now += 1;
  expect((await directory.find(snapshot.tokenHash))?.snapshot.state).toBe("revoked");
  expect(EDGE_BOUND_SECONDS).toBeGreaterThanOrEqual(EDGE_MEMORY_SECONDS + 60);
});

test("a cache that went back in time does not bring an older version back", async () => {
  const { snapshot } = await makeKey({ enforcement: "edge" });
  const store = cache();
  let now = 1_000_000;
  const directory = new Directory(store.kv, () => now);
  store.value = encodeSnapshot({ ...snapshot, version: 3, state: "revoked" });
  await directory.find(snapshot.tokenHash);
  store.value = encodeSnapshot({ ...snapshot, version: 2 });
  now += 60_000;
  expect((await directory.find(snapshot.tokenHash))?.snapshot.version).toBe(3);
});

test("an edge key whose cache cannot be read is not decided from old memory", async () => {
  const { snapshot } = await makeKey({ enforcement: "edge" });
  const store = cache();
  let now = 1_000_000;
  const directory = new Directory(store.kv, () => now);
  store.value = encodeSnapshot(snapshot);
  await directory.find(snapshot.tokenHash);
  store.value = "unreadable";
  now += 60_000;
  expect(await directory.find(snapshot.tokenHash)).toBeNull();
});

test("of two changes at once the newer one is in the cache, also when the older one's copy lands last", async () => {
  const { snapshot } = await makeKey({ enforcement: "edge" });
  let isFirst = true;
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slowFirst = {
    put: async (key: string, value: string) => {
      if (isFirst) {
        isFirst = false;
        await held;
      }
      await env.POLICY.put(key, value);
    },
  };
  const control = new KeyControl(createExecutionContext(), {
    ...env,
    POLICY: slowFirst as unknown as KVNamespace,
  });
  const older = control.apply(encodeSnapshot(snapshot));
  await expect.poll(() => isFirst).toBe(false);
  await control.apply(encodeSnapshot({ ...snapshot, version: 2, state: "revoked" }));
  release();
  await older;
  const cached = await env.POLICY.get(policyCacheKey(snapshot.tokenHash));
  expect(cached).toContain('"version":2');
});
