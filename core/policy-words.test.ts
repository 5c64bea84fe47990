import { expect, test } from "vitest";
import { NO_LIMITS } from "./limits.ts";
import { policyWords, ruleWords } from "./policy-words.ts";
import type { DescribedPolicy } from "./policy-words.ts";

const NARROW: DescribedPolicy = {
  rules: [{ methods: ["POST"], path: "/v1/chat/completions" }],
  bindings: {},
  ip: { mode: "allowlist", cidrs: ["10.0.0.0/8"] },
  notBefore: null,
  expiresAt: Date.UTC(2026, 11, 1, 12),
  limits: { ...NO_LIMITS, rate: { limit: 100, windowSeconds: 60 } },
  enforcement: "lease",
};

function words(change: Partial<DescribedPolicy>): string[] {
  return policyWords({ ...NARROW, ...change }).map(({ text, isWide }) => `${isWide ? "! " : ""}${text}`);
}

test("a narrow key, in words", () => {
  expect(words({})).toEqual([
    "It can POST /v1/chat/completions, and nothing else.",
    "It works from 10.0.0.0/8 only.",
    "It works until 1 December 2026, 12:00 UTC.",
    "At most 100 requests a minute.",
  ]);
});

test("what is wide is marked", () => {
  expect(
    words({
      rules: [{ methods: ["*"], path: "/**" }],
      ip: { mode: "any" },
      expiresAt: null,
      limits: NO_LIMITS,
      enforcement: "edge",
    }),
  ).toEqual([
    "! It can do everything that the vendor's own key can do.",
    "! It works from any address.",
    "! It never expires: it works until somebody revokes it.",
    "! It is not limited in how often it is used.",
    "! A change, a revocation too, holds everywhere only after 90 seconds: the key is enforced at the edge.",
  ]);
});

test("a rule that constrains the query of everything is not everything", () => {
  const [first] = words({ rules: [{ methods: ["*"], path: "/**", query: { allow: [] } }] });
  expect(first).toBe(
    "It can any method on /** (query: none), and nothing else.".replace("can any", "can use any"),
  );
});

test.each([
  [{ uses: 1 }, "At most one request in all."],
  [{ uses: 12_345, concurrency: 4 }, "At most 12,345 requests in all and 4 at the same time."],
  [{ rate: { limit: 1, windowSeconds: 3_600 } }, "At most 1 request an hour."],
  [{ rate: { limit: 5, windowSeconds: 10 } }, "At most 5 requests in each 10s."],
])("limits %j: %s", (limits, expected) => {
  expect(words({ limits: { ...NO_LIMITS, ...limits } }).at(-1)).toBe(expected);
});

test("names are filled in, constraints named", () => {
  const rule = {
    methods: ["GET", "HEAD"],
    path: "/zones/{zone}/{other}",
    query: { allow: ["page"], values: { mode: ["a", "b"] }, noDuplicates: true },
  };
  expect(ruleWords(rule, { zone: "abc" })).toBe(
    "GET or HEAD /zones/abc/{other} (query: only page; mode=a|b; each name once)",
  );
});
