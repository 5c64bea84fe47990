import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { TestProxy, appliedKey, bearer, makeKey } from "./world.ts";

const URL_IN_SCOPE = "https://proxy.example.com/vendor/v1/things";
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The proxy over bindings that note every call made through them, and pass it on. */
async function countingProxy(): Promise<{ proxy: TestProxy; calls: string[] }> {
  const calls: string[] = [];
  const noted = <A extends unknown[], R>(name: string, call: (...args: A) => R) => {
    return (...args: A): R => {
      calls.push(name);
      return call(...args);
    };
  };
  const kv = env.POLICY;
  const holders = env.KEY_HOLDER;
  const proxy = await TestProxy.start({
    POLICY: {
      get: noted("kv get", (key: string) => kv.get(key)),
      put: noted("kv put", (key: string, value: string) => kv.put(key, value)),
      delete: noted("kv delete", (key: string) => kv.delete(key)),
    } as unknown as typeof kv,
    KEY_HOLDER: {
      idFromName: (name: string) => holders.idFromName(name),
      get: noted("object get", (id: DurableObjectId) => holders.get(id)),
      getByName: noted("object get", (name: string) => holders.getByName(name)),
    } as unknown as typeof holders,
  });
  return { proxy, calls };
}

/** Numbers from 0 up to a bound, repeatable (mulberry32). */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

/** Every way in which a token goes wrong: typed wrongly, cut, made up, or with a tag that nobody issued. */
function forge(token: string, pick: (bound: number) => number): string {
  const at = "rk_proxy_".length + pick(token.length - "rk_proxy_".length);
  const other = (not: string): string => {
    for (;;) {
      const letter = BASE62.charAt(pick(62));
      if (letter !== not) return letter;
    }
  };
  switch (pick(5)) {
    case 0:
      return token.slice(0, at) + other(token.charAt(at)) + token.slice(at + 1);
    case 1:
      return token.slice(0, at);
    case 2:
      return token + other("");
    case 3:
      return `rk_proxy_${Array.from(token.slice(9), () => other("")).join("")}`;
    default:
      return token.slice(0, at) + token.slice(at + 1) + other("");
  }
}

test(
  "G9: 10,000 forged and mistyped tokens cause no KV, object or queue operation",
  { timeout: 120_000 },
  async () => {
    const { proxy, calls } = await countingProxy();
    const issued = await Promise.all(Array.from({ length: 20 }, () => makeKey()));
    const pick = numbers(20261101);
    const quiet = console.log;
    console.log = () => undefined;
    try {
      for (let round = 0; round < 10_000; round += 1) {
        const token = issued[round % issued.length]?.token ?? "";
        const forged = forge(token, pick);
        if (issued.some((key) => key.token === forged)) continue;
        const response = await proxy.call(URL_IN_SCOPE, bearer(forged));
        expect(response.status).toBe(401);
      }
    } finally {
      console.log = quiet;
    }
    expect(await proxy.settled()).toEqual([]);
    expect(calls).toEqual([]);
  },
);

test("the counters count: a token that was issued does cost look-ups", async () => {
  const { proxy, calls } = await countingProxy();
  const key = await appliedKey();
  const response = await proxy.call(URL_IN_SCOPE, bearer(key.token));
  expect(response.status).toBe(200);
  await response.text();
  expect(calls.length).toBeGreaterThan(0);
  expect(await proxy.settled()).toHaveLength(1);
});
