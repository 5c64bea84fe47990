import { LEASE_MS } from "../objects/lease.ts";
import type { BlockReason } from "@relaykey/core/block-reasons";
import type { Limits } from "@relaykey/core/limits";
import type { ChangeRecord, History } from "./history.ts";
import { isLinearizable } from "./linearizability.ts";
import type { Model, Observed } from "./linearizability.ts";
import { refusalOf } from "./policies.ts";
import type { Aim } from "./policies.ts";

/** What a history can break. */
export type Property =
  | "G1: no start under an older version than one that returned"
  | "G1: no refusal by an older version than one that returned"
  | "G1: open responses are cut within one lease"
  | "G1: starts and refusals linearize with the changes"
  | "G1: the object is one register"
  | "G7: uses"
  | "G7: rate"
  | "G7: concurrency";

export interface Violation {
  readonly property: Property;
  readonly story: string;
}

/** Everything that is wrong with a history. */
export function check(history: History, limits: Limits): Violation[] {
  return [
    ...staleStarts(history),
    ...staleRefusals(history),
    ...lateCuts(history),
    ...brokenLimits(history, limits),
    ...notLinearizable(history),
  ];
}

function staleStarts({ changes, starts }: History): Violation[] {
  return starts
    .filter(({ at, version }) => version < holdsAt(changes, at) || version > sentBy(changes, at))
    .map(({ at, version, aim }) => ({
      property: "G1: no start under an older version than one that returned",
      story: `#${String(at)}: ${aim} started under v${String(version)}, but v${String(holdsAt(changes, at))} had returned`,
    }));
}

function staleRefusals({ changes, refusals }: History): Violation[] {
  return refusals
    .filter(({ began, at, aim, reason }) => {
      const versions = refusingVersions(changes, aim, reason);
      const oldest = holdsAt(changes, began);
      const newest = sentBy(changes, at);
      return versions !== null && !versions.some((version) => version >= oldest && version <= newest);
    })
    .map(({ began, at, aim, reason }) => ({
      property: "G1: no refusal by an older version than one that returned",
      story: `#${String(at)}: ${aim} was refused (${reason}), but began at #${String(began)}, when v${String(holdsAt(changes, began))} had returned`,
    }));
}

const NOT_OF_A_POLICY: ReadonlySet<BlockReason> = new Set([
  "no_decision",
  "rate_limited",
  "uses_exhausted",
  "concurrency_limited",
]);

/** Versions that refuse a request for this reason; null when the reason is not one of a policy. 0 stands for no policy. */
function refusingVersions(changes: readonly ChangeRecord[], aim: Aim, reason: BlockReason): number[] | null {
  if (NOT_OF_A_POLICY.has(reason)) return null;
  const versions = changes
    // A key that was revoked before the object ever saw it is unknown there.
    .filter(
      ({ kind }) => refusalOf(kind, aim) === reason || (reason === "token_unknown" && kind === "revoked"),
    )
    .map(({ version }) => version);
  return reason === "token_unknown" ? [0, ...versions] : versions;
}

/** One lease after a change returned, nothing may be open that all versions since then would have refused. */
function lateCuts({ changes, streams }: History): Violation[] {
  return streams.flatMap(({ aim, closed, closedMs, openedMs }) => {
    const newest = sentBy(changes, closed);
    const late = changes.find(({ returned, returnedMs }) => {
      if (returned === null || returnedMs === null || closedMs <= returnedMs + LEASE_MS) return false;
      const oldest = holdsAt(changes, returned + 1);
      return changes
        .filter(({ version }) => version >= oldest && version <= newest)
        .every(({ kind }) => refusalOf(kind, aim) !== null);
    });
    if (late?.returnedMs == null) return [];
    const story = `#${String(closed)}: ${aim}, open since ${String(openedMs)} ms, was open until ${String(closedMs)} ms, ${String(closedMs - late.returnedMs)} ms after v${String(late.version)} (${late.kind}) had returned`;
    return [{ property: "G1: open responses are cut within one lease", story } as const];
  });
}

function brokenLimits({ starts }: History, { uses, rate, concurrency }: Limits): Violation[] {
  const violations: Violation[] = [];
  if (uses !== null && starts.length > uses) {
    const story = `${String(starts.length)} requests started, ${String(uses)} were allowed`;
    violations.push({ property: "G7: uses", story });
  }
  if (rate !== null) {
    for (const [window, within] of Map.groupBy(starts, ({ windowStart }) => windowStart)) {
      if (within.length <= rate.limit) continue;
      const story = `${String(within.length)} requests started in the window ${String(window)}, ${String(rate.limit)} were allowed`;
      violations.push({ property: "G7: rate", story });
    }
  }
  if (concurrency !== null) {
    for (const { at } of starts) {
      const open = starts.filter((other) => other.at <= at && (other.over === null || other.over > at));
      if (open.length <= concurrency) continue;
      const story = `#${String(at)}: ${String(open.length)} requests were under way, ${String(concurrency)} were allowed`;
      violations.push({ property: "G7: concurrency", story });
    }
  }
  return violations;
}

