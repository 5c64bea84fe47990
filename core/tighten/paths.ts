import type { ScopeRule } from "../scope.ts";
import { parseTarget } from "../target.ts";
import { looksLikeIdentifier, nameAfter } from "./identifiers.ts";

/** The paths that were used under one rule, as a tree of segments. */
interface Node {
  readonly children: Map<string, Node>;
  /** Methods of the requests that end here. */
  readonly methods: Set<string>;
  count: number;
}

/** A segment of a path that comes out: text of a pattern, or of a path. */
type Part = { readonly pattern: string } | { readonly text: string };

interface Ending {
  readonly parts: readonly string[];
  readonly methods: ReadonlySet<string>;
}

/** More different words than this in one place, and the place takes any. */
const MAX_WORDS = 6;
/** An identifier that was the same in so many requests is taken for the one the key is for. */
const MIN_SAME = 5;
/** More rules than this in place of one, and the old path stays. */
const MAX_RULES_PER_PATH = 40;
const MAX_METHODS = 16;
const MAX_PATH_LENGTH = 1_024;
/** As the proxy and the grammar of rules admit them. */
const METHOD = /^[A-Z]{3,16}$/;

/** What was used of one rule. */
export class Paths {
  readonly #rule: ScopeRule;
  /** The rule's own segments; `**` stands for all from there on. */
  readonly #pattern: readonly string[];
  readonly #root: Node = newNode();
  readonly #methods = new Set<string>();

  constructor(rule: ScopeRule) {
    this.#rule = rule;
    this.#pattern = rule.path.slice(1).split("/");
  }

  /** Adds requests that the rule admits. */
  add(method: string, segments: readonly string[], count: number): void {
    this.#methods.add(method);
    let node = this.#root;
    for (const [depth, segment] of segments.entries()) {
      // What the rule fixes has one spelling, the rule's own.
      const key = this.#isWild(depth) ? segment : (this.#pattern[depth] ?? "");
      node = child(node, key);
      node.count += count;
    }
    node.methods.add(method);
  }

  /** The old path with the methods that were used. */
  narrowed(): ScopeRule[] {
    return this.#methods.size === 0 ? [] : [{ ...this.#rule, methods: this.#usedMethods(this.#methods) }];
  }

  /**
   * Rules in place of the old one.
   *
   * @param names values of `{name}`s; new ones are added.
   */
  rules(names: Map<string, string>): ScopeRule[] {
    if (this.#methods.size === 0) return [];
    const endings = this.#endings(this.#root, [], names);
    const rules = endings.map(({ parts, methods }) => ({
      ...this.#rule,
      path: `/${parts.join("/")}`,
      methods: this.#usedMethods(methods),
    }));
    const isUsable =
      rules.length <= MAX_RULES_PER_PATH && rules.every(({ path }) => path.length <= MAX_PATH_LENGTH);
    return isUsable ? rules : this.narrowed();
  }

  #endings(node: Node, before: readonly string[], names: Map<string, string>): Ending[] {
    const here = node.methods.size === 0 ? [] : [{ parts: before, methods: node.methods }];
    const next = this.#isWild(before.length)
      ? generalise(node, before.at(-1) ?? "", names)
      : [...node.children].map(([pattern, below]) => ({ part: { pattern }, node: below }));
    return [
      ...here,
      ...next.flatMap(({ part, node: below }) =>
        this.#endings(below, [...before, "pattern" in part ? part.pattern : spell(part.text)], names),
      ),
    ];
  }

  #isWild(depth: number): boolean {
    const part = this.#pattern[Math.min(depth, this.#pattern.length - 1)];
    return part === "**" || (part === "*" && depth < this.#pattern.length);
  }

  #usedMethods(used: ReadonlySet<string>): readonly string[] {
    const methods = [...used].sort();
    const isWritable = methods.length <= MAX_METHODS && methods.every((method) => METHOD.test(method));
    return isWritable ? methods : this.#rule.methods;
  }
}

/** The segments that may stand in a place where the old rule takes any. */
function generalise(
  node: Node,
  before: string,
  names: Map<string, string>,
): { readonly part: Part; readonly node: Node }[] {
  const children = [...node.children];
  const words = children.filter(([text]) => isWord(text));
  const others = children.filter(([text]) => text !== "" && !isWord(text));
  // `*` does not stand for the empty segment after a trailing slash.
  const ending = children.filter(([text]) => text === "");
  const [only, ...more] = others;
  if (only !== undefined && more.length === 0 && words.length === 0) {
    const pinned = pin(only, before, names);
    if (pinned !== null) return [pinned, ...ending.map(([text, below]) => ({ part: { text }, node: below }))];
  }
  const literal = words.length > MAX_WORDS ? ending : [...words, ...ending];
  const rest = words.length > MAX_WORDS ? [...words, ...others] : others;
  return [
    ...literal.map(([text, below]) => ({ part: { text }, node: below })),
    ...(rest.length === 0
      ? []
      : [{ part: { pattern: "*" }, node: rest.map(([, below]) => below).reduce(merge, newNode()) }]),
  ];
}

/** The one identifier that all requests had, and went on behind: the thing this key is for. */
function pin(
  [text, node]: readonly [string, Node],
  before: string,
  names: Map<string, string>,
): { readonly part: Part; readonly node: Node } | null {
  if (node.methods.size > 0 || node.count < MIN_SAME || text.includes("/")) return null;
  const name = nameAfter(before);
  const value = name === null ? undefined : names.get(name);
  if (name === null || (value !== undefined && value !== text))
    return isSpellable(text) ? { part: { text }, node } : null;
  names.set(name, text);
  return { part: { pattern: `{${name}}` }, node };
}

function isWord(text: string): boolean {
  return text !== "" && !looksLikeIdentifier(text) && isSpellable(text);
}

/** Percent-encodes what a rule could not hold as it is. */
function spell(text: string): string {
  return text.replace(/[^A-Za-z0-9._~!$&'()+,=:@-]/gu, (letter) =>
    letter === "*" ? "%2A" : encodeURIComponent(letter),
  );
}

/** Whether a rule can name the segment, and then matches it and nothing else. */
function isSpellable(text: string): boolean {
  const parsed = parseTarget(`/${spell(text)}`, "", { allowEncodedSlash: false });
  return parsed.ok && parsed.target.segments.length === 1 && parsed.target.segments[0] === text;
}

function newNode(): Node {
  return { children: new Map(), methods: new Set(), count: 0 };
}

function child(node: Node, key: string): Node {
  const found = node.children.get(key) ?? newNode();
  node.children.set(key, found);
  return found;
}

function merge(into: Node, from: Node): Node {
  into.count += from.count;
  for (const method of from.methods) into.methods.add(method);
  for (const [key, below] of from.children) merge(child(into, key), below);
  return into;
}
