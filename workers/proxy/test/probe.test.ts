import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { PROBES } from "@relaykey/core/catalogue/probes";
import { decodeProbeOrder, encodeProbeOrder } from "@relaykey/core/probe";
import type { ProbeOrder } from "@relaykey/core/probe";
import { configure } from "../config.ts";
import { probe } from "../probe.ts";
import { VENDOR_KEY, makeKey } from "./world.ts";

async function config() {
  const deps = await configure(env);
  return { ...deps, keyring: deps.opener.keyring };
}

async function order(origin: string, catalogue = "openai"): Promise<ProbeOrder> {
  const { snapshot } = await makeKey({
    integration: { upstream: { origin, basePath: "", timeoutMs: 1_000 } },
  });
  const { organizationId, integration } = snapshot;
  return { format: 1, organizationId, integration, catalogue };
}

test.each([
  ["https://accepts.example.com", "openai", "accepted", 2],
  ["https://refuses.example.com", "openai", "refused", 4],
  ["https://limits.example.com", "openai", "limited", 4],
  ["https://redirects.example.com", "openai", "unclear", 3],
  ["https://slack-yes.example.com", "slack", "accepted", 2],
  ["https://slack-no.example.com", "slack", "refused", 2],
  ["https://breaks.example.com", "openai", "unreachable", null],
  ["https://127.0.0.1", "openai", "not_allowed", null],
  ["https://metadata.internal", "openai", "not_allowed", null],
  ["http://accepts.example.com", "openai", "not_allowed", null],
  ["https://accepts.example.com", "no-such-vendor", "no_probe", null],
  ["https://accepts.example.com", "constructor", "no_probe", null],
])("%s as %s: %s", async (origin, catalogue, verdict, statusClass) => {
  const result = await probe(await order(origin, catalogue), await config());
  expect(result).toMatchObject({ verdict, statusClass });
  // G4: the vendor of the tests repeats the whole request, key included; none of it comes back.
  expect(Object.keys(result).sort()).toEqual(["latencyMs", "statusClass", "verdict"]);
  expect(JSON.stringify(result)).not.toContain(VENDOR_KEY);
});

test("an envelope of another organization, integration or version is not opened", async () => {
  const right = await order("https://accepts.example.com");
  const { integration } = right;
  for (const wrong of [
    { ...right, organizationId: crypto.randomUUID() },
    { ...right, integration: { ...integration, id: crypto.randomUUID() } },
    { ...right, integration: { ...integration, secret: { ...integration.secret, version: 2 } } },
  ]) {
    expect(await probe(wrong, await config())).toMatchObject({ verdict: "unreadable" });
  }
});

test("whoever orders a try cannot say what is asked: the order has no place for it", async () => {
  const text = encodeProbeOrder(await order("https://accepts.example.com"));
  expect(decodeProbeOrder(text)).toEqual(JSON.parse(text));
  for (const more of [{ path: "/v1/files" }, { method: "DELETE" }, { headers: {} }]) {
    const forged = JSON.stringify({ ...(JSON.parse(text) as object), ...more });
    expect(() => decodeProbeOrder(forged)).toThrow(TypeError);
  }
  for (const { method, path } of Object.values(PROBES)) {
    expect(path).toMatch(/^\/[\w./-]+(?:\?[\w=&]+)?$/);
    expect(method === "GET" || path === "/api/auth.test").toBe(true);
  }
});
