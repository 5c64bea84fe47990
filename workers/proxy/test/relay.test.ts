import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { NO_LIMITS } from "@relaykey/core/limits";
import { policyCacheKey } from "../directory.ts";
import { CALLER_IP, TestProxy, VENDOR_KEY, appliedKey, bearer, change } from "./world.ts";

const BASE = "https://proxy.example.com/vendor";

interface Seen {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

async function seen(response: Response): Promise<Seen> {
  expect(response.status).toBe(200);
  return response.json();
}

test("an allowed request reaches the vendor with the real key, and is recorded once", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey({ integration: { scrubResponses: false } });
  const response = await proxy.call(`${BASE}/v1/things?a=1&b=%2F`, {
    method: "POST",
    body: `{"q":1}`,
    headers: { ...bearer(key.token).headers, Cookie: "s=1", "Vendor-Version": "2", "Idempotency-Key": "k1" },
  });
  const at = await seen(response);
  expect(at).toMatchObject({
    method: "POST",
    url: "https://api.vendor.example/v1/things?a=1&b=%2F",
    body: `{"q":1}`,
    headers: { authorization: `Bearer ${VENDOR_KEY}`, "vendor-version": "2", "idempotency-key": "k1" },
  });
  expect(JSON.stringify(at)).not.toContain(key.token);
  expect(at.headers).not.toHaveProperty("cookie");
  const events = await proxy.settled();
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({
    decision: "allowed",
    outcome: "completed",
    status: 200,
    upstreamStatus: 200,
    path: "/v1/things",
    query: null,
    ip: CALLER_IP,
    keyId: key.snapshot.keyId,
    organizationId: key.snapshot.organizationId,
    requestId: response.headers.get("RelayKey-Request-Id"),
    bytesIn: 7,
  });
  expect(events[0]?.droppedHeaders).toContain("cookie");
  expect(JSON.stringify(events)).not.toContain(key.token);
});

test("an integration can be addressed by host, for SDKs without a base path", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  const response = await proxy.call("https://vendor.proxy.example.com/v1/things", bearer(key.token));
  expect((await seen(response)).url).toBe("https://api.vendor.example/v1/things");
});

test("the query is recorded only where the integration opted in", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey({ integration: { logQuery: true } });
  await seen(await proxy.call(`${BASE}/v1/things?a=1&key=${key.token}`));
  expect((await proxy.settled())[0]?.query).toBe("a=1");
});

describe("placement", () => {
  test("header with template", async () => {
    const proxy = await TestProxy.start();
    const credential = { kind: "header", name: "x-api-key", template: "v={secret}" } as const;
    const key = await appliedKey({ integration: { credential, scrubResponses: false } });
    const at = await seen(await proxy.call(`${BASE}/v1/things`, bearer(key.token)));
    expect(at.headers).toMatchObject({ "x-api-key": `v=${VENDOR_KEY}` });
    expect(at.headers).not.toHaveProperty("authorization");
  });

  test("query", async () => {
    const proxy = await TestProxy.start();
    const credential = { kind: "query", name: "key" } as const;
    const key = await appliedKey({ integration: { credential, scrubResponses: false } });
    const at = await seen(await proxy.call(`${BASE}/v1/things?a=1&key=${key.token}`));
    expect(at.url).toBe(`https://api.vendor.example/v1/things?a=1&key=${VENDOR_KEY}`);
  });
});

test("a redirect is handed back, pointing at the proxy, and not followed", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  const response = await proxy.call(`${BASE}/v1/redirect`, bearer(key.token));
  expect(response.status).toBe(302);
  expect(response.headers.get("location")).toBe("/vendor/v1/elsewhere?a=1");
});

test("an upload URL in a response field leads back to the proxy; another vendor's does not", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  const own = await proxy.call(`${BASE}/v1/upload?to=own`, bearer(key.token));
  expect(own.headers.get("x-goog-upload-url")).toBe(`${BASE}/v1/upload/7?upload_id=a`);
  const other = await proxy.call(`${BASE}/v1/upload?to=other`, bearer(key.token));
  expect(other.headers.get("x-goog-upload-url")).toBe("https://elsewhere.example/v1/upload/7");
});

test.each([
  ["http://proxy.example.com/vendor", "https://proxy.example.com/vendor"],
  ["http://vendor.proxy.example.com", "https://vendor.proxy.example.com"],
])("behind a front that ended TLS, what came as %s is told to come back as %s", async (arrived, called) => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  const answer = await proxy.call(`${arrived}/v1/upload?to=own`, bearer(key.token));
  expect(answer.headers.get("x-goog-upload-url")).toBe(`${called}/v1/upload/7?upload_id=a`);
});

test("a relative redirect cannot repeat a vendor key that was placed in the query", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey({ integration: { credential: { kind: "query", name: "key" } } });
  const response = await proxy.call(`${BASE}/v1/redirect-here?a=1`, bearer(key.token));
  expect(response.headers.get("location")).toBe("/vendor/v1/redirect-here#again");
});

test.each(["proxy.example.com", "openai.proxy.example.com", "x.workers.dev", "metadata.google.internal"])(
  "an upstream at %s is refused at request time, whoever let it in",
  async (host) => {
    const proxy = await TestProxy.start();
    const upstream = { origin: `https://${host}`, basePath: "", timeoutMs: 1_000 };
    const key = await appliedKey({ integration: { upstream } });
    const response = await proxy.call(`${BASE}/v1/things`, bearer(key.token));
    expect(await response.json()).toMatchObject({ code: "upstream_not_allowed" });
  },
);

