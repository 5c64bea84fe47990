import { compileScope, matchScope } from "../scope.ts";
import type { ScopeRule } from "../scope.ts";
import { parseTarget } from "../target.ts";

/** A request that was let through, as the audit log has it, and how often. */
export interface UsedRequest {
  readonly method: string;
  /** Raw, as it was sent; a long one is cut and ends in "…". */
  readonly path: string;
  /** Raw, without "?"; null where the integration does not record queries. */
  readonly query: string | null;
  readonly count: number;
}

/** What a scope would have done with the requests of a history. */
export interface Replay {
  readonly allowed: number;
  readonly refused: number;
  /** Requests that the log does not hold whole, so that nobody can say. */
  readonly unknown: number;
  /** The kinds of requests that would have been refused, those made most often first. */
  readonly refusedKinds: readonly UsedRequest[];
}

/** Percent-decoded segments of a recorded path; null when the log does not hold it whole. */
export function recordedSegments(path: string): readonly string[] | null {
  const parsed = parseTarget(path, "", { allowEncodedSlash: true });
  return parsed.ok ? parsed.target.segments : null;
}

/** A query as it was sent, or null when the log does not hold it whole. */
export function recordedQuery(query: string | null): string | null {
  return query === null || query.endsWith("…") ? null : query;
}

/**
 * Judges the requests of a history by another scope, with the matcher that the proxy runs. A query that was not recorded
 * counts as empty: rules that constrain the query may be stricter than they seem here.
 *
 * @throws RangeError when the rules are malformed or a name is not bound.
 */
export function replay(
  rules: readonly ScopeRule[],
  bindings: Readonly<Record<string, string>>,
  history: readonly UsedRequest[],
): Replay {
  const scope = compileScope(rules, bindings);
  let [allowed, refused, unknown] = [0, 0, 0];
  const refusedKinds: UsedRequest[] = [];
  for (const request of history) {
    const segments = recordedSegments(request.path);
    if (segments === null) {
      unknown += request.count;
    } else if (matchScope(scope, request.method, segments, recordedQuery(request.query) ?? "").ok) {
      allowed += request.count;
    } else {
      refused += request.count;
      refusedKinds.push(request);
    }
  }
  refusedKinds.sort((left, right) => right.count - left.count);
  return { allowed, refused, unknown, refusedKinds };
}
