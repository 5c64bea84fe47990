import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Confirmations } from "../confirmations.ts";
import { areLeasesKept } from "../simulation/confirmation/flaw.ts";
import type { NetworkOperation, NetworkRead } from "../simulation/confirmation/register.ts";
import type { Observed } from "../simulation/linearizability.ts";
import { TestProxy, appliedKey, bearer, keyControl } from "./world.ts";
import type { TestKey } from "./world.ts";

const HISTORIES = 60;
const HOME = "203.0.113.7";
const CAFE = "198.51.100.9";
const PERSON = {
  kind: "person",
  name: "Ada",
  email: "ada@example.com",
  mailable: true,
  limits: { rate: null, uses: null, concurrency: null, maxBodyBytes: null },
} as const;

/** Things that are done at the same time, each after a pause. */
const act = fc.record({
  what: fc.constantFrom("call", "call", "call", "call", "confirm", "confirm", "reject", "remove", "approve"),
  from: fc.constantFrom(HOME, CAFE),
  proxy: fc.constantFrom(0, 1),
  pauseMs: fc.integer({ min: 0, max: 5_000 }),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

const KINDS: Readonly<Record<number, NetworkRead["kind"]>> = {
  200: "start",
  403: "frozen",
  423: "unconfirmed",
};

/** One history on the real object: what was called, clicked and changed, and what came of it. */
class Recorder {
  readonly operations: Observed<NetworkOperation>[] = [];
  readonly reads: Observed<NetworkRead>[] = [];
  #instant = 0;

  async operation<T>(act: () => Promise<T>, as: (result: T) => NetworkOperation): Promise<void> {
    const invoked = this.#next();
    const operation = as(await act());
    this.operations.push({ operation, invoked, returned: this.#next() });
  }

  async call(proxy: TestProxy, key: TestKey, network: string): Promise<NetworkRead["kind"]> {
    const invoked = this.#next();
    const response = await proxy.call(
      "https://proxy.example.com/vendor/v1/things",
      bearer(key.token),
      network,
    );
    await response.text();
    const kind = KINDS[response.status];
    if (kind === undefined) throw new Error(`Unexpected: ${String(response.status)}`);
    this.reads.push({ operation: { kind, network }, invoked, returned: this.#next() });
    return kind;
  }

  #next(): number {
    this.#instant += 1;
    return this.#instant;
  }
}

async function record(acts: readonly Act[]): Promise<Recorder> {
  const seen = new Recorder();
  const proxies = [await TestProxy.start(), await TestProxy.start()] as const;
  const key = await appliedKey({ ip: { mode: "confirm" }, holder: PERSON });
  const { holderLocator: locator } = key.snapshot;
  await seen.operation(
    () => Promise.resolve(),
    () => ({ kind: "apply", version: 1, lifted: 0, holds: 1 }),
  );
  await seen.operation(
    () => seen.call(proxies[0], key, HOME),
    () => ({ kind: "ask", network: HOME, outcome: "admitted" }),
  );
  expect(await seen.call(proxies[1], key, CAFE)).toBe("unconfirmed");
  const links = new Confirmations(createExecutionContext(), env);
  const entry = (await keyControl().networks(locator)).pending[0]?.id ?? "";
  const mail = await links.mail(locator, entry);
  if (mail === null) throw new Error("There is no mail.");
  await Promise.all(
    acts.map(async ({ what, from, proxy, pauseMs }) => {
      await scheduler.wait(pauseMs);
      const common = { entry, network: CAFE };
      switch (what) {
        case "call":
          await seen.call(proxies[proxy === 0 ? 0 : 1], key, from);
          return;
        case "confirm":
          return seen.operation(
            () => links.confirm(locator, mail.token, null),
            ({ state }) => ({ kind: "confirm", ...common, state }),
          );
        case "reject":
          return seen.operation(
            () => links.reject(locator, mail.token),
            ({ state }) => ({ kind: "reject", ...common, state }),
          );
        case "remove":
          return seen.operation(
            () => keyControl().removeNetwork(locator, from),
            (was) => ({ kind: "remove", network: from, was }),
          );
        case "approve":
          return seen.operation(
            () => keyControl().approveNetwork(locator, from),
            () => ({ kind: "approve", network: from }),
          );
      }
    }),
  );
  return seen;
}

test(`G1, G6: ${String(HISTORIES)} histories on the real object, with the real clock, show no more of a change than leases explain`, async () => {
  const plans = fc.sample(fc.array(act, { minLength: 12, maxLength: 25 }), HISTORIES);
  const histories = await Promise.all(plans.map(record));
  const kinds = new Set(histories.flatMap(({ reads }) => reads.map(({ operation }) => operation.kind)));
  expect([...kinds].sort()).toEqual(["frozen", "start", "unconfirmed"]);
  for (const { operations, reads } of histories) {
    const tell = JSON.stringify([...operations, ...reads].sort((one, other) => one.invoked - other.invoked));
    expect(areLeasesKept({ operations, reads }), tell).toBe(true);
    // An entry is used up once.
    const used = operations.filter(
      ({ operation }) => "state" in operation && /_now$/.test(operation.state ?? ""),
    );
    expect(used.length, tell).toBeLessThanOrEqual(1);
  }
}, 120_000);
