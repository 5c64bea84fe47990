import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileScope, formatRule, matchScope, parseRule, placeholders } from "./scope.ts";
import type { ScopeRule } from "./scope.ts";
import { parseTarget } from "./target.ts";

function rule(text: string): ScopeRule {
  const parsed = parseRule(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.rule;
}

function verdict(
  rules: readonly ScopeRule[],
  request: string,
  bindings: Record<string, string> = {},
): string {
  const [method = "", url = ""] = request.split(" ");
  const [path = "", query = ""] = url.split("?");
  const target = parseTarget(path, query, { allowEncodedSlash: false });
  if (!target.ok) return "ambiguous";
  const match = matchScope(compileScope(rules, bindings), method, target.target.segments, query);
  return match.ok ? "allowed" : match.reason;
}

test.each([
  ["POST /v1/chat/completions", "POST /v1/chat/completions", "allowed"],
  ["POST /v1/chat/completions", "GET /v1/chat/completions", "scope_method"],
  ["POST /v1/chat/completions", "POST /v1/chat/completions/", "scope_path"],
  ["POST /v1/chat/completions", "POST /v1/chat/Completions", "scope_path"],
  ["POST /v1/chat/completions", "POST /v1/chat", "scope_path"],
  ["POST /v1/chat/completions", "POST /v1/chat/completions/x", "scope_path"],
  ["GET /v1/models/*", "GET /v1/models/gpt", "allowed"],
  ["GET /v1/models/*", "GET /v1/models/", "scope_path"],
  ["GET /v1/models/*", "GET /v1/models/a/b", "scope_path"],
  ["GET /v1/**", "GET /v1/a/b/c", "allowed"],
  ["GET /v1/**", "GET /v1", "scope_path"],
  ["GET /v1/**", "GET /v1/", "scope_path"],
  ["GET /v1/**", "GET /v2/a", "scope_path"],
  ["* /a", "DELETE /a", "allowed"],
  ["GET,HEAD /a", "HEAD /a", "allowed"],
  ["GET /a", "HEAD /a", "scope_method"],
  ["GET /a/", "GET /a/", "allowed"],
  ["GET /", "GET /", "allowed"],
  ["GET /users/@me", "GET /users/%40me", "allowed"],
  ["GET /models", "GET /%6dodels", "allowed"],
  ["GET /v1/*", "GET /v1/%2e%2e", "ambiguous"],
])("%s on %s: %s", (text, request, expected) => {
  expect(verdict([rule(text)], request)).toBe(expected);
});

test("nothing is allowed by default", () => {
  expect(verdict([], "GET /")).toBe("scope_path");
});

describe("bound segments", () => {
  const rules = [rule("* /zones/{zone}/dns_records")];

  test("fix one segment per key", () => {
    expect(placeholders(rules)).toEqual(["zone"]);
    expect(verdict(rules, "GET /zones/z1/dns_records", { zone: "z1" })).toBe("allowed");
    expect(verdict(rules, "GET /zones/z2/dns_records", { zone: "z1" })).toBe("scope_path");
  });

  test.each<Record<string, string>>([{}, { zone: "" }, { zone: "a/b" }, { other: "x" }])(
    "must be bound: %j",
    (bindings) => {
      expect(() => compileScope(rules, bindings)).toThrow(RangeError);
    },
  );
});

describe("query constraints", () => {
  const constrained = (query: ScopeRule["query"]): ScopeRule[] => [
    { ...rule("GET /a"), ...(query ? { query } : {}) },
  ];

  test.each([
    [{ allow: ["limit"] }, "limit=1", "allowed"],
    [{ allow: ["limit"] }, "", "allowed"],
    [{ allow: ["limit"] }, "Limit=1", "scope_query"],
    [{ allow: ["limit"] }, "limit=1&x=2", "scope_query"],
    [{ allow: ["limit"] }, "%6cimit=1", "allowed"],
    [{ allow: ["limit"] }, "limit=1;x=2", "scope_query"],
    [{ values: { mode: ["ro"] } }, "mode=ro&x=1", "allowed"],
    [{ values: { mode: ["ro"] } }, "mode=rw", "scope_query"],
    [{ values: { mode: ["ro"] } }, "mode=ro&mode=rw", "scope_query"],
    [{ noDuplicates: true }, "a=1&b=2", "allowed"],
    [{ noDuplicates: true }, "a=1&%61=2", "scope_query"],
    [{ allow: ["a"] }, "a=%FF", "scope_query"],
    // What a forgiving server takes for the constrained name is not free of the constraint.
    [{ values: { mode: ["ro"] } }, "Mode=rw", "scope_query"],
    [{ values: { mode: ["ro"] } }, "mode[]=rw", "scope_query"],
    [{ values: { mode: ["ro"] } }, "mode%5B0%5D=rw", "scope_query"],
    [{ values: { mode: ["ro"] } }, "mode[x]=rw", "scope_query"],
    [{ values: { mode: ["ro"] } }, "+mode=rw", "scope_query"],
    [{ values: { a_b: ["1"] } }, "a.b=2", "scope_query"],
    [{ values: { a_b: ["1"] } }, "a[b=2", "scope_query"],
    [{ values: { mode: ["ro"] } }, "mode=ro&model=x", "allowed"],
    [{ values: { "expand[]": ["data"] } }, "expand[]=data", "allowed"],
    [{ values: { "expand[]": ["data"] } }, "expand[0]=other", "scope_query"],
    [{ values: { "expand[]": ["data"] } }, "expand=other", "scope_query"],
    [{ values: { "created[gt]": ["1"] } }, "created[gt]=1&created[lt]=2", "allowed"],
    [{ noDuplicates: true }, "a=1&a[]=2", "scope_query"],
    [{ noDuplicates: true }, "a=1&A=2", "scope_query"],
    [{ noDuplicates: true }, "a[0]=1&a[1]=2&b[x]=1&b[y]=2", "allowed"],
  ])("%j on %s: %s", (query, raw, expected) => {
    expect(verdict(constrained(query), `GET /a?${raw}`)).toBe(expected);
  });
});

test.each([
  "GET",
  "/a",
  "GET a",
  "get /a",
  "GET,GET /a",
  "*,GET /a",
  "GET /a//b",
  "GET /**/a",
  "GET /a*",
  "GET /{A}",
  "GET /{a",
  "GET /../a",
  "GET /a;b",
  "GET /a b",
  "GET /%2e%2e",
])("%j is no rule, and the error says why", (text) => {
  const parsed = parseRule(text);
  expect(parsed.ok).toBe(false);
  expect(parsed.ok ? "" : parsed.error).not.toBe("");
});

test("what is printed reads back", () => {
  const segment = fc.constantFrom("v1", "*", "{zone}", "a-b", "models:gen");
  fc.assert(
    fc.property(
      fc.array(segment, { minLength: 1, maxLength: 5 }),
      fc.constantFrom("GET", "*", "GET,POST"),
      (segments, methods) => {
        const text = `${methods} /${segments.join("/")}`;
        expect(formatRule(rule(text))).toBe(text);
      },
    ),
  );
});