/** The newest version that some receipt had named before an instant. */
function holdsAt(changes: readonly ChangeRecord[], instant: number): number {
  return Math.max(
    0,
    ...changes.map(({ returned, receipt }) => (returned !== null && returned < instant ? (receipt ?? 0) : 0)),
  );
}

/** The newest version that had been sent to the object before an instant. */
function sentBy(changes: readonly ChangeRecord[], instant: number): number {
  return Math.max(0, ...changes.map(({ invoked, version }) => (invoked < instant ? version : 0)));
}

/** What happens to the policy, as seen by those who use it. */
export type PolicyOperation =
  | { readonly kind: "announce"; readonly version: number }
  | { readonly kind: "enforce"; readonly version: number }
  /** A request was judged on one of these versions; which one is not always visible. */
  | { readonly kind: "judge"; readonly versions: readonly number[] };

/**
 * The policy as a sequential object. A change has two moments, both between its sending and its return: from the first
 * on requests may be judged on it, from the second on they may not be judged on anything older. Between the two, isolates
 * may differ: this is what a lease is.
 */
export const POLICY: Model<{ readonly oldest: number; readonly newest: number }, PolicyOperation> = {
  init: { oldest: 0, newest: 0 },
  step({ oldest, newest }, operation) {
    switch (operation.kind) {
      case "announce":
        return { oldest, newest: Math.max(newest, operation.version) };
      case "enforce":
        return operation.version > newest ? null : { oldest: Math.max(oldest, operation.version), newest };
      case "judge":
        return operation.versions.some((version) => version >= oldest && version <= newest)
          ? { oldest, newest }
          : null;
    }
  },
  equal: (one, other) => one.oldest === other.oldest && one.newest === other.newest,
  isRead: ({ kind }) => kind === "judge",
};

/** The object's own answers: a register that writes with an older version do not change. */
export const REGISTER: Model<number, { readonly kind: "write" | "read"; readonly version: number }> = {
  init: 0,
  step(state, { kind, version }) {
    if (kind === "write") return Math.max(state, version);
    return version === state ? state : null;
  },
  equal: (one, other) => one === other,
  isRead: ({ kind }) => kind === "read",
};

function notLinearizable({ changes, starts, refusals, answers }: History): Violation[] {
  const violations: Violation[] = [];
  const policy: Observed<PolicyOperation>[] = changes.flatMap(({ version, invoked, returned, receipt }) => {
    const interval = { invoked, returned: returned ?? Infinity };
    const announce = { operation: { kind: "announce", version } as const, ...interval };
    // A change that did not return promises nothing.
    if (returned === null) return [announce];
    return [announce, { operation: { kind: "enforce", version: receipt ?? version } as const, ...interval }];
  });
  for (const { at, version } of starts) {
    policy.push({ operation: { kind: "judge", versions: [version] }, invoked: at, returned: at });
  }
  for (const { began, at, aim, reason } of refusals) {
    const versions = refusingVersions(changes, aim, reason);
    if (versions !== null)
      policy.push({ operation: { kind: "judge", versions }, invoked: began, returned: at });
  }
  if (!isLinearizable(POLICY, policy)) {
    const story = "no order of changes, starts and refusals explains what was seen";
    violations.push({ property: "G1: starts and refusals linearize with the changes", story });
  }

  const register = [
    ...changes.map(({ version, invoked, returned }) => ({
      operation: { kind: "write", version } as const,
      invoked,
      returned: returned ?? Infinity,
    })),
    ...answers.map(({ version, invoked, returned }) => ({
      operation: { kind: "read", version } as const,
      invoked,
      returned,
    })),
  ];
  // A key that was revoked before it was ever applied reads as unknown.
  const [revoked] = changes.filter(({ kind }) => kind === "revoked");
  const ambiguous = revoked !== undefined && answers.some(({ version }) => version === 0);
  if (!ambiguous && !isLinearizable(REGISTER, register)) {
    const story = "no order of changes explains the versions that the object answered with";
    violations.push({ property: "G1: the object is one register", story });
  }
  return violations;
}
