import { eq } from "drizzle-orm";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "@relaykey/core/ids";
import { webhookDeliveries, webhookEndpoints } from "@relaykey/db/schema/notices";
import { adminAuditEvents } from "@relaykey/db/schema/organizations";
import { createApi } from "../app.ts";
import { deliverWebhooks } from "../../service/webhooks/deliver.ts";
import { checkEndpointUrl } from "../../service/webhooks/endpoint-url.ts";
import { retryPause } from "../../service/webhooks/retry.ts";
import { startReceiver } from "./receiver.ts";
import type { Receiver } from "./receiver.ts";
import { createWorld } from "./world.ts";
import type { Answer, World } from "./world.ts";

let world: World;
let deps: World["deps"];
let receiver: Receiver;
let organizationId: string;
let call: (method: string, path: string, body?: object) => Promise<Answer["body"] & { status: number }>;

beforeAll(async () => {
  world = await createWorld();
  deps = { ...world.deps, development: true };
}, 120_000);

afterAll(() => world.close());

beforeEach(async () => {
  receiver = await startReceiver();
  const { id, token } = await world.organization();
  organizationId = id;
  const api = createApi(deps);
  call = async (method, path, body) => {
    const response = await api.request(
      `/api/v1${path}`,
      {
        method,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      { requestId: newId(), ip: "203.0.113.9" },
    );
    const answer = await response.json<Answer["body"]>();
    return { ...answer, status: response.status };
  };
  await call("POST", "/integrations", { slug: "openai", secret: "sk-vendor" });
  await call("POST", "/holders", { name: "ci", kind: "service" });
});

afterEach(async () => {
  // No delivery of one test is due in another.
  await world.db.update(webhookEndpoints).set({ disabledAt: new Date() });
  await receiver.close();
});

async function createEndpoint(more: object = {}) {
  const made = await call("POST", "/webhooks", { url: receiver.url, ...more });
  expect(made).toMatchObject({ status: 201 });
  return { id: (made["webhook"] as { id: string }).id, secret: made["secret"] as string };
}

async function createKey(): Promise<string> {
  const made = await call("POST", "/keys", {
    holder: "ci",
    integration: "openai",
    allow: ["GET /v1/models"],
  });
  return (made["key"] as { id: string }).id;
}

const verify = (secret: string, { headers, body }: Receiver["received"][number]) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;

const deliveries = (endpointId: string) =>
  world.db.select().from(webhookDeliveries).where(eq(webhookDeliveries.endpointId, endpointId));

test("an event reaches a receiver that verifies it with the official library; a forged one does not pass", async () => {
  const { secret, id } = await createEndpoint();
  const key = await createKey();
  expect(await deliverWebhooks(deps)).toEqual({ delivered: 1, failed: 0 });
  const [got] = receiver.received;
  if (got === undefined) throw new Error("nothing was received");
  expect(verify(secret, got)).toMatchObject({
    type: "key.created",
    data: {
      organization_id: organizationId,
      key_id: key,
      holder: "ci",
      integration: "openai",
      by: "management_token",
    },
  });
  expect(() => verify(secret, { ...got, body: got.body.replace("key.created", "key.revoked") })).toThrow();
  expect(() => verify(`whsec_${btoa("x".repeat(32))}`, got)).toThrow();
  expect(await deliveries(id)).toMatchObject([{ state: "delivered", attempts: 1, lastStatus: 204 }]);
});

test("only the chosen types are sent, and nothing of another organization", async () => {
  await createEndpoint({ types: ["key.revoked"] });
  const other = await world.organization();
  await other.client("POST", "/integrations", { slug: "openai", secret: "sk" });
  await other.client("POST", "/holders", { name: "ci", kind: "service" });
  await other.client("POST", "/keys", { holder: "ci", integration: "openai", allow: ["GET /"] });
  const key = await createKey();
  await call("POST", `/keys/${key}/revoke`);
  await deliverWebhooks(deps);
  expect(receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
    "key.revoked",
  ]);
});

