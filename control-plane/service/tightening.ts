import { replay, tighten } from "@relaykey/core/tighten/index";
import type { Replay, TightScope } from "@relaykey/core/tighten/index";
import { placeholders } from "@relaykey/core/scope";
import type { ScopeRule } from "@relaykey/core/scope";
import { usedRequests } from "@relaykey/db/queries/key-use";
import { findOrganization } from "@relaykey/db/queries/organizations";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { showKey } from "./keys.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** A narrower scope for a key, and what it would have meant. */
export interface Tightening {
  /** Days of the audit log that it was worked out from. */
  readonly days: number;
  /** Requests in those days. */
  readonly requests: number;
  readonly scope: TightScope;
  /** The same requests, and those of all days that the log holds, judged by the proposed scope. */
  readonly replay: Replay;
  readonly replayDays: number;
}

/** Kinds of requests that are looked at: of more, nobody could say that all are still allowed. */
const MAX_KINDS = 20_000;
const DAY_MS = 86_400_000;

/**
 * The least scope that the requests of the last days show to be enough for a key. Nothing is changed.
 *
 * @param days of the audit log to work it out from.
 */
export async function proposeTightening(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
  days: number,
): Promise<Outcome<Tightening>> {
  const allowed = authorize(caller, "audit.read");
  if (!allowed.ok) return allowed;
  const found = await showKey(deps, caller, keyId);
  if (!found.ok) return found;
  const { rules, bindings } = found.value;
  const history = await readHistory(deps, caller, keyId, days);
  if (!history.ok) return history;
  const scope = tighten(rules, bindings, history.value);
  const judged = await replayScope(deps, caller, keyId, scope);
  return ok({
    days,
    requests: history.value.reduce((sum, { count }) => sum + count, 0),
    scope,
    // Where the whole log is too much to look at, the days of the proposal are judged.
    ...(judged.ok
      ? { replay: judged.value.replay, replayDays: judged.value.days }
      : { replay: replay(scope.rules, scope.bindings, history.value), replayDays: days }),
  });
}

/** What a scope would have done with every request that was let through under a key and is still in the audit log. */
export async function replayScope(
  deps: ServiceDependencies,
  caller: Caller,
  keyId: string,
  scope: { readonly rules: readonly ScopeRule[]; readonly bindings: Readonly<Record<string, string>> },
): Promise<Outcome<{ readonly replay: Replay; readonly days: number }>> {
  const allowed = authorize(caller, "audit.read");
  if (!allowed.ok) return allowed;
  const organization = await findOrganization(deps.db, caller.organizationId);
  if (organization === null) return fail("not_found");
  const days = organization.auditRetentionDays;
  const history = await readHistory(deps, caller, keyId, days);
  if (!history.ok) return history;
  const unbound = placeholders(scope.rules).find((name) => !Object.hasOwn(scope.bindings, name));
  if (unbound !== undefined) {
    return fail("invalid_request", {
      errors: [{ field: "bindings", message: `{${unbound}} must be bound to one path segment.` }],
    });
  }
  return ok({ replay: replay(scope.rules, scope.bindings, history.value), days });
}

async function readHistory(deps: ServiceDependencies, caller: Caller, keyId: string, days: number) {
  const since = new Date(deps.now() - days * DAY_MS);
  const history = await usedRequests(deps.db, caller.organizationId, keyId, since, MAX_KINDS + 1);
  if (history.length <= MAX_KINDS) return ok(history);
  return fail("too_varied");
}
