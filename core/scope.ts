import * as z from "zod/mini";
import { foldName, parseQuery } from "./query.ts";
import { parseTarget } from "./target.ts";

/**
 * Constraints on the query of a request. Names and values are compared after decoding, case-sensitively; a name that a
 * forgiving server would take for a constrained one (`Mode`, `mode[]`, ` mode` for `mode`) is refused, not guessed at.
 */
export interface QueryRule {
  /** Only these names may appear. */
  readonly allow?: readonly string[];
  /** A parameter of this name may only have one of these values. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** No name may appear twice. */
  readonly noDuplicates?: boolean;
}

/** What a key may do: methods on a path pattern. */
export interface ScopeRule {
  /** Upper-case tokens, or ["*"]. */
  readonly methods: readonly string[];
  /** Literal segments, `*` (one segment), `**` (the rest), `{name}` (one segment, fixed per key). */
  readonly path: string;
  readonly query?: QueryRule;
}

type Segment =
  { readonly kind: "literal"; readonly text: string } | { readonly kind: "one" } | { readonly kind: "rest" };

/** One rule, its `{name}` segments bound. */
export interface CompiledRule {
  readonly methods: ReadonlySet<string>;
  readonly segments: readonly Segment[];
  readonly query: QueryRule | null;
}

/** Rules with their `{name}` segments bound: ready to be matched often. */
export interface CompiledScope {
  readonly rules: readonly CompiledRule[];
}

export type ScopeMatch =
  | { readonly ok: true; readonly rule: number }
  | { readonly ok: false; readonly reason: "scope_method" | "scope_path" | "scope_query" };

const METHOD = /^(?:\*|[A-Z]{3,16})$/;
const NAME = /^[a-z][a-z0-9_]{0,31}$/;

export const scopeRuleSchema = z
  .strictObject({
    methods: z.array(z.string().check(z.regex(METHOD))).check(z.minLength(1), z.maxLength(16)),
    path: z.string().check(z.maxLength(1_024)),
    query: z.optional(
      z.strictObject({
        allow: z.optional(z.array(z.string()).check(z.maxLength(100))),
        values: z.optional(z.record(z.string(), z.array(z.string()))),
        noDuplicates: z.optional(z.boolean()),
      }),
    ),
  })
  .check(z.refine((rule) => !("error" in readPattern(rule.path)), "the path is not a pattern"));

/**
 * Reads "POST /v1/chat/completions", "GET,HEAD /v1/models/*", "* /v1/**".
 *
 * @returns the rule, or a sentence that says what is wrong with it.
 */
export function parseRule(
  text: string,
): { readonly ok: true; readonly rule: ScopeRule } | { readonly ok: false; readonly error: string } {
  const match = /^(\S+) +(\S+)$/.exec(text.trim());
  if (match === null) {
    return { ok: false, error: `Write a rule as "METHOD /path", such as "POST /v1/chat/completions".` };
  }
  const [, methodsText = "", path = ""] = match;
  const methods = methodsText.split(",");
  const bad = methods.find((method) => !METHOD.test(method));
  if (bad !== undefined)
    return { ok: false, error: `"${bad}" is not a method: write it in upper case, or * for any.` };
  if (new Set(methods).size !== methods.length || (methods.includes("*") && methods.length > 1)) {
    return { ok: false, error: "Name each method once; * stands alone." };
  }
  const pattern = readPattern(path);
  return "error" in pattern ? { ok: false, error: pattern.error } : { ok: true, rule: { methods, path } };
}

/** The text that `parseRule` reads back (query constraints have no text form). */
export function formatRule(rule: ScopeRule): string {
  return `${rule.methods.join(",")} ${rule.path}`;
}

/** Names of the `{name}` segments that the rules leave to be bound per key. */
export function placeholders(rules: readonly ScopeRule[]): string[] {
  return [
    ...new Set(rules.flatMap((rule) => [...rule.path.matchAll(/\{([^}]*)\}/g)].map(([, name = ""]) => name))),
  ];
}

/**
 * Binds `{name}` segments and prepares rules for matching.
 *
 * @throws RangeError when a rule is malformed or a name is not bound to one non-empty segment.
 */
export function compileScope(
  rules: readonly ScopeRule[],
  bindings: Readonly<Record<string, string>>,
): CompiledScope {
  return {
    rules: rules.map((rule) => {
      const pattern = readPattern(rule.path);
      if ("error" in pattern) throw new RangeError(pattern.error);
      return {
        methods: new Set(rule.methods),
        segments: pattern.segments.map((segment) => bind(segment, bindings)),
        query: rule.query ?? null,
      };
    }),
  };
}

/**
 * Matches a request against the rules: the first that admits it wins, and none admitting it denies it. The reason names
 * the closest miss: a rule that fits but for its query, else one that fits but for its method.
 *
 * @param segments percent-decoded segments of a canonical target.
 * @param query the raw query, without "?".
 */