test("during a rotation both secrets verify; after a day only the new one", async () => {
  const { id, secret: former } = await createEndpoint();
  const secret = (await call("POST", `/webhooks/${id}/rotate-secret`))["secret"] as string;
  expect(secret).not.toBe(former);
  expect(await call("POST", `/webhooks/${id}/test`)).toMatchObject({ delivery: { state: "delivered" } });
  const [first] = receiver.received;
  if (first === undefined) throw new Error("nothing was received");
  for (const one of [former, secret]) expect(verify(one, first)).toMatchObject({ type: "webhook.test" });
  await world.db
    .update(webhookEndpoints)
    .set({ formerSecretUntil: new Date(0) })
    .where(eq(webhookEndpoints.id, id));
  await call("POST", `/webhooks/${id}/test`);
  const second = receiver.received[1];
  if (second === undefined) throw new Error("nothing was received");
  expect(verify(secret, second)).toMatchObject({ type: "webhook.test" });
  expect(() => verify(former, second)).toThrow();
});

test("a failed delivery is tried again, later and later, with the same id; after a day it is dead and can be replayed", async () => {
  const { id } = await createEndpoint();
  await createKey();
  receiver.answers.push(...Array.from({ length: 11 }, () => ({ status: 500 })));
  expect(await deliverWebhooks(deps)).toEqual({ delivered: 0, failed: 1 });
  expect(await deliverWebhooks(deps)).toEqual({ delivered: 0, failed: 0 });
  let hours = 0;
  for (; hours < 60 && (await deliveries(id))[0]?.state === "waiting"; hours += 1) {
    world.advance(3_600_000);
    await deliverWebhooks(deps);
    await deliverWebhooks(deps);
  }
  expect(hours).toBeGreaterThan(15);
  expect(hours).toBeLessThan(40);
  expect(await deliveries(id)).toMatchObject([
    { state: "dead", attempts: 11, lastStatus: 500, lastError: "status" },
  ]);
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  const [{ id: delivery } = { id: "" }] = await deliveries(id);
  expect(await call("POST", `/webhooks/${id}/deliveries/${delivery}/replay`)).toMatchObject({
    delivery: { state: "delivered", attempts: 1 },
  });
  const last = receiver.received.at(-1);
  expect(last?.headers["webhook-id"]).toBe(receiver.received[0]?.headers["webhook-id"]);
});

test("each attempt is kept: when it began, what came of it, how long it took; a replay goes on with the list", async () => {
  const { id } = await createEndpoint();
  receiver.before = () => {
    world.advance(250);
    return Promise.resolve();
  };
  receiver.answers.push({ status: 503 }, { status: 307 });
  const began = deps.now();
  await createKey();
  await deliverWebhooks(deps);
  world.advance(60_000);
  await deliverWebhooks(deps);
  world.advance(600_000);
  await deliverWebhooks(deps);
  const listed = await call("GET", `/webhooks/${id}/deliveries`);
  const [first] = listed["data"] as {
    id: string;
    attempt_log: { at: string; duration_ms: number }[];
  }[];
  expect(first?.attempt_log).toMatchObject([
    { status: 503, error: "status" },
    { status: 307, error: "redirect_refused" },
    { status: 204, error: null },
  ]);
  for (const { duration_ms: duration } of first?.attempt_log ?? []) {
    expect(duration).toBeGreaterThanOrEqual(250);
    expect(duration).toBeLessThan(60_000);
  }
  const times = (first?.attempt_log ?? []).map(({ at }) => Date.parse(at));
  expect(times[0]).toBeGreaterThanOrEqual(began);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(60_000);
  expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(600_000);
  const again = await call("POST", `/webhooks/${id}/deliveries/${first?.id ?? ""}/replay`);
  expect(again).toMatchObject({ delivery: { attempts: 1 } });
  const log = (again["delivery"] as { attempt_log: unknown[] }).attempt_log;
  expect(log.slice(0, 3)).toEqual(first?.attempt_log);
  expect(log.slice(3)).toMatchObject([{ status: 204 }]);
});

