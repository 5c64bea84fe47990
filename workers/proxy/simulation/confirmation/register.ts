import type { ConfirmationEnd } from "@relaykey/core/rpc";
import type { Model } from "../linearizability.ts";

/** What was asked of a holder's networks, and with what result. `null`: it is not known how it ended. */
export type NetworkOperation =
  /** A question that wants to start something, as the object answered it. */
  | {
      readonly kind: "ask";
      readonly network: string;
      readonly outcome: "admitted" | "closed" | { readonly entry: string };
    }
  | {
      readonly kind: "confirm" | "reject";
      readonly entry: string;
      readonly network: string;
      readonly state: ConfirmationEnd | "confirmed_now" | "frozen_now" | "mismatch" | null;
    }
  | { readonly kind: "remove"; readonly network: string; readonly was: boolean | null }
  | { readonly kind: "approve"; readonly network: string }
  /** `holds`: the version that the receipt names. */
  | {
      readonly kind: "apply";
      readonly version: number;
      readonly lifted: number;
      readonly holds: number | null;
    }
  | { readonly kind: "revoke"; readonly version: number; readonly holds: number | null };

/** What became of a request of an isolate: a read of what may be done. */
export interface NetworkRead {
  readonly kind: "start" | "unconfirmed" | "frozen" | "revoked" | "unknown";
  readonly network: string;
}

interface State {
  readonly version: number;
  readonly revoked: boolean;
  readonly freezes: number;
  readonly lifted: number;
  readonly firstUseGone: boolean;
  readonly trusted: Readonly<Record<string, true>>;
  readonly entries: Readonly<
    Record<string, { readonly network: string; readonly state: "waiting" | ConfirmationEnd }>
  >;
}

/** One holder with one key, whose operations happen one at a time: what the object has to be. */
export const OBJECT: Model<State, NetworkOperation> = {
  init: { version: 0, revoked: false, freezes: 0, lifted: 0, firstUseGone: false, trusted: {}, entries: {} },
  step,
  equal: isSame,
  isRead: () => false,
};

/** A change has two moments, both while it is under way; `id` names it. */
export type LeasedOperation =
  | { readonly kind: "announce"; readonly id: number; readonly operation: NetworkOperation }
  | { readonly kind: "enforce"; readonly id: number }
  | { readonly kind: "read"; readonly read: NetworkRead };

/** States that somebody may still rely on, the newest last, with the change that led to each. */
type Window = readonly { readonly id: number; readonly state: State }[];

/**
 * What callers see of it. From the first moment of a change on requests may be judged by it, from the second on they may
 * not be judged by anything older. Between the two, isolates may differ: this is what a lease is.
 */
export const LEASED: Model<Window, LeasedOperation> = {
  init: [{ id: -1, state: OBJECT.init }],
  step(window, operation) {
    switch (operation.kind) {
      case "announce": {
        const newest = window.at(-1);
        const state = newest === undefined ? null : change(newest.state, operation.operation);
        return state === null ? null : [...window, { id: operation.id, state }];
      }
      case "enforce": {
        const index = window.findIndex(({ id }) => id === operation.id);
        return index < 0 ? null : window.slice(index);
      }
      case "read":
        return window.some(({ state }) => shows(state, operation.read)) ? window : null;
    }
  },
  equal: isSame,
  isRead: ({ kind }) => kind === "read",
};

/** What leases depend on. Who may confirm what is the object's business, and was judged there. */
function change(state: State, operation: NetworkOperation): State | null {
  switch (operation.kind) {
    case "ask":
      return state.firstUseGone ? state : trust(state, operation.network);
    case "confirm":
      return trust(state, operation.network);
    case "reject":
      return { ...state, freezes: state.freezes + 1 };
    case "remove":
    case "approve":
    case "apply":
    case "revoke":
      return step(state, operation);
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function shows(state: State, { kind, network }: NetworkRead): boolean {
  switch (kind) {
    case "start":
      return isActive(state) && isTrusted(state, network);
    case "unconfirmed":
      return isActive(state) && !isTrusted(state, network) && state.firstUseGone;
    case "frozen":
      return isFrozen(state);
    case "revoked":
      return state.revoked;
    case "unknown":
      // A key that was revoked before the object ever saw it stays unknown there.
      return state.version === 0 || state.revoked;
  }
}

function step(state: State, operation: NetworkOperation): State | null {
  switch (operation.kind) {
    case "ask":
      return ask(state, operation);
    case "confirm":
    case "reject":
      return useLink(state, operation);
    case "remove": {
      const was = isTrusted(state, operation.network);
      if (operation.was !== null && operation.was !== was) return null;
      return { ...state, trusted: without(state.trusted, operation.network) };
    }
    case "approve":
      return trust(state, operation.network);
    case "apply":
      if (operation.version <= state.version) return state;
      return { ...state, version: operation.version, lifted: operation.lifted };
    case "revoke":
      return operation.version <= state.version
        ? state
        : { ...state, version: operation.version, revoked: true };
  }
}

function ask(state: State, { network, outcome }: NetworkOperation & { kind: "ask" }): State | null {
  if (outcome === "closed") return isActive(state) ? null : state;
  if (!isActive(state)) return null;
  if (outcome === "admitted") {
    if (!state.firstUseGone) return trust(state, network);
    return isTrusted(state, network) ? state : null;
  }
  if (isTrusted(state, network) || !state.firstUseGone) return null;
  const waiting = Object.entries(state.entries).find(
    ([, entry]) => entry.network === network && entry.state === "waiting",
  );
  if (waiting !== undefined) return waiting[0] === outcome.entry ? state : null;
  if (state.entries[outcome.entry] !== undefined) return null;
  return { ...state, entries: sorted({ ...state.entries, [outcome.entry]: { network, state: "waiting" } }) };
}

function useLink(
  state: State,
  { kind, entry: id, state: result }: NetworkOperation & { kind: "confirm" | "reject" },
): State | null {
  const entry = state.entries[id];
  if (entry === undefined) return null;
  const end =
    entry.state !== "waiting" ? entry.state : state.revoked ? "key_ended" : isFrozen(state) ? "frozen" : null;
  if (end !== null) return result === null || result === end ? state : null;
  if (result !== null && result !== (kind === "confirm" ? "confirmed_now" : "frozen_now")) return null;
  if (kind === "confirm") return trust(state, entry.network);
  return {
    ...state,
    freezes: state.freezes + 1,
    entries: { ...state.entries, [id]: { ...entry, state: "rejected" } },
  };
}

function trust(state: State, network: string): State {
  const entries = Object.entries(state.entries).map(([id, entry]) =>
    entry.network === network && entry.state === "waiting"
      ? [id, { ...entry, state: "confirmed" }]
      : [id, entry],
  );
  return {
    ...state,
    firstUseGone: true,
    trusted: sorted({ ...state.trusted, [network]: true }),
    entries: Object.fromEntries(entries) as State["entries"],
  };
}

function isActive(state: State): boolean {
  return state.version > 0 && !state.revoked && !isFrozen(state);
}

function isFrozen({ revoked, freezes, lifted }: State): boolean {
  return !revoked && freezes > lifted;
}

function isTrusted({ trusted }: State, network: string): boolean {
  return trusted[network] === true;
}

function without(trusted: State["trusted"], network: string): State["trusted"] {
  return Object.fromEntries(Object.entries(trusted).filter(([name]) => name !== network));
}

/** Equal states are written equally. */
function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}
