import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import type { BlockReason } from "@relaykey/core/block-reasons";
import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import { NO_LIMITS } from "@relaykey/core/limits";
import { importTagKey, mintToken, newLocator } from "@relaykey/core/token";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { customerKey, kmsFails, sealedForCustomer } from "./customer.ts";
import { TestProxy, appliedKey, bearer, change, makeKey } from "./world.ts";

const GOOD = "https://proxy.example.com/vendor/v1/things";

/** Brings about one refusal through the whole proxy and returns the answer. */
type Scenario = (proxy: TestProxy) => Promise<Response>;

/** One allowed request, read to its end. */
async function succeed(proxy: TestProxy, token: string): Promise<void> {
  const response = await proxy.call(GOOD, bearer(token));
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ url: "https://api.vendor.example/v1/things" });
}

/** A reason without a scenario does not compile. */
const SCENARIOS: Record<BlockReason, Scenario> = {
  token_missing: (proxy) => proxy.call(GOOD),
  token_malformed: (proxy) => proxy.call(GOOD, bearer("rk_proxy_notatoken")),
  token_forged: async (proxy) => {
    const foreign = await importTagKey(btoa("x".repeat(32)));
    const { token } = await mintToken("proxy", newLocator(), foreign);
    return proxy.call(GOOD, bearer(token.reveal()));
  },
  token_ambiguous: async (proxy) => {
    const [one, two] = [await makeKey(), await makeKey()];
    return proxy.call(GOOD, { headers: { Authorization: `Bearer ${one.token}`, "x-api-key": two.token } });
  },
  token_unknown: async (proxy) => proxy.call(GOOD, bearer((await makeKey()).token)),
  token_revoked: async (proxy) => proxy.call(GOOD, bearer((await appliedKey({ state: "revoked" })).token)),
  token_expired: async (proxy) => proxy.call(GOOD, bearer((await appliedKey({ expiresAt: 1 })).token)),
  token_not_yet_valid: async (proxy) =>
    proxy.call(GOOD, bearer((await appliedKey({ notBefore: Date.now() + 3_600_000 })).token)),
  key_frozen: async (proxy) => proxy.call(GOOD, bearer((await appliedKey({ state: "frozen" })).token)),
  integration_unknown: async (proxy) =>
    proxy.call("https://proxy.example.com/other/v1/things", bearer((await appliedKey()).token)),
  integration_disabled: async (proxy) =>
    proxy.call(GOOD, bearer((await appliedKey({ integration: { enabled: false } })).token)),
  scope_method: async (proxy) =>
    proxy.call(GOOD, { ...bearer((await appliedKey()).token), method: "DELETE" }),
  scope_path: async (proxy) =>
    proxy.call("https://proxy.example.com/vendor/v2/things", bearer((await appliedKey()).token)),
  scope_query: async (proxy) => {
    const rules = [{ methods: ["GET"], path: "/v1/**", query: { allow: ["limit"] } }];
    return proxy.call(`${GOOD}?other=1`, bearer((await appliedKey({ rules })).token));
  },
  ip_not_allowed: async (proxy) => {
    const key = await appliedKey({ ip: { mode: "allowlist", cidrs: ["198.51.100.0/24"] } });
    return proxy.call(GOOD, bearer(key.token));
  },
  ip_unconfirmed: async (proxy) => {
    const key = await appliedKey({ ip: { mode: "confirm" } });
    await succeed(proxy, key.token);
    return proxy.call(GOOD, bearer(key.token), "198.51.100.9");
  },
  ip_unconfirmable: async (proxy) => {
    const confirmation = { ...DEFAULT_CONFIRMATION, neverConfirmable: ["203.0.113.0/24"] };
    return proxy.call(GOOD, bearer((await appliedKey({ ip: { mode: "confirm" }, confirmation })).token));
  },
  client_ip_unknown: async (proxy) => proxy.call(GOOD, bearer((await appliedKey()).token), null),
  path_ambiguous: async (proxy) =>
    proxy.call("https://proxy.example.com/vendor/v1/a%2Fb", bearer((await appliedKey()).token)),
  method_invalid: async (proxy) => {
    const key = await appliedKey({ rules: [{ methods: ["*"], path: "/v1/**" }] });
    return proxy.call(GOOD, { ...bearer(key.token), method: "TRACE" });
  },
  rate_limited: async (proxy) => {
    const limits = { ...NO_LIMITS, rate: { limit: 1, windowSeconds: 3_600 } };
    const key = await appliedKey({ limits });
    await succeed(proxy, key.token);
    return proxy.call(GOOD, bearer(key.token));
  },
  concurrency_limited: async (proxy) => {
    const key = await appliedKey({ limits: { ...NO_LIMITS, concurrency: 1 } });
    const open = await proxy.call("https://proxy.example.com/vendor/v1/stream", bearer(key.token));
    const response = await proxy.call(GOOD, bearer(key.token));
    await open.body?.cancel();
    return response;
  },
  uses_exhausted: async (proxy) => {
    const key = await appliedKey({ limits: { ...NO_LIMITS, uses: 1 } });
    await succeed(proxy, key.token);
    return proxy.call(GOOD, bearer(key.token));
  },
  body_too_large: async (proxy) => {
    const key = await appliedKey({ limits: { ...NO_LIMITS, maxBodyBytes: 4 } });
    return proxy.call(GOOD, {
      method: "POST",
      body: "12345",
      headers: { ...bearer(key.token).headers, "Content-Length": "5" },
    });
  },
  upstream_not_allowed: async (proxy) => {
    const upstream = { origin: "http://169.254.169.254", basePath: "", timeoutMs: 1_000 };
    return proxy.call(GOOD, bearer((await appliedKey({ integration: { upstream } })).token));
  },
  upstream_unreachable: async (proxy) =>
    proxy.call("https://proxy.example.com/vendor/v1/unreachable", bearer((await appliedKey()).token)),
  upstream_encoding: async (proxy) => {
    const key = await appliedKey();
    return proxy.call("https://proxy.example.com/vendor/v1/encoded?as=zstd", bearer(key.token));
  },
  upstream_timeout: async (proxy) => {
    const upstream = { origin: "https://api.vendor.example", basePath: "", timeoutMs: 50 };
    const key = await appliedKey({ integration: { upstream } });
    return proxy.call("https://proxy.example.com/vendor/v1/hang", bearer(key.token));
  },
  secret_unavailable: async (proxy) => {
    const other = await makeKey();
    // An envelope that was sealed for another organization: the AAD does not match.
    const key = await appliedKey({ integration: { secret: other.snapshot.integration.secret } });
    return proxy.call(GOOD, bearer(key.token));
  },
  custody_key_refused: async (proxy) => {
    const customer = await customerKey();
    const key = await sealedForCustomer(customer);
    await kmsFails(customer, "DisabledException");
    return proxy.call(GOOD, bearer(key.token));
  },
  custody_key_unreachable: async (proxy) => {
    const customer = await customerKey();
    const key = await sealedForCustomer(customer);
    await kmsFails(customer, "down");
    return proxy.call(GOOD, bearer(key.token));
  },
  no_decision: async () => {
    const broken = {
      idFromName: () => ({}),
      get: () => ({ lease: () => Promise.reject(new Error("overloaded")) }),
    } as unknown as Env["KEY_HOLDER"];
    const proxy = await TestProxy.start({ KEY_HOLDER: broken });
    const key = await appliedKey();
    return proxy.call(GOOD, bearer(key.token));
  },
  internal_error: async (proxy) => {
    const key = await appliedKey();
    const lines: unknown[] = [];
    for (const method of ["log", "warn", "error"] as const) {
      vi.spyOn(console, method).mockImplementation((...line) => lines.push(...line));
    }
    Object.defineProperty(proxy.deps.directory, "known", {
      value: () => {
        throw new Error(`a bug that quotes ${key.token}`);
      },
    });
    const response = await proxy.call(GOOD, bearer(key.token));
    vi.restoreAllMocks();
    expect(lines).not.toHaveLength(0);
    expect(JSON.stringify(lines)).not.toContain(key.token);
    return response;
  },
};

