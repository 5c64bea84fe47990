import { fragmentOf, MAX_FRAGMENT_NODES } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";
import { createFilter } from "./filter.ts";
import type { Filter } from "./filter.ts";
import { secretForms } from "./forms.ts";

/** How far an occurrence has come: its unit and the node in the unit's fragment, as one number. */
type Point = number;

/** Everything that the bytes so far leave possible. */
export interface MatchState {
  /** One group for each position at which an open occurrence may have begun, the earliest first: where it can be now. */
  readonly groups: readonly (readonly Point[])[];
  /** By the byte that comes; filled in as it is asked for. */
  readonly moves: Map<number, Move>;
}

/** What one byte changes. Groups are told by their place in {@link MatchState.groups}. */
export interface Move {
  readonly to: MatchState;
  /**
   * For each group of the new state, which of the old one it was; the number of old groups stands for the one that
   * begins with this byte. Rising. Null when no group is gone.
   */
  readonly sources: readonly number[] | null;
  /** The earliest group with an occurrence that ends here, or -1. */
  readonly matched: number;
}

/** Some hundreds of bytes each. Ordinary traffic needs some tens; only text made for the purpose needs thousands. */
const MAX_STATES = 4_096;

/**
 * Finds every spelling of a secret (`forms.ts`) in a stream of bytes, in time linear in its length. The automaton is
 * built as far as the traffic asks for it, so that making a matcher is cheap. States do not know positions (one state
 * serves, however long the spellings before it were); whoever walks keeps the position at which each group began.
 *
 * It holds the secret in the clear: keep it no longer than the secret itself may be kept. Everything is in private
 * fields, which neither JSON nor an inspection shows.
 */
export class SecretMatcher {
  /** All forms one after the other, each ended by null. */
  readonly #units: readonly (Fragment | null)[];
  readonly #starts: readonly Point[];
  readonly #filter: Filter;
  readonly #known = new Map<string, MatchState>();
  /** The state in which nothing is open. */
  readonly #root: MatchState = { groups: [], moves: new Map() };

  /** @param parts as in {@link secretForms}. */
  constructor(parts: readonly string[]) {
    const forms = secretForms(parts).map((form) => form.map(fragmentOf));
    this.#units = forms.flatMap((form) => [...form, null]);
    let unit = 0;
    this.#starts = forms.map((form) => {
      const start = unit * MAX_FRAGMENT_NODES;
      unit += form.length + 1;
      return start;
    });
    this.#filter = createFilter(forms);
  }

  get root(): MatchState {
    return this.#root;
  }

  /** While nothing is open: how many bytes to walk, from where the filter pointed, before asking it again. */
  get stride(): number {
    return this.#filter.stride;
  }

  /** The first position at or after `from` at which an occurrence could begin. Nothing may be open at `from`. */
  skip(bytes: Uint8Array, from: number): number {
    return this.#filter.skip(bytes, from);
  }

  move(state: MatchState, byte: number): Move {
    return state.moves.get(byte) ?? this.#discover(state, byte);
  }

  #discover(state: MatchState, byte: number): Move {
    const groups: Point[][] = [];
    const sources: number[] = [];
    // Of two occurrences that have come to the same point only the longer counts: it covers the other.
    const seen = new Set<Point>();
    let matched = -1;
    for (let source = 0; source <= state.groups.length; source += 1) {
      const group: Point[] = [];
      if (this.#advance(state.groups[source] ?? this.#starts, byte, seen, group) && matched < 0)
        matched = source;
      if (group.length === 0) continue;
      groups.push(group.sort((left, right) => left - right));
      sources.push(source);
    }
    const kept = sources.every((source, index) => source === index);
    const move = { to: this.#intern(groups), sources: kept ? null : sources, matched };
    state.moves.set(byte, move);
    return move;
  }

  /** @returns whether an occurrence ends here; those that can go on add to `group`. */
  #advance(points: readonly Point[], byte: number, seen: Set<Point>, group: Point[]): boolean {
    let matched = false;
    const reach = (index: number, fragment: Fragment, id: number): void => {
      const point = index * MAX_FRAGMENT_NODES + id;
      if (fragment.nodes[id]?.children.size === 0 || seen.has(point)) return;
      seen.add(point);
      group.push(point);
    };
    const enter = (index: number): void => {
      const fragment = this.#units[index];
      if (fragment === null || fragment === undefined) {
        matched = true;
        return;
      }
      reach(index, fragment, 0);
      if (fragment.nodes[0]?.done === true) enter(index + 1);
    };
    for (const point of points) {
      const id = point % MAX_FRAGMENT_NODES;
      const index = (point - id) / MAX_FRAGMENT_NODES;
      const fragment = this.#units[index];
      const child = fragment?.nodes[id]?.children.get(byte);
      if (fragment === null || fragment === undefined || child === undefined) continue;
      reach(index, fragment, child.id);
      if (child.done) enter(index + 1);
    }
    return matched;
  }

  #intern(groups: readonly (readonly Point[])[]): MatchState {
    if (groups.length === 0) return this.#root;
    const key = groups.join(";");
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_STATES) {
      // Starts over. Streams hold on to the state they are in; cut loose, it keeps none of the others alive.
      for (const { moves } of [this.#root, ...this.#known.values()]) moves.clear();
      this.#known.clear();
    }
    const state: MatchState = { groups, moves: new Map() };
    this.#known.set(key, state);
    return state;
  }
}