test("a RelayKey outside of the slots never reaches the vendor, nor the audit log", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey({ integration: { requestHeaders: ["x-*"] } });
  const headers = { ...bearer(key.token).headers, "x-api-key": key.token, "x-note": `is ${key.token}` };
  const at = await seen(await proxy.call(`${BASE}/v1/things`, { headers }));
  expect(JSON.stringify(at)).not.toContain(key.token);
  for (const place of [`/v1/${key.token}/x`, `/v1/things?note=${key.token}`]) {
    const response = await proxy.call(`${BASE}${place}`, {
      headers: { ...bearer(key.token).headers, "User-Agent": key.token },
    });
    expect(response.status).toBe(400);
  }
  const events = await proxy.settled();
  expect(events).toHaveLength(3);
  expect(JSON.stringify(events)).not.toContain(key.token);
});

test("two forged tokens are as cheap as one; one that was issued beside another is told", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  const forged = `${key.token.slice(0, -1)}${key.token.endsWith("0") ? "1" : "0"}`;
  const both = { Authorization: `Bearer ${forged}`, "x-api-key": `${forged}0` };
  expect((await proxy.call(`${BASE}/v1/things`, { headers: both })).status).toBe(401);
  expect(await proxy.settled()).toHaveLength(0);
  const one = { Authorization: `Bearer ${key.token}`, "x-api-key": forged };
  expect((await proxy.call(`${BASE}/v1/things`, { headers: one })).status).toBe(400);
  expect(await proxy.settled()).toMatchObject([{ reason: "token_ambiguous" }]);
});

test("the vendor's cookies stay here, its request id passes", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  const response = await proxy.call(`${BASE}/v1/cookies`, bearer(key.token));
  expect(response.headers.get("set-cookie")).toBeNull();
  expect(response.headers.get("x-request-id")).toBe("vendor-id");
});

test("with the whole KV namespace deleted everything still works", async () => {
  const key = await appliedKey();
  expect(await env.POLICY.get(policyCacheKey(key.snapshot.tokenHash))).not.toBeNull();
  await env.POLICY.delete(policyCacheKey(key.snapshot.tokenHash));
  const proxy = await TestProxy.start();
  await seen(await proxy.call(`${BASE}/v1/things`, bearer(key.token)));
});

test("a stale KV snapshot decides nothing: neither admits what was narrowed nor refuses what was widened", async () => {
  const key = await appliedKey();
  const kvKey = policyCacheKey(key.snapshot.tokenHash);
  const wide = (await env.POLICY.get(kvKey)) ?? "";
  const narrow = await change(key, { rules: [{ methods: ["DELETE"], path: "/v1/**" }] });
  const narrowText = (await env.POLICY.get(kvKey)) ?? "";
  await env.POLICY.put(kvKey, wide);
  const proxy = await TestProxy.start();
  expect((await proxy.call(`${BASE}/v1/things`, bearer(key.token))).status).toBe(403);

  await change(narrow, { rules: [{ methods: ["GET"], path: "/v1/**" }] });
  await env.POLICY.put(kvKey, narrowText);
  const fresh = await TestProxy.start();
  await seen(await fresh.call(`${BASE}/v1/things`, bearer(key.token)));
});

test("an open stream is cut when its key is revoked, and the event says so", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  const response = await proxy.call(`${BASE}/v1/stream`, bearer(key.token));
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  const revoked = change(key, { state: "revoked" });
  let error: unknown = null;
  while (error === null) {
    const read = await reader.read().catch((reason: unknown) => {
      error = reason;
      return null;
    });
    // A natural end could be taken for the whole answer.
    if (read?.done === true) throw new Error("The stream ended as if it were complete.");
  }
  await revoked;
  const events = await proxy.settled();
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ decision: "allowed", outcome: "cut", reason: "token_revoked" });
});

test("a caller that hangs up ends the vendor's stream, and the event says so", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  const response = await proxy.call(`${BASE}/v1/stream`, bearer(key.token));
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await reader.cancel();
  expect((await proxy.settled())[0]).toMatchObject({ outcome: "client_disconnected", status: 200 });
});

test("a one-time key works once among twenty concurrent calls", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey({ limits: { ...NO_LIMITS, uses: 1 } });
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const response = await proxy.call(`${BASE}/v1/things`, bearer(key.token));
      await response.text();
      return response.status;
    }),
  );
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(new Set(statuses)).toEqual(new Set([200, 403]));
});

test("G9: forged and mistyped tokens cost no KV, object or queue operation", async () => {
  let operations = 0;
  const count = (): never => {
    operations += 1;
    throw new Error("touched");
  };
  const trap = new Proxy({}, { get: () => count }) as never;
  const proxy = await TestProxy.start({ KEY_HOLDER: trap, POLICY: trap, AUDIT_QUEUE: trap });
  const key = await appliedKey();
  for (let index = 9; index < key.token.length; index += 1) {
    const letter = key.token.charAt(index) === "A" ? "B" : "A";
    const forged = key.token.slice(0, index) + letter + key.token.slice(index + 1);
    expect((await proxy.call(`${BASE}/v1/things`, bearer(forged))).status).toBe(401);
  }
  await proxy.settled();
  expect(operations).toBe(0);
});

test("hot keys are leased, not asked for each request", async () => {
  const key = await appliedKey();
  let asked = 0;
  const real = env.KEY_HOLDER;
  const counting = {
    idFromName: (name: string) => real.idFromName(name),
    get: (id: DurableObjectId) => {
      asked += 1;
      return real.get(id);
    },
  } as unknown as Env["KEY_HOLDER"];
  const proxy = await TestProxy.start({ KEY_HOLDER: counting });
  for (let index = 0; index < 50; index += 1) {
    await seen(await proxy.call(`${BASE}/v1/things`, bearer(key.token)));
  }
  expect(asked).toBeLessThanOrEqual(3);
});
