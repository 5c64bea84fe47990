import { afterAll, beforeAll, expect, test } from "vitest";
import { PLATFORM } from "../config/workerd.ts";
import { ProbeClient, probe } from "../test/probe-client.ts";
import { startSmallStack } from "../test/small-stack.ts";
import type { SmallStack } from "../test/small-stack.ts";

const BINDINGS = `
kv_namespaces = [{ binding = "STORE", id = "0" }]
[[queues.producers]]
binding = "JOBS"
queue = "jobs"
[[queues.consumers]]
queue = "jobs"
max_batch_timeout = 0
`;

let stack: SmallStack;
let client: ProbeClient;
beforeAll(async () => {
  stack = await startSmallStack([probe("probe", BINDINGS)]);
  client = new ProbeClient(stack);
});
afterAll(() => stack.stop());

const DOORS = [
  ["GET", "/operations"],
  ["GET", "/queues"],
  ["POST", "/start"],
  ["DELETE", "/kv/STORE"],
  ["GET", "/no-such-door"],
] as const;

test.each([
  ["no token", null],
  ["an empty token", ""],
  ["another token", "operator-token-of-a-tesT"],
  ["the beginning of the token", "operator-token-of-a-tes"],
  ["the token and more", "operator-token-of-a-test1"],
])("with %s every door gives one and the same answer, and does nothing", async (_, token) => {
  await client.call("STORE", "put", "kept", "kept");
  const answers = new Set<string>();
  for (const [method, path] of DOORS) {
    const response = await stack.operator(method, path, token);
    expect(response.status).toBe(401);
    const headers: string[] = [];
    response.headers.forEach((value, name) => headers.push(`${name}: ${value}`));
    answers.add(`${headers.join("\n")}\n${await response.text()}`);
  }
  expect(answers.size).toBe(1);
  expect(await client.call("STORE", "get", "kept")).toBe("kept");
});

test("another scheme of authorization with the right token does not open", async () => {
  for (const authorization of ["operator-token-of-a-test", "Basic operator-token-of-a-test"]) {
    const url = `${stack.url(PLATFORM)}/operations`;
    expect((await fetch(url, { headers: { Authorization: authorization } })).status).toBe(401);
  }
});

test("health needs no token and tells nothing; with the token an unknown door is not found", async () => {
  const health = await stack.operator("GET", "/healthz", null);
  expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
  expect((await stack.operator("GET", "/no-such-door")).status).toBe(404);
  expect((await stack.operator("POST", "/operations")).status).toBe(404);
});

test("/operations counts each operation by its kind, a batch by its messages; /queues names every queue", async () => {
  const counted = async (): Promise<Record<string, number>> =>
    (await (await stack.operator("GET", "/operations")).json()) as Record<string, number>;
  const before = await counted();
  await client.call("STORE", "put", "a", "1");
  await client.call("STORE", "get", "a");
  await client.call("STORE", "get", "not there");
  await client.call("STORE", "list");
  await client.call("STORE", "delete", "a");
  await client.call("JOBS", "send", 1);
  await client.call("JOBS", "sendBatch", [{ body: 1 }, { body: 2 }]);
  const after = await counted();
  const difference = Object.fromEntries(
    Object.entries(after).map(([kind, count]) => [kind, count - (before[kind] ?? 0)]),
  );
  expect(difference).toEqual({ "kv put": 1, "kv get": 2, "kv list": 1, "kv delete": 1, "queue message": 3 });
  await client.drained("jobs");
  expect(await (await stack.operator("GET", "/queues")).json()).toEqual({
    jobs: { backlogCount: 0, backlogBytes: 0 },
  });
});
