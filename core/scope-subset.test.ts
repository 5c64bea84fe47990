import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileScope, matchScope, parseRule } from "./scope.ts";
import type { QueryRule, ScopeRule } from "./scope.ts";
import { firstUncovered } from "./scope-subset.ts";
import { parseTarget } from "./target.ts";

function covered(
  outer: readonly ScopeRule[],
  inner: readonly ScopeRule[],
  bindings: Record<string, string> = {},
): boolean {
  return firstUncovered(compileScope(outer, {}), compileScope(inner, bindings)) === null;
}

function rules(...texts: string[]): ScopeRule[] {
  return texts.map((text) => {
    const parsed = parseRule(text);
    if (!parsed.ok) throw new Error(parsed.error);
    return parsed.rule;
  });
}

describe("paths and methods", () => {
  test.each([
    ["GET /v1/models", "GET /v1/models", true],
    ["* /v1/**", "POST,GET /v1/chat/*", true],
    ["* /v1/**", "* /v1/**", true],
    ["GET /v1/*", "GET /v1/**", false],
    ["GET /v1/**", "GET /v1", false],
    ["GET /v1/**", "GET /v1/", false],
    ["GET /v1/*", "GET /v1/", false],
    ["GET /**", "GET /", false],
    ["GET /v1/**", "GET /v1/*/", true],
    ["GET /v1/models", "GET /v1/models/", false],
    ["GET /v1/models", "* /v1/models", false],
    ["GET /v1/*/x", "GET /v1/a/x", true],
    ["GET /v1/a/x", "GET /v1/*/x", false],
    ["GET /V1", "GET /v1", false],
    ["GET /v1/**", "GET /v1/**", true],
  ])("%s covers %s: %j", (outer, inner, expected) => {
    expect(covered(rules(outer), rules(inner))).toBe(expected);
  });

  test("each method may be covered by a rule of its own, and every inner rule has to be", () => {
    expect(covered(rules("GET /a", "POST /a"), rules("GET,POST /a"))).toBe(true);
    const [outer, inner] = [rules("GET /a"), rules("GET /a", "GET /b")];
    expect(firstUncovered(compileScope(outer, {}), compileScope(inner, {}))).toBe(1);
    expect(covered([], rules("GET /a"))).toBe(false);
    expect(covered([], [])).toBe(true);
  });

  test("a {name} counts as what it is bound to", () => {
    const inner = rules("GET /zones/{zone}/dns");
    expect(covered(rules("GET /zones/z1/dns"), inner, { zone: "z1" })).toBe(true);
    expect(covered(rules("GET /zones/z1/dns"), inner, { zone: "z2" })).toBe(false);
    expect(covered(rules("GET /zones/*/dns"), inner, { zone: "*" })).toBe(true);
    expect(covered(rules("GET /zones/z1/dns"), inner, { zone: "*" })).toBe(false);
  });
});

test.each<[QueryRule | undefined, QueryRule | undefined, boolean]>([
  [undefined, { allow: ["a"] }, true],
  [{ allow: ["a"] }, undefined, false],
  [{}, undefined, false],
  [{}, {}, true],
  [{ allow: ["a", "b"] }, { allow: ["a"] }, true],
  [{ allow: ["a"] }, { allow: ["a", "b"] }, false],
  [{ allow: ["a"] }, { values: { a: ["1"] } }, false],
  [{ values: { a: ["1", "2"] } }, { values: { a: ["1"] } }, true],
  [{ values: { a: ["1"] } }, { values: { a: ["1", "2"] } }, false],
  [{ values: { a: ["1"] } }, { allow: ["b"] }, true],
  [{ values: { a: ["1"] } }, { allow: ["A"] }, false],
  [{ values: { a: ["1"] } }, { values: { a: ["1"], "a[]": ["2"] } }, false],
  [{ values: { a: ["1"] } }, { values: { b: ["1"] } }, false],
  [{ noDuplicates: true }, { noDuplicates: true }, true],
  [{ noDuplicates: true }, { allow: ["a"] }, false],
  [{ noDuplicates: true }, { allow: [] }, true],
])("query %j covers %j: %j", (outer, inner, expected) => {
  const rule = (query: QueryRule | undefined): ScopeRule[] => [
    { methods: ["GET"], path: "/a", ...(query === undefined ? {} : { query }) },
  ];
  expect(covered(rule(outer), rule(inner))).toBe(expected);
});

// Few words, so that rules and requests meet often.
const METHODS = ["GET", "POST", "PUT"];
const WORDS = ["a", "b", "*", "A"];
const NAMES = ["a", "A", "a[]", "a[0]", "a[x]", "b", " a", "a.x", "a_x"];
const VALUES = ["1", "2", ""];

