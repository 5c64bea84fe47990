/** What an object may do when one operation happens after the other. */
export interface Model<State, Operation> {
  readonly init: State;
  /** The state after the operation with the result it had, or null when it cannot have had that result here. */
  step(state: State, operation: Operation): State | null;
  equal(one: State, other: State): boolean;
  /** Whether the operation, with the result it had, never changes the state, whatever the state is. */
  isRead(operation: Operation): boolean;
}

/** One operation as it was seen from outside. Instants only need to be comparable. */
export interface Observed<Operation> {
  readonly operation: Operation;
  readonly invoked: number;
  /** Infinity when it was never seen to return: it may have happened at any time since, or never. */
  readonly returned: number;
}

/** A call or a return, in a doubly linked list in order of time (Lowe, "Testing for linearizability", 2017). */
interface Entry<Operation> {
  readonly id: number;
  readonly operation: Operation;
  /** Never seen to return: the search may end without it. */
  readonly isOpen: boolean;
  /** null in a return. */
  readonly match: Entry<Operation> | null;
  before: Entry<Operation> | null;
  after: Entry<Operation> | null;
}

/**
 * Whether operations that overlapped could have happened one at a time, each at some moment between its invocation and
 * its return, with the results they had: Wing and Gong's search with Lowe's memory of the (set of operations done,
 * state) pairs that were tried, as in porcupine.
 */
export function isLinearizable<State, Operation>(
  model: Model<State, Operation>,
  history: readonly Observed<Operation>[],
): boolean {
  const head = entries(history);
  const done = new Uint16Array(Math.ceil(history.length / 16));
  const tried = new Map<string, State[]>();
  const path: { call: Entry<Operation>; state: State; isRead: boolean }[] = [];
  let state = model.init;
  let entry = head.after;
  let left = history.filter(({ returned }) => returned !== Infinity).length;
  while (left > 0) {
    if (entry !== null && entry.match !== null) {
      const next = model.step(state, entry.operation);
      const isRead = model.isRead(entry.operation);
      if (next !== null && (isRead || isNew(model, tried, done, entry.id, next))) {
        path.push({ call: entry, state, isRead });
        state = next;
        mark(done, entry.id);
        lift(entry, entry.match);
        if (!entry.isOpen) left -= 1;
        entry = head.after;
      } else {
        entry = entry.after;
      }
      continue;
    }
    // Something returned that did not happen on this path: go back one step and try what comes after it.
    const last = path.pop();
    if (last === undefined) return false;
    state = last.state;
    mark(done, last.call.id);
    putBack(last.call);
    if (!last.call.isOpen) left += 1;
    // What changes nothing and fits here need not be tried later: any order that has it later also works with it here.
    entry = last.isRead ? null : last.call.after;
  }
  return true;
}

/** Splits a history into independent ones: it is linearizable if and only if each of them is. */
export function partition<Operation>(
  history: readonly Observed<Operation>[],
  keyOf: (operation: Operation) => unknown,
): Observed<Operation>[][] {
  const parts = new Map<unknown, Observed<Operation>[]>();
  for (const observed of history) {
    const key = keyOf(observed.operation);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [observed]);
    else part.push(observed);
  }
  return [...parts.values()];
}

/** The list's head, an entry that is neither. */
function entries<Operation>(history: readonly Observed<Operation>[]): { after: Entry<Operation> | null } {
  const moments: { at: number; isReturn: boolean; entry: Entry<Operation> }[] = [];
  for (const [id, { operation, invoked, returned }] of history.entries()) {
    const common = { id, operation, isOpen: returned === Infinity, before: null, after: null };
    const end: Entry<Operation> = { ...common, match: null };
    const call: Entry<Operation> = { ...common, match: end };
    moments.push({ at: invoked, isReturn: false, entry: call }, { at: returned, isReturn: true, entry: end });
  }
  // At the same instant calls come first: operations that touch are concurrent. The sort is stable.
  moments.sort((a, b) => (a.at === b.at ? Number(a.isReturn) - Number(b.isReturn) : a.at - b.at));
  const first = moments[0]?.entry;
  const head = { id: -1, after: null } as unknown as Entry<Operation>;
  if (first === undefined) return head;
  let previous = head;
  for (const { entry } of moments) {
    previous.after = entry;
    entry.before = previous;
    previous = entry;
  }
  return head;
}

function lift<Operation>(call: Entry<Operation>, end: Entry<Operation>): void {
  for (const entry of [call, end]) {
    if (entry.before !== null) entry.before.after = entry.after;
    if (entry.after !== null) entry.after.before = entry.before;
  }
}

/** Undoes `lift`; the return first, because the call may be its neighbour. */
function putBack<Operation>(call: Entry<Operation>): void {
  for (const entry of [call.match, call]) {
    if (entry === null) continue;
    if (entry.before !== null) entry.before.after = entry;
    if (entry.after !== null) entry.after.before = entry;
  }
}

function mark(done: Uint16Array, id: number): void {
  const word = id >> 4;
  done[word] = (done[word] ?? 0) ^ (1 << (id & 15));
}

/** Remembers that the operations done so far, and this one, led to this state; false when that was known. */
function isNew<State>(
  model: Model<State, never>,
  tried: Map<string, State[]>,
  done: Uint16Array,
  id: number,
  state: State,
): boolean {
  mark(done, id);
  const key = String.fromCharCode(...done);
  mark(done, id);
  const states = tried.get(key);
  if (states === undefined) {
    tried.set(key, [state]);
    return true;
  }
  if (states.some((known) => model.equal(known, state))) return false;
  states.push(state);
  return true;
}
