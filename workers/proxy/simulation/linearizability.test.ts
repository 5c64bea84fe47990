import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isLinearizable, partition } from "./linearizability.ts";
import type { Model, Observed } from "./linearizability.ts";

/** A register with compare-and-set: what Jepsen asked of etcd. */
type RegisterOperation =
  | { readonly kind: "read"; readonly value: number | null }
  | { readonly kind: "write"; readonly value: number }
  | { readonly kind: "cas"; readonly from: number; readonly to: number; readonly done: boolean | null };

const REGISTER: Model<number | null, RegisterOperation> = {
  init: null,
  step(state, operation) {
    switch (operation.kind) {
      case "read":
        return operation.value === state ? keep(state) : null;
      case "write":
        return operation.value;
      case "cas":
        if (operation.done === null) return state === operation.from ? operation.to : keep(state);
        if (operation.done) return state === operation.from ? operation.to : null;
        return state === operation.from ? null : keep(state);
    }
  },
  equal: (one, other) => one === other,
  isRead: (operation) => operation.kind === "read" || (operation.kind === "cas" && operation.done === false),
};

/** `null` says "cannot be": the empty register needs a value of its own. */
const EMPTY = -1;
function keep(state: number | null): number {
  return state ?? EMPTY;
}

const REGISTER_FROM_EMPTY: Model<number, RegisterOperation> = {
  init: EMPTY,
  step: (state, operation) => REGISTER.step(state === EMPTY ? null : state, operation),
  equal: (one, other) => one === other,
  isRead: (operation) => REGISTER.isRead(operation),
};

interface KeyValueOperation {
  readonly kind: "get" | "put" | "append";
  readonly key: string;
  readonly value: string;
}

const TEXTS: Model<string, KeyValueOperation> = {
  init: "",
  step(state, { kind, value }) {
    if (kind === "get") return value === state ? state : null;
    return kind === "put" ? value : state + value;
  },
  equal: (one, other) => one === other,
  isRead: ({ kind }) => kind === "get",
};

function seen<T>(operation: T, invoked: number, returned: number): Observed<T> {
  return { operation, invoked, returned };
}

describe("small histories", () => {
  const write = (value: number, invoked: number, returned: number) =>
    seen<RegisterOperation>({ kind: "write", value }, invoked, returned);
  const read = (value: number | null, invoked: number, returned: number) =>
    seen<RegisterOperation>({ kind: "read", value }, invoked, returned);

  test.each<[string, Observed<RegisterOperation>[], boolean]>([
    ["nothing happened", [], true],
    ["one after the other", [write(1, 0, 1), read(1, 2, 3)], true],
    ["a read of what was never written", [write(1, 0, 1), read(2, 2, 3)], false],
    ["a read of what was overwritten before", [write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)], false],
    ["a read during a write sees the old", [write(1, 0, 1), write(2, 2, 6), read(1, 3, 4)], true],
    ["or the new", [write(1, 0, 1), write(2, 2, 6), read(2, 3, 4)], true],
    ["but not the old after the new", [write(1, 0, 1), write(2, 2, 9), read(2, 3, 4), read(1, 5, 6)], false],
    ["a write that never returned may have happened", [write(1, 0, Infinity), read(1, 5, 6)], true],
    ["or not", [write(1, 0, Infinity), read(null, 5, 6)], true],
    [
      "a write of what is there already may have happened later",
      [write(2, 0, 1), write(2, 2, 9), write(3, 3, 4), read(2, 5, 6)],
      true,
    ],
    ["or only later", [write(1, 0, Infinity), read(null, 1, 2), read(1, 3, 4)], true],
    ["but not be undone", [write(1, 0, Infinity), read(1, 1, 2), read(null, 3, 4)], false],
  ])("%s", (_, history, expected) => {
    expect(isLinearizable(REGISTER_FROM_EMPTY, history)).toBe(expected);
  });
});

// What nobody here wrote: histories with known verdicts, beside the checkout or where the variable says.
const FOLDER = process.env["RELAYKEY_CORPORA"] ?? join(import.meta.dirname, "../../../../shared/corpora");
const PORCUPINE = join(FOLDER, "porcupine");
const here = existsSync(PORCUPINE);

describe.runIf(here)("porcupine's histories", () => {
  const verdicts = here
    ? (JSON.parse(readFileSync(join(PORCUPINE, "verdicts.json"), "utf8")) as Record<string, boolean>)
    : {};

  test.each(Object.entries(verdicts))(
    "%s: %s",
    (file, expected) => {
      const text = readFileSync(join(PORCUPINE, "test_data", file), "utf8");
      const verdict = file.startsWith("jepsen/")
        ? isLinearizable(REGISTER_FROM_EMPTY, readJepsen(text))
        : partition(readKeyValue(text), ({ key }) => key).every((part) => isLinearizable(TEXTS, part));
      expect(verdict).toBe(expected);
    },
    60_000,
  );
});

if (!here) test.skip("skipped: porcupine's histories are not here (RELAYKEY_CORPORA)");

/** `INFO  jepsen.util - 2	:invoke	:cas	[3 0]` */
function readJepsen(text: string): Observed<RegisterOperation>[] {
  const history: Observed<RegisterOperation>[] = [];
  const open = new Map<string, { invoked: number; kind: string; value: string }>();
  for (const [at, line] of text.split("\n").entries()) {
    const match = /- (\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(.*)$/.exec(line);
    if (match === null) continue;
    const [, process = "", type, kind = "", value = ""] = match;
    if (type === "invoke") {
      open.set(process, { invoked: at, kind, value });
      continue;
    }
    const call = open.get(process);
    if (call === undefined) continue;
    open.delete(process);
    // A read that failed says nothing; a read or write that timed out may or may not have happened.
    const operation = jepsenOperation(kind, type === "ok" ? value : call.value, type ?? "");
    if (operation !== null) history.push(seen(operation, call.invoked, type === "info" ? Infinity : at));
  }
  // What was still under way at the end may have happened, too.
  for (const { invoked, kind, value } of open.values()) {
    const operation = jepsenOperation(kind, value, "info");
    if (operation !== null) history.push(seen(operation, invoked, Infinity));
  }
  return history;
}

function jepsenOperation(kind: string, value: string, type: string): RegisterOperation | null {
  if (kind === "read") {
    if (type !== "ok") return null;
    return { kind: "read", value: value === "nil" ? null : Number(value) };
  }
  if (kind === "write") return { kind: "write", value: Number(value) };
  const [from = NaN, to = NaN] = value.replace(/[[\]]/g, "").split(" ").map(Number);
  return { kind: "cas", from, to, done: type === "info" ? null : type === "ok" };
}

/** `{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}` */
function readKeyValue(text: string): Observed<KeyValueOperation>[] {
  const history: Observed<KeyValueOperation>[] = [];
  const open = new Map<string, { invoked: number; value: string }>();
  for (const [at, line] of text.split("\n").entries()) {
    const match = /:process (\d+), :type :(\w+), :f :(\w+), :key "(.*)", :value (?:nil|"(.*)")\}/.exec(line);
    if (match === null) continue;
    const [, process = "", type, kind = "", key = "", value = ""] = match;
    if (type === "invoke") {
      open.set(process, { invoked: at, value });
      continue;
    }
    const call = open.get(process);
    open.delete(process);
    const operation = {
      kind: kind as KeyValueOperation["kind"],
      key,
      value: kind === "get" ? value : (call?.value ?? ""),
    };
    history.push(seen(operation, call?.invoked ?? at, at));
  }
  return history;
}
