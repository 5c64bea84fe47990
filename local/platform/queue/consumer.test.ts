import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ProbeClient, probe } from "../../test/probe-client.ts";
import type { Delivery } from "../../test/probe-client.ts";
import { until } from "../../test/run-workerd.ts";
import { startSmallStack } from "../../test/small-stack.ts";
import type { SmallStack } from "../../test/small-stack.ts";

/** A queue of its own per test, so that none sees another's messages; all deliver at once unless they say otherwise. */
function queue(name: string, ...consumer: readonly string[]): string {
  return `
[[queues.producers]]
binding = "${name.toUpperCase()}"
queue = "${name}"
[[queues.consumers]]
queue = "${name}"
max_batch_timeout = 0
${consumer.join("\n")}
`;
}

const QUEUES = [
  queue("simple"),
  queue("mixed"),
  queue("throwing"),
  queue("whole"),
  queue("backoff", "retry_delay = 1"),
  queue("limited", "max_retries = 2", 'dead_letter_queue = "dead"'),
  queue("dead"),
  queue("dropping", "max_retries = 0"),
  queue("busy"),
  queue("surviving"),
  queue("interrupted"),
  queue("unheard-dead"),
  '[[queues.producers]]\nbinding = "UNHEARD"\nqueue = "unheard"\n',
].join("");

/** A Worker without a `queue()` handler, made a consumer by mistake. */
const DEAF = {
  name: "deaf",
  main: fileURLToPath(new URL("../../outbox/index.ts", import.meta.url)),
  wrangler: `
[[queues.consumers]]
queue = "unheard"
max_batch_timeout = 0
max_retries = 1
dead_letter_queue = "unheard-dead"
`,
};

let stack: SmallStack;
let client: ProbeClient;
beforeAll(async () => {
  stack = await startSmallStack([probe("probe", QUEUES), DEAF]);
  client = new ProbeClient(stack);
});
afterAll(() => stack.stop());

/** Sends one batch; each message is named after what the consumer does with it, attempt by attempt. */
async function send(binding: string, ...plans: readonly string[]): Promise<void> {
  const batch = plans.map((plan) => ({ body: { plan, steps: plan.split(" ") } }));
  await client.call(binding, "sendBatch", batch);
}

/** How often each message came, by its plan. */
function counts(all: readonly Delivery[]): Record<string, number> {
  const plans = Map.groupBy(all, ({ body }) => (body as { plan: string }).plan);
  return Object.fromEntries([...plans].map(([plan, { length }]) => [plan, length]));
}

test("a message that is acknowledged, or about which nothing is said, comes once", async () => {
  await send("SIMPLE", "ack", "none");
  expect(counts(await client.drained("simple"))).toEqual({ ack: 1, none: 1 });
});

test("only the messages that ask for it come again, and each knows its attempt", async () => {
  await send("MIXED", "ack", "retry ack", "none", "retry retry none");
  const all = await client.drained("mixed");
  expect(counts(all)).toEqual({ ack: 1, "retry ack": 2, none: 1, "retry retry none": 3 });
  const retried = all.filter(({ body }) => (body as { plan: string }).plan === "retry retry none");
  expect(retried.map(({ attempts }) => attempts)).toEqual([1, 2, 3]);
  // It is the same message each time.
  expect(new Set(retried.map(({ id, sentAt }) => `${id} ${sentAt.$date}`)).size).toBe(1);
});

test("when the consumer throws, all that it did not acknowledge comes again", async () => {
  await send("THROWING", "ack", "none none", "throw ack");
  expect(counts(await client.drained("throwing"))).toEqual({ ack: 1, "none none": 2, "throw ack": 2 });
});

test("a batch that is retried as a whole comes again but for what was acknowledged; ackAll outweighs a throw", async () => {
  await send("WHOLE", "ack", "none none", "retryAll ack");
  expect(counts(await client.drained("whole"))).toEqual({ ack: 1, "none none": 2, "retryAll ack": 2 });
  await send("WHOLE", "quiet", "ackAllThenThrow");
  expect(counts(await client.drained("whole"))).toMatchObject({ quiet: 1, ackAllThenThrow: 1 });
});

