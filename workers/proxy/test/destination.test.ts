import { describe, expect, test } from "vitest";
import { deriveLocalKeys, sealSecret, vendorKeyContext } from "@relaykey/core/envelope";
import { env } from "cloudflare:workers";
import type { IntegrationSnapshot } from "@relaykey/core/integration";
import { encodeProbeOrder } from "@relaykey/core/probe";
import { Secret } from "@relaykey/core/secret";
import { TestProxy, VENDOR_KEY, appliedKey, bearer, change, keyControl } from "./world.ts";
import type { KeyChanges, TestKey } from "./world.ts";

const GOOD = "https://proxy.example.com/vendor/v1/things";

/** A host that nobody but one test uses. */
function attackersHost(): string {
  return `h${crypto.randomUUID()}.example`;
}

/** All that reached a host. */
async function seenAt(host: string): Promise<string[]> {
  return (await fetch(`https://seen.example.com/?host=${host}`)).json();
}

function at(origin: string, basePath = ""): Pick<IntegrationSnapshot, "upstream"> {
  return { upstream: { origin, basePath, timeoutMs: 5_000 } };
}

/**
 * What whoever owns the control plane can do with a stored vendor key: have a snapshot enforced that holds its envelope,
 * unchanged, and says whatever else they like.
 */
async function rewrite(key: TestKey, changes: Partial<IntegrationSnapshot>): Promise<TestKey> {
  return change(key, { integration: { ...key.snapshot.integration, ...changes } });
}

async function isRefused(proxy: TestProxy, answer: Response): Promise<void> {
  expect(answer.status).toBe(503);
  const body = await answer.json<{ code: string; request_id: string }>();
  expect(body).toMatchObject({ code: "secret_unavailable" });
  expect(JSON.stringify(body)).not.toContain(VENDOR_KEY);
  const event = (await proxy.settled()).find(({ requestId }) => requestId === body.request_id);
  expect(event).toMatchObject({ decision: "blocked", reason: "secret_unavailable", upstreamStatus: null });
}

describe("G4: whoever owns the control plane cannot have a stored vendor key sent to another host", () => {
  test.each<[string, KeyChanges]>([
    ["checked at a lease", {}],
    ["enforced at the edge", { enforcement: "edge" }],
  ])(
    "by a snapshot, of a key that is %s",
    async (_, more) => {
      const proxy = await TestProxy.start();
      const evil = attackersHost();
      const key = await appliedKey(more);
      // In use: its data key is unwrapped in this isolate already.
      expect((await proxy.call(GOOD, bearer(key.token))).status).toBe(200);
      await rewrite(key, at(`https://${evil}`));
      const elsewhere = await TestProxy.start();
      for (const isolate of [proxy, elsewhere]) {
        await expect
          .poll(async () => (await isolate.call(GOOD, bearer(key.token))).status, {
            timeout: 60_000,
            interval: 500,
          })
          .toBe(503);
        await isRefused(isolate, await isolate.call(GOOD, bearer(key.token)));
      }
      expect(await seenAt(evil)).toEqual([]);
    },
    120_000,
  );

  test("by a snapshot that was never another", async () => {
    const proxy = await TestProxy.start();
    const evil = attackersHost();
    const { snapshot } = await appliedKey();
    const { secret, id } = snapshot.integration;
    const organizationId = snapshot.organizationId;
    const stolen = await appliedKey({
      organizationId,
      integration: { id, secret, ...at(`https://${evil}`) },
    });
    await isRefused(proxy, await proxy.call(GOOD, bearer(stolen.token)));
    expect(await seenAt(evil)).toEqual([]);
  });

  test("over a WebSocket", async () => {
    const proxy = await TestProxy.start();
    const evil = attackersHost();
    const key = await appliedKey();
    await rewrite(key, at(`https://${evil}`));
    const headers = { ...bearer(key.token).headers, Upgrade: "websocket" };
    await isRefused(proxy, await proxy.call(GOOD, { headers }));
    expect(await seenAt(evil)).toEqual([]);
  });

  test("by trying the key out", async () => {
    const evil = attackersHost();
    const { organizationId, integration } = (
      await appliedKey({ integration: at("https://accepts.example.com") })
    ).snapshot;
    const order = { format: 1, organizationId, integration, catalogue: "openai" } as const;
    expect(await keyControl().probe(encodeProbeOrder(order))).toMatchObject({ verdict: "accepted" });
    for (const changes of [
      at(`https://${evil}`),
      { credential: { kind: "query", name: "q" } } as const,
      { scrubResponses: false },
    ]) {
      const forged = { ...order, integration: { ...integration, ...changes } };
      expect(await keyControl().probe(encodeProbeOrder(forged))).toMatchObject({
        verdict: "unreadable",
        statusClass: null,
      });
    }
    expect(await seenAt(evil)).toEqual([]);
  });

  test("with an envelope of their own making, around the stored one's data key", async () => {
    const proxy = await TestProxy.start();
    const evil = attackersHost();
    const key = await appliedKey();
    const { organizationId, integration } = key.snapshot;
    const target = {
      publicKey: (await deriveLocalKeys(env.RELAYKEY_MASTER_KEY)).publicKey,
      customerKey: null,
    };
    const moved = { ...integration, ...at(`https://${evil}`) };
    const own = await sealSecret(
      target,
      vendorKeyContext(organizationId, moved),
      new Secret("sk-attackers-own"),
    );
    const [stolen, forged] = [integration.secret.envelope, own].map(
      (text) => JSON.parse(text) as Record<string, string>,
    );
    for (const mixed of [
      { ...forged, enc: stolen?.["enc"], key: stolen?.["key"] },
      { ...forged, nonce: stolen?.["nonce"], ct: stolen?.["ct"] },
    ]) {
      const envelope = JSON.stringify(mixed);
      const bait = await appliedKey({
        organizationId,
        integration: { ...moved, secret: { version: 1, envelope } },
      });
      await isRefused(proxy, await proxy.call(GOOD, bearer(bait.token)));
    }
    expect(await seenAt(evil)).toEqual([]);
    // A secret of their own they can send where they like: it tells them nothing.
    const bait = await appliedKey({
      organizationId,
      integration: { ...moved, secret: { version: 1, envelope: own } },
    });
    expect((await proxy.call(GOOD, bearer(bait.token))).status).toBe(200);
    expect(await seenAt(evil)).toHaveLength(1);
  });
});

