import type { Unit } from "./forms.ts";

/** A point within the spellings of a unit: which bytes may follow, and whether a spelling ends here. */
export interface FragmentNode {
  readonly id: number;
  readonly children: ReadonlyMap<number, FragmentNode>;
  readonly done: boolean;
}

/** The spellings of a unit as a tree, and what the filter wants to know of them. */
export interface Fragment {
  /** The root first; a node's `id` is its place. */
  readonly nodes: readonly FragmentNode[];
  readonly shortest: number;
  /** Bytes that begin a spelling, and bytes that end one. */
  readonly firsts: readonly number[];
  readonly lasts: readonly number[];
  /** Pairs of neighbouring bytes within spellings, as `first << 8 | second`. */
  readonly pairs: readonly number[];
}

/** More than any unit has: a point within a form is told by its unit and node. */
export const MAX_FRAGMENT_NODES = 65_536;

/** Units of ASCII are shared by all secrets (`forms.ts`), and so are their fragments. */
const fragments = new WeakMap<Unit, Fragment>();

export function fragmentOf(unit: Unit): Fragment {
  const known = fragments.get(unit);
  if (known !== undefined) return known;
  const fragment = grow(unit);
  fragments.set(unit, fragment);
  return fragment;
}

interface GrowingNode {
  readonly id: number;
  readonly children: Map<number, GrowingNode>;
  done: boolean;
}

function grow(unit: Unit): Fragment {
  const nodes: GrowingNode[] = [];
  const sprout = (): GrowingNode => {
    const node = { id: nodes.length, children: new Map<number, GrowingNode>(), done: false };
    nodes.push(node);
    return node;
  };
  const root = sprout();
  const firsts = new Set<number>();
  const lasts = new Set<number>();
  const pairs = new Set<number>();
  for (const spelling of unit) {
    let node = root;
    let before: number | null = null;
    for (let at = 0; at < spelling.length; at += 1) {
      const byte = spelling.charCodeAt(at);
      if (before === null) firsts.add(byte);
      else pairs.add((before << 8) | byte);
      const child = node.children.get(byte) ?? sprout();
      node.children.set(byte, child);
      node = child;
      before = byte;
    }
    node.done = true;
    if (before !== null) lasts.add(before);
  }
  return {
    nodes,
    shortest: unit.reduce((least, { length }) => Math.min(least, length), Infinity),
    firsts: [...firsts],
    lasts: [...lasts],
    pairs: [...pairs],
  };
}
