import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { NO_LIMITS } from "@relaykey/core/limits";
import { holderStub } from "../holders.ts";
import { CALLER_IP, TestProxy, appliedKey, bearer, keyControl } from "./world.ts";
import type { TestKey } from "./world.ts";

const GOOD = "https://proxy.example.com/vendor/v1/things";
const CAFE = "198.51.100.9";
const PERSON = {
  kind: "person",
  name: "Ada",
  email: "ada@example.com",
  mailable: true,
  limits: NO_LIMITS,
} as const;

type Failure = () => Promise<unknown>;

/** How an object that cannot answer looks from outside (developers.cloudflare.com, "Error handling" of Durable Objects). */
const FAILURES: readonly (readonly [string, Failure])[] = [
  [
    "is overloaded",
    () =>
      Promise.reject(
        Object.assign(new Error("Durable Object is overloaded. Too many requests queued."), {
          overloaded: true,
        }),
      ),
  ],
  [
    "is moved while it answers",
    () => Promise.reject(Object.assign(new Error("Network connection lost."), { retryable: true })),
  ],
  ["answers nothing", () => Promise.resolve(undefined)],
  ["does not answer", () => new Promise(() => undefined)],
];

/** The real objects, which cannot be asked for a lease while there is a failure. */
class Objects {
  failure: Failure | null = null;

  readonly binding = {
    idFromName: (name: string) => env.KEY_HOLDER.idFromName(name),
    get: (id: DurableObjectId) => {
      const stub = env.KEY_HOLDER.get(id);
      return {
        lease: (request: Parameters<typeof stub.lease>[0]) => this.failure?.() ?? stub.lease(request),
      };
    },
  } as unknown as Env["KEY_HOLDER"];
}

function personsKey(): Promise<TestKey> {
  return appliedKey({ ip: { mode: "confirm" }, holder: PERSON });
}

async function call(proxy: TestProxy, { token }: TestKey, ip: string): Promise<number> {
  const response = await proxy.call(GOOD, bearer(token), ip);
  await response.text();
  return response.status;
}

/** Calls, expects to be told to come again, and that this is all that happened. */
async function expectNoDecision(proxy: TestProxy, key: TestKey, ip: string): Promise<void> {
  const response = await proxy.call(GOOD, bearer(key.token), ip);
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  const body: Record<string, unknown> = await response.json();
  expect(body).toMatchObject({ code: "no_decision" });
  const events = (await proxy.settled()).filter(({ requestId }) => requestId === body["request_id"]);
  expect(events).toMatchObject([{ decision: "blocked", reason: "no_decision", upstreamStatus: null }]);
}

async function networksOf(key: TestKey) {
  return keyControl().networks(key.snapshot.holderLocator);
}

describe.each(FAILURES)("while the holder's object %s", (_name, failure) => {
  test("G2, G6: a new network is neither let through nor mailed about, and a known one waits", async () => {
    const objects = new Objects();
    const proxy = await TestProxy.start({ KEY_HOLDER: objects.binding });
    const key = await personsKey();
    expect(await call(proxy, key, CALLER_IP)).toBe(200);

    objects.failure = failure;
    await expectNoDecision(proxy, key, CAFE);
    // An isolate that knows nothing of the key yet.
    const other = await TestProxy.start({ KEY_HOLDER: objects.binding });
    await expectNoDecision(other, key, CALLER_IP);
    // And one whose lease ends meanwhile.
    await vi.waitFor(() => expectNoDecision(proxy, key, CALLER_IP), { timeout: 12_000, interval: 300 });
    expect(await networksOf(key)).toMatchObject({ trusted: [{ network: CALLER_IP }], pending: [] });

    objects.failure = null;
    expect(await call(proxy, key, CALLER_IP)).toBe(200);
    expect(await call(proxy, key, CAFE)).toBe(423);
    expect((await networksOf(key)).pending).toMatchObject([{ network: CAFE, mailed: true }]);
  });

  test("a first use does not happen, and is still to come", async () => {
    const objects = new Objects();
    const proxy = await TestProxy.start({ KEY_HOLDER: objects.binding });
    const key = await personsKey();
    objects.failure = failure;
    await expectNoDecision(proxy, key, CALLER_IP);
    expect(await networksOf(key)).toMatchObject({ trusted: [], pending: [] });
    objects.failure = null;
    expect(await call(proxy, key, CAFE)).toBe(200);
    expect((await networksOf(key)).trusted).toMatchObject([{ network: CAFE, source: "first_use" }]);
  });
});

test("G2, G6: a real object whose storage fails grants nothing and mails nobody", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  expect(await call(proxy, key, CALLER_IP)).toBe(200);
  const stub = holderStub(env, key.snapshot.holderLocator);
  const storage = (statement: string): Promise<void> =>
    runInDurableObject(stub, (_object, state) => {
      state.storage.sql.exec(statement);
    });
  await storage("ALTER TABLE keys RENAME TO keys_away");
  await expectNoDecision(proxy, key, CAFE);
  await expectNoDecision(await TestProxy.start(), key, CALLER_IP);
  await storage("ALTER TABLE keys_away RENAME TO keys");
  expect((await networksOf(key)).pending).toEqual([]);
  expect(await call(proxy, key, CAFE)).toBe(423);
  expect((await networksOf(key)).pending).toMatchObject([{ network: CAFE, mailed: true }]);
});
