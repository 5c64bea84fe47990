import { compileScope, matchScope, placeholders } from "../scope.ts";
import type { ScopeRule } from "../scope.ts";
import { recordedQuery, recordedSegments } from "./history.ts";
import type { UsedRequest } from "./history.ts";
import { Paths } from "./paths.ts";

export { replay } from "./history.ts";
export type { Replay, UsedRequest } from "./history.ts";

/** A scope with no more in it than a history shows to be needed. */
export interface TightScope {
  readonly rules: readonly ScopeRule[];
  readonly bindings: Readonly<Record<string, string>>;
}

/** As many rules as a key may have. */
const MAX_RULES = 200;

/**
 * The least scope that a history shows to be enough. Every request of the history that `rules` allow is still allowed,
 * and nothing is allowed that `rules` do not allow: what is new in the result is a path of an old rule with wildcards
 * replaced by what was seen, and methods left out that were not.
 *
 * Segments that look like identifiers become `*`, or a bound `{name}` where it was the same one each time. A rule whose
 * query constraints could not be judged, because queries were not recorded, keeps what its path and method admit.
 * Requests that the log holds in part keep the rules whole that may have admitted them.
 *
 * @throws RangeError when the rules are malformed or a name is not bound.
 */
export function tighten(
  rules: readonly ScopeRule[],
  bindings: Readonly<Record<string, string>>,
  history: readonly UsedRequest[],
): TightScope {
  const paths = rules.map((rule) => new Paths(rule));
  const scopes = rules.map((rule) => compileScope([rule], bindings));
  const kept = new Set<number>();

  for (const { method, path, query, count } of history) {
    const segments = recordedSegments(path);
    if (segments === null) {
      for (const [index, rule] of rules.entries()) {
        if (rule.methods.includes("*") || rule.methods.includes(method)) kept.add(index);
      }
      continue;
    }
    const known = recordedQuery(query);
    for (const [index, rule] of rules.entries()) {
      const scope = scopes[index];
      // A query is only ever refused by a constraint: the empty one passes all of them.
      if (scope === undefined || !matchScope(scope, method, segments, known ?? "").ok) continue;
      paths[index]?.add(method, segments, count);
      // With the query unknown, this rule may have refused it and a later one have let it through.
      if (known !== null || rule.query === undefined) break;
    }
  }

  // A name stands for one value in the whole scope, wherever it is used.
  const names = new Map(Object.entries(bindings));
  const tight = rules.map((rule, index) => (kept.has(index) ? [rule] : (paths[index]?.rules(names) ?? [])));
  const detailed = withoutRepeats(tight.flat());
  const result =
    detailed.length <= MAX_RULES
      ? detailed
      : rules.flatMap((rule, index) => (kept.has(index) ? [rule] : (paths[index]?.narrowed() ?? [])));
  return {
    rules: result,
    bindings: Object.fromEntries(placeholders(result).flatMap((name) => bound(names, name))),
  };
}

function bound(names: ReadonlyMap<string, string>, name: string): [string, string][] {
  const value = names.get(name);
  return value === undefined ? [] : [[name, value]];
}

/** Leaves out rules that another one makes needless: the same path and query, or a path whose `*` stands for theirs. */
function withoutRepeats(rules: readonly ScopeRule[]): ScopeRule[] {
  const merged = new Map<string, ScopeRule>();
  for (const rule of rules) {
    const id = JSON.stringify([rule.path, rule.query ?? null]);
    const former = merged.get(id);
    merged.set(id, former === undefined ? rule : { ...rule, methods: union(former.methods, rule.methods) });
  }
  const all = [...merged.values()];
  return all.flatMap((rule) => {
    const covered = all.filter((other) => other !== rule && covers(other, rule)).flatMap((o) => o.methods);
    if (covered.includes("*")) return [];
    const methods = rule.methods.filter((method) => !covered.includes(method));
    return methods.length === 0 ? [] : [{ ...rule, methods }];
  });
}

/** Whether `wide` admits, for its own methods, every path that `narrow` admits. Both without `**`, or the answer is no. */
function covers(wide: ScopeRule, narrow: ScopeRule): boolean {
  if (JSON.stringify(wide.query ?? null) !== JSON.stringify(narrow.query ?? null)) return false;
  const [left, right] = [wide.path.split("/"), narrow.path.split("/")];
  return (
    left.length === right.length &&
    wide.path !== narrow.path &&
    left.every((part, index) => {
      const other = right[index] ?? "";
      return part === other ? part !== "**" : part === "*" && other !== "" && other !== "**";
    })
  );
}

function union(left: readonly string[], right: readonly string[]): string[] {
  const methods = [...new Set([...left, ...right])].sort();
  return methods.includes("*") ? ["*"] : methods;
}