const methods = fc.oneof(
  fc.constant(["*"]),
  fc.uniqueArray(fc.constantFrom(...METHODS), { minLength: 1, maxLength: 3 }),
);
const path = fc
  .tuple(
    fc.array(fc.constantFrom("a", "b", "A", "*", "{n}"), { maxLength: 3 }),
    fc.constantFrom("", "a", "*", "**", "{n}"),
  )
  .map(([parts, last]) => `/${[...parts, last].join("/")}`);
const names = fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 4 });
const query: fc.Arbitrary<QueryRule> = fc.record(
  {
    allow: names,
    values: fc.dictionary(fc.constantFrom(...NAMES), fc.uniqueArray(fc.constantFrom(...VALUES)), {
      maxKeys: 3,
    }),
    noDuplicates: fc.boolean(),
  },
  { requiredKeys: [] },
);
const rule: fc.Arbitrary<ScopeRule> = fc
  .tuple(methods, path, fc.option(query, { nil: undefined, freq: 2 }))
  .map(([ruleMethods, rulePath, ruleQuery]) => ({
    methods: ruleMethods,
    path: rulePath,
    ...(ruleQuery === undefined ? {} : { query: ruleQuery }),
  }));

/** A rule that looks a little tighter than another, and sometimes is. */
function tightened(outer: ScopeRule): fc.Arbitrary<ScopeRule> {
  return fc
    .tuple(
      fc.constantFrom("a", "b", "{n}"),
      fc.constantFrom("a", "a/b", "*/b", "a/", "**", ""),
      query,
      fc.nat(7),
    )
    .map(([one, rest, more, which]) => {
      let { methods: these, path: there } = outer;
      if ((which & 1) === 1 && these[0] !== "*") these = these.slice(0, 1);
      if ((which & 2) === 2) there = there.replace(/\/\*\*$/, () => `/${rest}`);
      if ((which & 4) === 4) there = there.replace(/\/\*(?=\/|$)/, () => `/${one}`);
      const tighter: QueryRule = {
        ...outer.query,
        ...(more.allow === undefined
          ? {}
          : { allow: more.allow.filter((name) => outer.query?.allow?.includes(name) ?? true) }),
        ...(more.values === undefined ? {} : { values: { ...more.values, ...outer.query?.values } }),
        ...(more.noDuplicates === true ? { noDuplicates: true } : {}),
      };
      return { methods: these, path: there, ...(which % 3 === 0 ? {} : { query: tighter }) };
    });
}

const pair = fc
  .array(rule, { minLength: 1, maxLength: 3 })
  .chain((outer) =>
    fc.tuple(
      fc.constant(outer),
      fc.array(fc.oneof(rule, fc.constantFrom(...outer).chain(tightened)), { minLength: 1, maxLength: 2 }),
    ),
  );
const requests = fc.array(
  fc.record({
    method: fc.constantFrom(...METHODS),
    segments: fc.array(fc.constantFrom(...WORDS, ""), { minLength: 1, maxLength: 5 }),
    query: fc.array(fc.tuple(fc.constantFrom(...NAMES, "c"), fc.constantFrom(...VALUES, "3")), {
      maxLength: 3,
    }),
  }),
  { minLength: 40, maxLength: 40 },
);

test("what is proven to be covered is: no request of the inner scope is outside the outer one", () => {
  let [proven, met] = [0, 0];
  fc.assert(
    fc.property(pair, requests, ([outerRules, innerRules], asked) => {
      const [outer, inner] = [compileScope(outerRules, { n: "b" }), compileScope(innerRules, { n: "b" })];
      if (firstUncovered(outer, inner) !== null) return;
      proven += 1;
      for (const request of asked) {
        const raw = request.query
          .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
          .join("&");
        const target = parseTarget(`/${request.segments.join("/")}`, raw, { allowEncodedSlash: false });
        if (!target.ok) continue;
        const { segments, query: sent } = target.target;
        if (!matchScope(inner, request.method, segments, sent).ok) continue;
        met += 1;
        expect(matchScope(outer, request.method, segments, sent)).toMatchObject({ ok: true });
      }
    }),
    { numRuns: 20_000 },
  );
  // Neither of the two would say much of a property that is seldom put to the test.
  expect(proven).toBeGreaterThan(1_000);
  expect(met).toBeGreaterThan(1_000);
});

test("a scope covers itself, and more rules cover no less", () => {
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 4 }), rule, (some, more) => {
      const scope = compileScope(some, { n: "b" });
      expect(firstUncovered(scope, scope)).toBeNull();
      expect(firstUncovered(compileScope([more, ...some], { n: "b" }), scope)).toBeNull();
    }),
  );
});