test("an attempt without an answer is kept with what went wrong; of many, the last twenty", async () => {
  const { id } = await createEndpoint();
  await createKey();
  await deliverWebhooks(deps);
  const [{ id: delivery } = { id: "" }] = await deliveries(id);
  const replay = () => call("POST", `/webhooks/${id}/deliveries/${delivery}/replay`);
  receiver.answers.push(...Array.from({ length: 21 }, (_, index) => ({ status: 500 + index })));
  for (let count = 0; count < 21; count += 1) await replay();
  await receiver.close();
  await replay();
  const [{ log } = { log: [] }] = await deliveries(id);
  expect(log.map(({ status, error }) => status ?? error)).toEqual([
    ...Array.from({ length: 19 }, (_, index) => 502 + index),
    "unreachable",
  ]);
});

test("two runs at the same time send each attempt once", async () => {
  await createEndpoint();
  await Promise.all(Array.from({ length: 8 }, createKey));
  receiver.before = () => new Promise((resume) => setTimeout(resume, 50));
  const runs = await Promise.all(Array.from({ length: 6 }, () => deliverWebhooks(deps)));
  expect(runs.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(8);
  expect(receiver.received).toHaveLength(8);
});

test("a crash between sending and noting it sends the same message again, once the lease is over", async () => {
  const { id } = await createEndpoint();
  await createKey();
  const crashing = {
    ...deps,
    db: new Proxy(deps.db, {
      get: (target, name, self: unknown) => {
        if (name === "batch") throw new Error("the machine stopped");
        return Reflect.get(target, name, self) as unknown;
      },
    }),
  };
  await expect(deliverWebhooks(crashing)).rejects.toThrow("the machine stopped");
  expect(await deliverWebhooks(deps)).toEqual({ delivered: 0, failed: 0 });
  world.advance(61_000);
  expect(await deliverWebhooks(deps)).toEqual({ delivered: 1, failed: 0 });
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  expect(receiver.received).toHaveLength(2);
  expect(await deliveries(id)).toMatchObject([{ state: "delivered", attempts: 2 }]);
});

test("a redirect is not followed; nothing the receiver says is kept", async () => {
  const { id } = await createEndpoint();
  receiver.answers.push({ status: 307, headers: { Location: receiver.url.replace("/hooks", "/elsewhere") } });
  expect(await call("POST", `/webhooks/${id}/test`)).toMatchObject({
    delivery: { state: "waiting", last_status: 307, last_error: "redirect_refused" },
  });
  expect(receiver.received.map(({ path }) => path)).toEqual(["/hooks"]);
  receiver.answers.push({ status: 418 });
  await call("POST", `/webhooks/${id}/test`);
  expect(JSON.stringify(await deliveries(id))).not.toContain("what the receiver says");
});

test("an endpoint that fails for three days is disabled, once, and admins are told; enabling it and replaying brings all", async () => {
  const { id } = await createEndpoint();
  await createKey();
  receiver.answers.push({ status: 500 });
  await deliverWebhooks(deps);
  world.advance(73 * 3_600_000);
  receiver.answers.push({ status: 500 });
  await deliverWebhooks(deps);
  expect(await call("GET", `/webhooks/${id}`)).toMatchObject({
    webhook: { enabled: false, disabled_by: "failures" },
  });
  expect(await call("GET", "/notices?type=webhook.disabled")).toMatchObject({
    data: [{ data: { url: receiver.url } }],
  });
  await createKey();
  expect(await deliveries(id)).toHaveLength(1);
  expect(await call("POST", `/webhooks/${id}/test`)).toMatchObject({ status: 409, code: "webhook_disabled" });
  await call("PATCH", `/webhooks/${id}`, { enabled: true });
  // Rows carry the database's clock, which no test moves.
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const replayed = await call("POST", `/webhooks/${id}/replay`, { since });
  expect(replayed).toMatchObject({ status: 200, waiting: 3 });
  await deliverWebhooks(deps);
  expect(new Set((await deliveries(id)).map(({ state }) => state))).toEqual(new Set(["delivered"]));
});

test("410 ends it at once", async () => {
  const { id } = await createEndpoint();
  receiver.answers.push({ status: 410 });
  await call("POST", `/webhooks/${id}/test`);
  expect(await call("GET", `/webhooks/${id}`)).toMatchObject({ webhook: { enabled: false } });
  expect(await deliveries(id)).toMatchObject([{ state: "dead" }]);
});

test("every change of an endpoint is an admin event; deleting one removes what waits for it", async () => {
  const { id } = await createEndpoint();
  await call("PATCH", `/webhooks/${id}`, { description: "ours", types: ["key.created"] });
  await call("POST", `/webhooks/${id}/rotate-secret`);
  await call("POST", `/webhooks/${id}/test`);
  expect(await call("DELETE", `/webhooks/${id}`)).toMatchObject({ status: 200 });
  expect(await call("GET", `/webhooks/${id}`)).toMatchObject({ status: 404 });
  const events = await world.db
    .select()
    .from(adminAuditEvents)
    .where(eq(adminAuditEvents.subjectId, id))
    .orderBy(adminAuditEvents.id);
  expect(events.map(({ action }) => action)).toEqual([
    "webhook.created",
    "webhook.changed",
    "webhook.secret_rotated",
    "webhook.tested",
    "webhook.deleted",
  ]);
  expect(events[1]).toMatchObject({ before: { description: "", types: [] }, after: { description: "ours" } });
  expect(JSON.stringify(events)).not.toContain("whsec_");
});

describe("addresses", () => {
  const live = {
    development: false,
    proxyUrl: "https://proxy.relaykey.example",
    controlUrl: "https://relaykey.example",
  };
  test.each([
    "http://hooks.example.com/x",
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://[::1]/x",
    "https://10.0.0.1/x",
    "https://169.254.169.254/latest",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://user@hooks.example.com/",
    "https://hooks.example.com:8443/",
    "https://hooks.example.com/a/../b",
    "https://hooks.example.com/x#y",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://intranet/",
    "https://hooks.example.com./",
    "https://x.workers.dev/",
    "https://proxy.relaykey.example/",
    "https://relaykey.example/api",
    "https://x.relaykey.example/api",
    "ftp://hooks.example.com/",
    "javascript:alert(1)",
  ])("%s is refused", (url) => {
    expect(checkEndpointUrl(live, url)).toMatchObject({ ok: false, failure: { errors: [{ field: "url" }] } });
  });

  test("a public host is taken; in the local edition so is this machine, but for RelayKey's own ports", () => {
    expect(checkEndpointUrl(live, "https://hooks.example.com/a")).toEqual({
      ok: true,
      value: "https://hooks.example.com/a",
    });
    const local = {
      development: true,
      proxyUrl: "http://127.0.0.1:8787",
      controlUrl: "http://127.0.0.1:8788",
    };
    expect(checkEndpointUrl(local, "http://127.0.0.1:9000/a").ok).toBe(true);
    expect(checkEndpointUrl(local, "http://localhost:8788/api/v1/keys").ok).toBe(false);
    expect(checkEndpointUrl(local, "http://127.0.0.1:8787/openai").ok).toBe(false);
  });

  test("one that was stored and is no longer allowed is not called", async () => {
    const { id } = await createEndpoint();
    expect(await call("POST", `/webhooks/${id}/test`)).toMatchObject({ delivery: { state: "delivered" } });
    deps = { ...deps, development: false };
    await createKey();
    await deliverWebhooks(deps);
    deps = { ...deps, development: true };
    expect(receiver.received).toHaveLength(1);
    expect((await deliveries(id)).map(({ lastError }) => lastError)).toContain("address_refused");
  });
});

test("pauses grow to a little over a day in all, and scatter", () => {
  const pauses = Array.from({ length: 10 }, (_, index) => retryPause(index + 1, 0.5) ?? 0);
  expect(pauses).toEqual([...pauses].sort((left, right) => left - right));
  const total = pauses.reduce((sum, pause) => sum + pause, 0) / 3_600_000;
  expect(total).toBeGreaterThan(24);
  expect(total).toBeLessThan(30);
  expect(retryPause(11, 0.5)).toBeNull();
  expect([retryPause(1, 0), retryPause(1, 1)]).toEqual([4_000, 6_000]);
});
