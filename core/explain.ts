import { matchScope } from "./scope.ts";
import type { CompiledRule, CompiledScope } from "./scope.ts";
import type { Target } from "./target.ts";

/** The rule that a refused request comes nearest to, and what keeps it from admitting it. */
export interface NearMiss {
  /** Its position. */
  readonly rule: number;
  readonly misses: "query" | "method" | "path";
}

/** From near to far: what `matchScope` would have looked at last comes first. */
const DISTANCE = { query: 0, method: 1, path: 2 } as const;

/** @returns null when there is no rule at all. */
export function nearestRule(scope: CompiledScope, method: string, target: Target): NearMiss | null {
  const misses = scope.rules.map((rule, index) => {
    const misses = missOf(rule, method, target);
    return { rule: index, misses, shared: sharedSegments(rule, target.segments) };
  });
  const [nearest] = misses.sort(
    (left, right) =>
      DISTANCE[left.misses] - DISTANCE[right.misses] || right.shared - left.shared || left.rule - right.rule,
  );
  return nearest === undefined ? null : { rule: nearest.rule, misses: nearest.misses };
}

/**
 * The rule that would admit exactly this method and path.
 *
 * @returns null when the path holds what a rule would take for a wildcard.
 */
export function exactRule(method: string, target: Target): string | null {
  return /[*{}\s]/.test(target.path) || target.segments.some((segment) => segment.includes("/"))
    ? null
    : `${method} ${target.path}`;
}

function missOf(rule: CompiledRule, method: string, { segments, query }: Target): NearMiss["misses"] {
  const match = matchScope({ rules: [rule] }, method, segments, query);
  if (match.ok) throw new RangeError("The rule admits the request.");
  return ({ scope_query: "query", scope_method: "method", scope_path: "path" } as const)[match.reason];
}

/** How many segments, from the first on, fit. */
function sharedSegments(rule: CompiledRule, segments: readonly string[]): number {
  const index = segments.findIndex((actual, position) => {
    const expected = rule.segments[position];
    if (expected === undefined) return true;
    return expected.kind === "literal" ? expected.text !== actual : actual === "";
  });
  return index < 0 ? segments.length : index;
}
