import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileScope, formatRule, matchScope, parseRule, scopeRuleSchema } from "../scope.ts";
import type { ScopeRule } from "../scope.ts";
import { looksLikeIdentifier } from "./identifiers.ts";
import { recordedSegments } from "./history.ts";
import { replay, tighten } from "./index.ts";
import type { UsedRequest } from "./index.ts";

function rule(text: string): ScopeRule {
  const parsed = parseRule(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.rule;
}

function used(text: string, count = 1): UsedRequest {
  const [method = "", url = ""] = text.split(" ");
  const [path = "", query = null] = url.split("?");
  return { method, path, query, count };
}

function tightened(rules: string[], requests: (string | UsedRequest)[], bindings = {}) {
  const history = requests.map((request) => (typeof request === "string" ? used(request) : request));
  const result = tighten(rules.map(rule), bindings, history);
  return { rules: result.rules.map(formatRule), bindings: result.bindings };
}

describe("what was used stays, what was not goes", () => {
  test.each<[string, string[], string[], string[]]>([
    ["unused rules", ["GET /a", "POST /b"], ["GET /a"], ["GET /a"]],
    ["unused methods", ["* /v1/**"], ["POST /v1/chat/completions"], ["POST /v1/chat/completions"]],
    ["a request outside the scope adds nothing", ["GET /a"], ["DELETE /a", "GET /b"], []],
    ["nothing used, nothing left", ["GET /a"], [], []],
    [
      "words stay words",
      ["GET /v1/models/*"],
      ["GET /v1/models/gpt-4o-mini"],
      ["GET /v1/models/gpt-4o-mini"],
    ],
    [
      "an identifier becomes *",
      ["* /v1/**"],
      ["GET /v1/customers/cus_NffrFeUfNV2Hib"],
      ["GET /v1/customers/*"],
    ],
    ["numbers too", ["GET /orders/*"], ["GET /orders/1029", "GET /orders/1030"], ["GET /orders/*"]],
    [
      "many words in one place",
      ["GET /p/*"],
      ["red", "green", "blue", "black", "white", "brown", "grey"].map((word) => `GET /p/${word}`),
      ["GET /p/*"],
    ],
    ["what * covers already", ["GET /m/**"], ["GET /m/latest", "GET /m/8f14e45fceea167a"], ["GET /m/*"]],
    ["a trailing slash is another path", ["GET /a/**"], ["GET /a/b/", "GET /a/b"], ["GET /a/b", "GET /a/b/"]],
    ["characters that patterns reserve", ["GET /a/*"], ["GET /a/%2Ax%7By%7D"], ["GET /a/%2Ax%7By%7D"]],
    ["an encoded slash has no spelling", ["GET /a/*"], ["GET /a/x%2Fy"], ["GET /a/*"]],
    ["the root", ["* /"], ["GET /"], ["GET /"]],
    [
      "methods of one path come together",
      ["* /zones/**"],
      ["GET /zones/list", "PATCH /zones/list"],
      ["GET,PATCH /zones/list"],
    ],
  ])("%s", (_, rules, requests, expected) => {
    expect(tightened(rules, requests).rules).toEqual(expected);
  });

  test("an identifier that was always the same, with more behind it, becomes a bound name", () => {
    const id = "023e105f4ecef8ad9ca31a8372d0c353";
    const { rules, bindings } = tightened(
      ["* /zones/**"],
      [used(`GET /zones/${id}/dns_records`, 9), used(`POST /zones/${id}/dns_records`, 2)],
    );
    expect(rules).toEqual(["GET,POST /zones/{zone}/dns_records"]);
    expect(bindings).toEqual({ zone: id });
  });

  test("names that are bound stay bound, and keep their value", () => {
    const { rules, bindings } = tightened(
      ["* /zones/{zone}/**", "* /zones/**"],
      [used("GET /zones/abc/dns_records", 9), used("GET /zones/023e105f4ecef8ad/x", 9)],
      { zone: "abc" },
    );
    expect(rules).toEqual(["GET /zones/{zone}/dns_records", "GET /zones/023e105f4ecef8ad/x"]);
    expect(bindings).toEqual({ zone: "abc" });
  });

  test("what the log holds in part keeps the rules that may have admitted it", () => {
    const { rules } = tightened(["GET /a/**", "POST /b/**"], [`GET /a/${"x".repeat(40)}…`, "POST /b/c"]);
    expect(rules).toEqual(["GET /a/**", "POST /b/c"]);
  });

  test("a query that was not recorded keeps every rule that may have admitted it", () => {
    const constrained = { ...rule("GET /a/*"), query: { values: { mode: ["read"] } } };
    const result = tighten([constrained, rule("GET /a/**")], {}, [used("GET /a/b")]);
    expect(result.rules).toEqual([{ ...constrained, path: "/a/b" }, rule("GET /a/b")]);
  });

  test("too many different paths: the old path stays", () => {
    const words = ["red", "green", "blue", "black", "white", "brown"];
    const requests = words.flatMap((one) =>
      words.flatMap((two) => words.map((three) => `GET /${one}/${two}/${three}`)),
    );
    expect(tightened(["* /**"], requests).rules).toEqual(["GET /**"]);
  });
});

test.each([
  ["1029", true],
  ["cus_NffrFeUfNV2Hib", true],
  ["9f86d081884c7d659a2feaa0c55ad015", true],
  ["01890a5d-ac96-774b-bcce-b302099a8057", true],
  ["jenny@example.com", true],
  ["INV_2024_0001", true],
  ["gpt-4o-mini", false],
  ["claude-3-5-sonnet-20241022", false],
  ["chat.postMessage", false],
  ["dns_records", false],
  ["v1beta", false],
  ["gemini-2.5-flash:generateContent", false],
  ["2010-04-01", false],
  ["Messages.json", false],
  ["text-embedding-3-small", false],
])("%s is an identifier: %s", (segment, expected) => {
  expect(looksLikeIdentifier(segment)).toBe(expected);
});

test("a replay counts what a scope would have refused", () => {
  const history = [
    used("GET /a", 3),
    used("GET /b", 2),
    used("POST /a", 5),
    used(`GET /${"y".repeat(9)}…`, 1),
  ];
  expect(replay([rule("GET /a")], {}, history)).toEqual({
    allowed: 3,
    refused: 7,
    unknown: 1,
    refusedKinds: [history[2], history[1]],
  });
});

const word = fc.constantFrom(
  "a",
  "b",
  "zones",
  "v1",
  "42",
  "cus_9s8XkQ2bLm0",
  "023e105f4ecef8ad",
  "x%2Fy",
  "%2A",
);
const method = fc.constantFrom("GET", "POST", "DELETE");
const pattern = fc
  .tuple(
    fc.array(
      fc.oneof(
        word.filter((text) => !text.includes("%2F")),
        fc.constantFrom("*", "{zone}", "{id}"),
      ),
      {
        maxLength: 3,
      },
    ),
    fc.constantFrom("", "/", "/**", "/*"),
  )
  .map(([parts, end]) => `/${parts.join("/")}${end}`.replace(/^\/\//, "/"))
  .filter((path) => parseRule(`GET ${path}`).ok);
const query = fc.option(fc.constantFrom({ allow: ["q"] }, { values: { q: ["1"] } }, { noDuplicates: true }), {
  nil: undefined,
  freq: 2,
});
const rules = fc.array(
  fc
    .tuple(fc.uniqueArray(method, { minLength: 1 }), fc.boolean(), pattern, query)
    .map(([methods, any, path, constraint]): ScopeRule => ({
      methods: any ? ["*"] : methods,
      path,
      ...(constraint === undefined ? {} : { query: constraint }),
    })),
  { minLength: 1, maxLength: 4 },
);
const request = fc
  .tuple(
    method,
    fc.array(word, { maxLength: 4 }),
    fc.boolean(),
    fc.constantFrom("", "q=1", "q=2", "q=1&q=1", "z=1"),
  )
  .map(([verb, segments, slash, text]) => ({
    method: verb,
    path: `/${segments.join("/")}${slash && segments.length > 0 ? "/" : ""}`,
    query: text,
  }));
const BINDINGS = { zone: "zones", id: "42" };

function admits(
  scope: readonly ScopeRule[],
  bindings: Record<string, string>,
  {
    method: verb,
    path,
    query: text,
  }: {
    method: string;
    path: string;
    query: string;
  },
): boolean {
  return matchScope(compileScope(scope, bindings), verb, recordedSegments(path) ?? [], text).ok;
}

/** Requests near the scope: with segments of the patterns themselves, so that many are admitted. */
function near(
  scope: readonly ScopeRule[],
  sample: readonly { method: string; path: string; query: string }[],
) {
  const shaped = scope.flatMap(({ path }) =>
    ["a", "42", "023e105f4ecef8ad"].map((fill) => ({
      method: "GET",
      path: path.replace("{zone}", BINDINGS.zone).replace("{id}", BINDINGS.id).replaceAll(/\*+/g, fill),
      query: "q=1",
    })),
  );
  return [...sample, ...shaped];
}

describe.each([
  ["queries recorded", true],
  ["queries not recorded", false],
])("whatever the scope and the history (%s)", (_, recorded) => {
  test("each allowed request of the history is still allowed, and nothing else comes in", () => {
    let admitted = 0;
    fc.assert(
      fc.property(
        rules,
        fc.array(fc.tuple(request, fc.integer({ min: 1, max: 20 })), { maxLength: 30 }),
        fc.array(request, { maxLength: 30 }),
        (scope, happened, others) => {
          const all = near(
            scope,
            happened.map(([one]) => one),
          );
          const history = all.filter((one) => admits(scope, BINDINGS, one));
          const tight = tighten(
            scope,
            BINDINGS,
            history.map((one, index) => ({
              ...one,
              query: recorded ? one.query : null,
              count: happened[index]?.[1] ?? 7,
            })),
          );
          for (const each of tight.rules) expect(scopeRuleSchema.safeParse(each).success).toBe(true);
          for (const one of history) {
            admitted += 1;
            expect(admits(tight.rules, tight.bindings, one), JSON.stringify({ one, tight })).toBe(true);
          }
          for (const one of near(tight.rules, [...others, ...all])) {
            if (admits(tight.rules, tight.bindings, one)) expect(admits(scope, BINDINGS, one)).toBe(true);
          }
        },
      ),
      { numRuns: 2_000 },
    );
    expect(admitted).toBeGreaterThan(2_000);
  });
});