describe("G4: nor read it where it is sent", () => {
  const credential = { kind: "header", name: "x-api-key", template: "{secret}" } as const;

  test.each<[string, Partial<IntegrationSnapshot>]>([
    ["at another path of the same host", at("https://api.vendor.example", "/v1/tenants/evil")],
    ["at a wider path", at("https://api.vendor.example", "")],
    ["in another header", { credential: { kind: "header", name: "x-echoed", template: "{secret}" } }],
    ["in another template", { credential: { ...credential, template: "{secret};{secret}" } }],
    ["in a parameter that the vendor stores", { credential: { kind: "query", name: "text" } }],
    ["as a bearer", { credential: { kind: "bearer" } }],
    ["in an answer that nobody searches", { scrubResponses: false }],
  ])("%s", async (_, changes) => {
    const proxy = await TestProxy.start();
    const key = await appliedKey({
      integration: { ...at("https://api.vendor.example", "/api"), credential },
    });
    const before = await proxy.call(GOOD, bearer(key.token));
    expect(before.status).toBe(200);
    expect(await before.text()).not.toContain(VENDOR_KEY);
    await rewrite(key, changes);
    await isRefused(proxy, await proxy.call(GOOD, bearer(key.token)));
  });

  test("what it is not sealed for may change as before", async () => {
    const proxy = await TestProxy.start();
    const key = await appliedKey();
    const { upstream } = key.snapshot.integration;
    await rewrite(key, {
      slug: "vendor",
      upstream: { ...upstream, timeoutMs: 1_234 },
      requestHeaders: ["other-*"],
      dialect: "slack",
      allowEncodedSlash: true,
      logQuery: true,
      responseCookies: true,
    });
    expect((await proxy.call(GOOD, bearer(key.token))).status).toBe(200);
  });

  test.each(["https://api.vendor.example:443", "https://API.vendor.example", "https://api.vendor.example."])(
    "%s, another spelling of its host, is no address it is sent to",
    async (origin) => {
      const proxy = await TestProxy.start();
      const key = await appliedKey({ integration: at(origin) });
      const answer = await proxy.call(GOOD, bearer(key.token));
      expect(await answer.json()).toMatchObject({ code: "upstream_not_allowed" });
    },
  );
});

test("an envelope of the former format, which bound no destination, is refused", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  const { secret } = key.snapshot.integration;
  const former = secret.envelope.replace('{"v":2,', '{"v":1,');
  expect(former).not.toBe(secret.envelope);
  await rewrite(key, { secret: { ...secret, envelope: former } });
  await isRefused(proxy, await proxy.call(GOOD, bearer(key.token)));
});