describe("every row of the block-reason table, through the whole proxy", () => {
  test.each(Object.entries(SCENARIOS))("%s", async (name, scenario) => {
    const reason = name as BlockReason;
    const row = BLOCK_REASONS[reason];
    const proxy = await TestProxy.start();
    const response = await scenario(proxy);

    expect(response.status).toBe(row.status);
    const body: Record<string, unknown> = await response.json();
    expect(body).toMatchObject({ status: row.status, code: row.code, error: { code: row.code } });
    expect(String(body["detail"])).not.toBe("");
    expect(body["request_id"]).toBe(response.headers.get("RelayKey-Request-Id"));
    expect(JSON.stringify(body)).not.toContain("vendor-key");

    const recorded = (await proxy.settled()).filter((event) => event.requestId === body["request_id"]);
    // `no_decision` starts a proxy of its own, whose events are its own too.
    if (reason === "no_decision") return;
    expect(recorded).toHaveLength(row.audited === "event" ? 1 : 0);
    if (row.audited === "event") {
      expect(recorded[0]).toMatchObject({ reason, decision: "blocked", status: row.status });
    }
  });
});

test("a policy change is in force when apply returns, in both directions", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  await succeed(proxy, key.token);
  const narrowed = await change(key, { rules: [{ methods: ["POST"], path: "/v1/**" }] });
  expect((await proxy.call(GOOD, bearer(key.token))).status).toBe(403);
  const widened = await change(narrowed, { rules: [{ methods: ["GET"], path: "/v1/**" }] });
  await succeed(proxy, key.token);
  await change(widened, { state: "revoked" });
  expect((await proxy.call(GOOD, bearer(key.token))).status).toBe(401);
});

test("the block-reason table has no row without a scenario", () => {
  expect(Object.keys(SCENARIOS).sort()).toEqual(Object.keys(BLOCK_REASONS).sort());
  expect(env.RELAYKEY_EDITION).toBe("cloudflare");
});