export function matchScope(
  scope: CompiledScope,
  method: string,
  segments: readonly string[],
  query: string,
): ScopeMatch {
  let reason: "scope_method" | "scope_path" | "scope_query" = "scope_path";
  for (const [index, rule] of scope.rules.entries()) {
    if (!matchPath(rule.segments, segments)) continue;
    if (!rule.methods.has("*") && !rule.methods.has(method)) {
      if (reason === "scope_path") reason = "scope_method";
      continue;
    }
    if (rule.query === null || matchQuery(rule.query, query)) return { ok: true, rule: index };
    reason = "scope_query";
  }
  return { ok: false, reason };
}

function matchPath(pattern: readonly Segment[], segments: readonly string[]): boolean {
  for (const [index, expected] of pattern.entries()) {
    const actual = segments[index];
    if (actual === undefined) return false;
    switch (expected.kind) {
      case "rest":
        return actual !== "";
      case "one":
        if (actual === "") return false;
        break;
      case "literal":
        if (actual !== expected.text) return false;
        break;
    }
  }
  return segments.length === pattern.length;
}

function matchQuery(rule: QueryRule, raw: string): boolean {
  const parameters = parseQuery(raw);
  if (parameters === null) return false;
  // What each folded base name was seen as: a plain parameter ("a"), or a list or map ("a[]", "a[x]").
  const shapes = new Map<string, "plain" | "structured">();
  const names = new Set<string>();
  for (const { name, value } of parameters) {
    if (rule.allow !== undefined && !rule.allow.includes(name)) return false;
    if (rule.values !== undefined) {
      const values = Object.hasOwn(rule.values, name) ? rule.values[name] : undefined;
      if (values === undefined) {
        if (Object.keys(rule.values).some((constrained) => mayBeReadAs(name, constrained))) return false;
      } else if (!values.includes(value)) return false;
    }
    if (rule.noDuplicates === true) {
      const folded = foldName(name);
      const whole = folded.replace(/\[\]$/, "");
      const shape = folded.includes("[") ? "structured" : "plain";
      if (names.has(whole) || (shapes.get(baseName(folded)) ?? shape) !== shape) return false;
      names.add(whole);
      shapes.set(baseName(folded), shape);
    }
  }
  return true;
}

/** Whether some server reads `name` as the parameter `constrained`: `a[]`, `a[0]` and `a[x]` can all set `a`. */
export function mayBeReadAs(name: string, constrained: string): boolean {
  const [folded, target] = [foldName(name), foldName(constrained)];
  return (
    folded.replace(/\[\d*\]$/, "") === target.replace(/\[\d*\]$/, "") ||
    (!target.includes("[") && baseName(folded) === target)
  );
}

/** PHP also reads a "[" that is never closed as "_". */
function baseName(folded: string): string {
  const bracket = folded.indexOf("[");
  if (bracket < 0) return folded;
  return folded.includes("]", bracket) ? folded.slice(0, bracket) : folded.replaceAll("[", "_");
}

type PatternSegment = Segment | { readonly kind: "named"; readonly name: string };

function readPattern(path: string): { segments: PatternSegment[] } | { error: string } {
  if (!path.startsWith("/")) return { error: `The path "${path}" must begin with a slash.` };
  const parts = path.slice(1).split("/");
  const segments: PatternSegment[] = [];
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    if (part === "**" && !last) return { error: "** stands for the rest of a path: it must come last." };
    if (part === "**") segments.push({ kind: "rest" });
    else if (part === "*") segments.push({ kind: "one" });
    else if (part.startsWith("{") && part.endsWith("}")) {
      const name = part.slice(1, -1);
      if (!NAME.test(name))
        return { error: `"{${name}}" is not a name: use lower-case letters, digits and _.` };
      segments.push({ kind: "named", name });
    } else if (/[*{}]/.test(part)) {
      return { error: `"${part}" mixes a wildcard with text: *, ** and {name} stand for whole segments.` };
    } else {
      const literal = parseTarget(`/${part}`, "", { allowEncodedSlash: false });
      if (!literal.ok) return { error: `The segment "${part}" cannot be matched: ${literal.detail}` };
      if (part === "" && !last) return { error: "The path holds an empty segment (//)." };
      segments.push({ kind: "literal", text: literal.target.segments[0] ?? "" });
    }
  }
  return { segments };
}

function bind(segment: PatternSegment, bindings: Readonly<Record<string, string>>): Segment {
  if (segment.kind !== "named") return segment;
  const value = Object.hasOwn(bindings, segment.name) ? bindings[segment.name] : undefined;
  if (value === undefined || value === "" || value.includes("/")) {
    throw new RangeError(`{${segment.name}} must be bound to one path segment.`);
  }
  return { kind: "literal", text: value };
}
