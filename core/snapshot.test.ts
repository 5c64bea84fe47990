import { describe, expect, test } from "vitest";
import { DEFAULT_CONFIRMATION } from "./confirmation.ts";
import { NO_LIMITS } from "./limits.ts";
import { decodeSnapshot, encodeSnapshot } from "./snapshot.ts";
import type { PolicySnapshot } from "./snapshot.ts";

const SNAPSHOT: PolicySnapshot = {
  format: 1,
  name: "Ada/openai",
  version: 3,
  keyId: "key",
  organizationId: "org",
  holderId: "holder",
  holderLocator: "0123456789abcdef",
  tokenHash: "a".repeat(64),
  display: "rk_proxy_…abcd",
  state: "active",
  notBefore: null,
  expiresAt: 1_900_000_000_000,
  integration: {
    id: "int",
    slug: "openai",
    enabled: true,
    upstream: { origin: "https://api.openai.com", basePath: "/x", timeoutMs: 1_000 },
    credential: { kind: "header", name: "x-api-key", template: "{secret}" },
    secret: { version: 1, envelope: "{}" },
    requestHeaders: ["openai-*", "accept-charset"],
    dialect: "plain",
    allowEncodedSlash: false,
    logQuery: false,
    responseCookies: false,
    scrubResponses: true,
  },
  rules: [{ methods: ["GET"], path: "/v1/{a}/**", query: { allow: ["x"], noDuplicates: true } }],
  bindings: { a: "b" },
  ip: { mode: "allowlist", cidrs: ["10.0.0.0/8"] },
  limits: { ...NO_LIMITS, uses: 5 },
  enforcement: "lease",
  holder: { kind: "person", name: "Ada", email: "ada@example.com", mailable: true, limits: NO_LIMITS },
  confirmation: DEFAULT_CONFIRMATION,
  freezesLifted: 0,
  organizationName: "Acme",
  auditRetentionDays: 30,
};

test("a snapshot round-trips, and equal snapshots have equal texts", () => {
  const text = encodeSnapshot(SNAPSHOT);
  const decoded = decodeSnapshot(text);
  expect(decoded).toEqual({ ok: true, snapshot: SNAPSHOT });
  const shuffled = Object.fromEntries(Object.entries(SNAPSHOT).reverse()) as unknown as PolicySnapshot;
  expect(encodeSnapshot(shuffled)).toBe(text);
});

describe("what is not exactly a snapshot is refused, and the member is named", () => {
  const broken: [string, Record<string, unknown>][] = [
    ["", { extra: 1 }],
    ["format", { format: 2 }],
    ["version", { version: 0 }],
    ["version", { version: 1.5 }],
    ["state", { state: "ok" }],
    ["tokenHash", { tokenHash: "A".repeat(64) }],
    ["holderLocator", { holderLocator: "xyz" }],
    ["ip.cidrs", { ip: { mode: "allowlist", cidrs: [] } }],
    ["ip.cidrs.0", { ip: { mode: "allowlist", cidrs: ["10.0.0.1/8"] } }],
    ["rules.0", { rules: [{ methods: ["GET"], path: "no-slash" }] }],
    ["rules.0.methods.0", { rules: [{ methods: ["get"], path: "/a" }] }],
    ["limits.uses", { limits: { ...NO_LIMITS, uses: 0 } }],
    ["integration.requestHeaders.0", { integration: { ...SNAPSHOT.integration, requestHeaders: ["*"] } }],
    [
      "integration.upstream.origin",
      {
        integration: { ...SNAPSHOT.integration, upstream: { origin: "ftp://x", basePath: "", timeoutMs: 1 } },
      },
    ],
  ];
  test.each(broken)("%s %j", (member, change) => {
    const decoded = decodeSnapshot(JSON.stringify({ ...SNAPSHOT, ...change }));
    expect(decoded.ok).toBe(false);
    expect(decoded.ok ? "" : decoded.error.split(":")[0]).toBe(member);
  });

  test.each(["", "{", "null", "[]", `"x"`])("%j", (text) => {
    expect(decodeSnapshot(text).ok).toBe(false);
  });
});
