import { afterAll, beforeAll, expect, test } from "vitest";
import { ProbeClient, probe } from "../../test/probe-client.ts";
import type { Delivery } from "../../test/probe-client.ts";
import { startSmallStack } from "../../test/small-stack.ts";
import type { SmallStack } from "../../test/small-stack.ts";

const QUEUES = `
[[queues.producers]]
binding = "JOBS"
queue = "jobs"
[[queues.consumers]]
queue = "jobs"
max_batch_timeout = 0
[[queues.producers]]
binding = "LATER"
queue = "later"
delivery_delay = 1
[[queues.consumers]]
queue = "later"
max_batch_timeout = 0
[[queues.producers]]
binding = "THREES"
queue = "threes"
[[queues.consumers]]
queue = "threes"
max_batch_size = 3
max_batch_timeout = 60
[[queues.producers]]
binding = "HEAVY"
queue = "heavy"
[[queues.consumers]]
queue = "heavy"
max_batch_timeout = 1
`;

let stack: SmallStack;
let client: ProbeClient;
beforeAll(async () => {
  stack = await startSmallStack([probe("probe", QUEUES)]);
  client = new ProbeClient(stack);
});
afterAll(() => stack.stop());

async function deliveries(queue: string, isMine: (body: unknown) => boolean): Promise<Delivery[]> {
  return (await client.drained(queue)).filter(({ body }) => isMine(body));
}

function wait({ sentAt, at }: Delivery): number {
  return at - Date.parse(sentAt.$date);
}

function batchSizes(all: readonly Delivery[]): number[] {
  return [...Map.groupBy(all, ({ batch }) => batch).values()].map(({ length }) => length);
}

const bytes = { $bytes: Buffer.from([0, 255, 128]).toString("base64") };

test.each([
  ["json", undefined, { said: "json", ä: [1, null] }],
  ["json by name", { contentType: "json" }, { said: "json by name" }],
  ["text", { contentType: "text" }, "said: text ü"],
  ["text that looks like JSON", { contentType: "text" }, '{"said":"text"}'],
  ["bytes", { contentType: "bytes" }, bytes],
  ["bytes that look like JSON", { contentType: "bytes" }, { $bytes: btoa('{"said":"bytes"}') }],
  ["v8", { contentType: "v8" }, { said: "v8", date: { $date: "2026-11-24T00:00:00.000Z" }, bytes }],
])("a message of the type %s arrives as it was sent, alone and in a batch", async (_, options, body) => {
  await client.call("JOBS", "send", body, ...(options === undefined ? [] : [options]));
  await client.call("JOBS", "sendBatch", [{ body, ...options }]);
  const mine = await deliveries("jobs", (other) => JSON.stringify(other) === JSON.stringify(body));
  expect(mine.map(({ attempts }) => attempts)).toEqual([1, 1]);
  expect(new Set(mine.map(({ id }) => id)).size).toBe(2);
});

test("a message says when it was sent", async () => {
  const before = Date.now();
  await client.call("JOBS", "send", { when: true });
  const after = Date.now();
  const [delivery] = await deliveries("jobs", (body) => Object.hasOwn(body as object, "when"));
  const sentAt = Date.parse(delivery?.sentAt.$date ?? "");
  expect(sentAt).toBeGreaterThanOrEqual(before);
  expect(sentAt).toBeLessThanOrEqual(after);
});

test("a batch of a hundred messages is accepted, and each arrives once", async () => {
  const bodies = Array.from({ length: 100 }, (_, index) => ({ hundred: index }));
  await client.call(
    "JOBS",
    "sendBatch",
    bodies.map((body) => ({ body })),
  );
  const mine = await deliveries("jobs", (body) => Object.hasOwn(body as object, "hundred"));
  expect(mine.map(({ body }) => (body as { hundred: number }).hundred)).toEqual(
    bodies.map(({ hundred }) => hundred),
  );
  // Ten a batch is Cloudflare's default.
  expect(Math.max(...batchSizes(mine))).toBe(10);
});

test.each([
  ["a message of more than 128,000 bytes", "send", ["x".repeat(128_001), { contentType: "text" }]],
  ["a batch of 101 messages", "sendBatch", [Array.from({ length: 101 }, () => ({ body: 1 }))]],
  [
    "a batch of more than 256,000 bytes",
    "sendBatch",
    [Array.from({ length: 3 }, () => ({ body: "x".repeat(90_000), contentType: "text" }))],
  ],
  ["a delay of more than a day", "send", [1, { delaySeconds: 86_401 }]],
  ["a negative delay", "send", [1, { delaySeconds: -1 }]],
])("%s is refused, and nothing of it is delivered", async (_, method, args) => {
  const before = (await client.drained("jobs")).length;
  await expect(client.call("JOBS", method, ...args)).rejects.toThrow();
  expect(await client.drained("jobs")).toHaveLength(before);
});

test("a delay is kept: the message's own before the batch's, and both before the queue's", async () => {
  const later = { contentType: "text" };
  const atOnce = { contentType: "text", delaySeconds: 0 };
  await client.call("LATER", "sendBatch", [
    { body: "queue's", ...later },
    { body: "own, not the queue's", ...atOnce },
  ]);
  const batch = [
    { body: "batch's", ...later },
    { body: "own, not the batch's", ...atOnce },
  ];
  await client.call("LATER", "sendBatch", batch, { delaySeconds: 2 });
  await client.call("LATER", "send", "alone", { ...later, delaySeconds: 2 });
  const all = await client.drained("later");
  // A slow machine delivers late, never early. What does not wait overtakes what was sent before it.
  const names = all.map(({ body }) => body);
  expect(names.indexOf("own, not the queue's")).toBeLessThan(names.indexOf("queue's"));
  expect(names.indexOf("own, not the batch's")).toBeLessThan(names.indexOf("batch's"));
  const waits = new Map(all.map((one) => [one.body, wait(one)]));
  expect(waits.get("queue's")).toBeGreaterThanOrEqual(1_000);
  expect(waits.get("batch's")).toBeGreaterThanOrEqual(2_000);
  expect(waits.get("alone")).toBeGreaterThanOrEqual(2_000);
});

test("a full batch goes out without waiting; one that is not full waits for the batch timeout", async () => {
  // Their batch timeout is a minute: that these arrive is the proof.
  await Promise.all(["a", "b", "c"].map((name) => client.call("THREES", "send", { name })));
  expect(batchSizes(await client.drained("threes"))).toEqual([3]);
  await client.call("HEAVY", "send", "light", { contentType: "text" });
  const [light] = await deliveries("heavy", (body) => body === "light");
  expect(light === undefined ? 0 : wait(light)).toBeGreaterThanOrEqual(1_000);
});

test("a batch has no more bytes than Queues allows, however many messages that is", async () => {
  const body = "x".repeat(100_000);
  for (let index = 0; index < 4; index += 1)
    await client.call("HEAVY", "send", body, { contentType: "text" });
  expect(batchSizes(await deliveries("heavy", (other) => other === body))).toEqual([2, 2]);
});

test("a producer is told what waits, in messages and bytes", async () => {
  await client.drained("later");
  const sent = await client.call("LATER", "send", "12345", { contentType: "text", delaySeconds: 1 });
  expect(sent).toMatchObject({ metadata: { metrics: { backlogCount: 1, backlogBytes: 5 } } });
  expect(await client.call("LATER", "metrics")).toMatchObject({ backlogBytes: 5 });
  await client.drained("later");
  expect(await client.call("LATER", "metrics")).toMatchObject({ backlogCount: 0, backlogBytes: 0 });
});
