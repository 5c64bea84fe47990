import { mayBeReadAs } from "./scope.ts";
import type { CompiledRule, CompiledScope, QueryRule } from "./scope.ts";

/**
 * Proves that every request that `inner` admits is admitted by `outer` as well. A proof covers each method of each inner
 * rule with one outer rule; where the shapes do not show it, the answer is no. So yes is always true, and no may only mean
 * "not proven", as for a rule that two outer rules cover together.
 *
 * @returns the position of the first inner rule that is not proven to be covered, or null when all are.
 */
export function firstUncovered(outer: CompiledScope, inner: CompiledScope): number | null {
  const index = inner.rules.findIndex((rule) =>
    [...rule.methods].some((method) => !outer.rules.some((candidate) => covers(candidate, rule, method))),
  );
  return index < 0 ? null : index;
}

function covers(outer: CompiledRule, inner: CompiledRule, method: string): boolean {
  return (
    (outer.methods.has("*") || outer.methods.has(method)) &&
    coversPath(outer.segments, inner.segments) &&
    coversQuery(outer.query, inner.query)
  );
}

function coversPath(outer: CompiledRule["segments"], inner: CompiledRule["segments"]): boolean {
  for (const [index, wanted] of outer.entries()) {
    const given = inner[index];
    if (given === undefined) return false;
    switch (wanted.kind) {
      case "rest":
        // Whatever follows, as long as there is something: both wildcards see to that themselves.
        return given.kind !== "literal" || given.text !== "";
      case "one":
        if (given.kind === "rest" || (given.kind === "literal" && given.text === "")) return false;
        break;
      case "literal":
        if (given.kind !== "literal" || given.text !== wanted.text) return false;
        break;
    }
  }
  return inner.length === outer.length;
}

function coversQuery(outer: QueryRule | null, inner: QueryRule | null): boolean {
  if (outer === null) return true;
  if (inner === null) return false;
  return coversNames(outer, inner) && coversValues(outer, inner) && coversRepetition(outer, inner);
}

function coversNames(outer: QueryRule, inner: QueryRule): boolean {
  const { allow } = outer;
  return allow === undefined || inner.allow?.every((name) => allow.includes(name)) === true;
}

function coversRepetition(outer: QueryRule, inner: QueryRule): boolean {
  return outer.noDuplicates !== true || inner.noDuplicates === true || inner.allow?.length === 0;
}

/**
 * Whether each parameter that `inner` lets through passes the constraints on values of `outer`. Names that `inner` leaves
 * open are harmless only where it constrains the same names: then it refuses their look-alikes itself.
 */
function coversValues(outer: QueryRule, inner: QueryRule): boolean {
  const wanted = outer.values;
  if (wanted === undefined) return true;
  const given = inner.values ?? {};
  const names = inner.allow ?? [...new Set([...Object.keys(wanted), ...Object.keys(given)])];
  return names.every((name) => {
    if (isRefused(given, name)) return true;
    if (!Object.hasOwn(wanted, name)) {
      return !Object.keys(wanted).some((constrained) => mayBeReadAs(name, constrained));
    }
    const values = Object.hasOwn(given, name) ? given[name] : undefined;
    return values?.every((value) => wanted[name]?.includes(value)) === true;
  });
}

/** Whether constraints on values refuse a name outright, because it looks like one of theirs. */
function isRefused(values: Readonly<Record<string, readonly string[]>>, name: string): boolean {
  return (
    !Object.hasOwn(values, name) && Object.keys(values).some((constrained) => mayBeReadAs(name, constrained))
  );
}