test("a retry waits as long as the message says, else the batch, else the queue", async () => {
  await send("BACKOFF", "retry ack", "retry:0 ack");
  await send("BACKOFF", "retryAll:2 ack");
  const all = await client.drained("backoff");
  const pause = (plan: string): number => {
    const [first, second] = all.filter(({ body }) => (body as { plan: string }).plan === plan);
    return (second?.at ?? Number.NaN) - (first?.at ?? Number.NaN);
  };
  expect(pause("retry ack")).toBeGreaterThanOrEqual(1_000);
  expect(pause("retryAll:2 ack")).toBeGreaterThanOrEqual(2_000);
  // What asked for no delay overtook what was sent before it.
  const seconds = all.filter(({ attempts }) => attempts === 2);
  expect(seconds.map(({ body }) => (body as { plan: string }).plan)).toEqual([
    "retry:0 ack",
    "retry ack",
    "retryAll:2 ack",
  ]);
});

test("after its last retry a message goes to the dead-letter queue, as it was, and counts anew", async () => {
  await send("LIMITED", "retry", "ack", "throw");
  const all = await client.drained("limited");
  expect(counts(all)).toEqual({ retry: 3, ack: 1, throw: 3 });
  await until(async () => (await client.notes()).some(({ queue: name }) => name === "dead"));
  const dead = await client.drained("dead");
  const first = new Map(all.map((delivery) => [delivery.id, delivery]));
  expect(new Set(dead.map(({ id }) => (first.get(id)?.body as { plan: string }).plan))).toEqual(
    new Set(["retry", "throw"]),
  );
  for (const { id, body, sentAt } of dead) {
    expect({ body, sentAt }).toEqual({ body: first.get(id)?.body, sentAt: first.get(id)?.sentAt });
  }
  expect(dead.filter(({ attempts }) => attempts === 1)).toHaveLength(2);
});

test("without a dead-letter queue a message is dropped after its last retry, and the log says so", async () => {
  await send("DROPPING", "throw");
  const [only, ...more] = await client.drained("dropping");
  expect(more).toEqual([]);
  const log = readFileSync(join(stack.folder, "workerd.log"), "utf8");
  expect(log).toContain(
    `"queue_message_dead","queue":"dropping","deadLetterQueue":null,"message":"${only?.id ?? "?"}"`,
  );
});

test("a message whose consumer cannot take any goes the way of one that fails, and is not lost", async () => {
  await send("UNHEARD", "ack");
  await client.drained("unheard");
  await until(async () => (await client.notes()).some(({ queue: name }) => name === "unheard-dead"));
  expect(counts(await client.drained("unheard-dead"))).toEqual({ ack: 1 });
});

test("what is sent while the consumer works waits for it to finish, and nothing comes twice", async () => {
  await send("BUSY", "wait:0.3");
  await until(async () => (await client.notes()).some(({ queue: name }) => name === "busy"));
  for (let index = 0; index < 30; index += 1) await send("BUSY", `later ${String(index)}`);
  const all = await client.drained("busy");
  expect(all).toHaveLength(31);
  expect(new Set(all.map(({ id }) => id)).size).toBe(31);
  const [slow, ...later] = all;
  for (const { at } of later) expect(at - (slow?.at ?? Number.NaN)).toBeGreaterThanOrEqual(300);
});

test("kill -9 loses no accepted message, whether it waits or is being handled", async () => {
  const bodies = Array.from({ length: 40 }, (_, index) => ({ body: { plan: `number ${String(index)}` } }));
  await client.call("SURVIVING", "sendBatch", bodies, { delaySeconds: 1 });
  await send("INTERRUPTED", "wait:2");
  await until(async () => (await client.notes()).some(({ queue: name }) => name === "interrupted"));
  await stack.crash();
  // Nobody tells the platform to start again: its alarms are on disk too.
  expect(counts(await client.drained("surviving"))).toEqual(
    Object.fromEntries(bodies.map(({ body: { plan } }) => [plan, 1])),
  );
  expect(counts(await client.drained("interrupted"))).toEqual({ "wait:2": 2 });
});
