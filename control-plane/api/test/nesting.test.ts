import { expect, test } from "vitest";
import { MAX_DEPTH, isNestedTooDeep } from "../nesting.ts";

function lists(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

test.each([
  ["a text", '"x"', false],
  ["as deep as may be", lists(MAX_DEPTH), false],
  ["one too many", lists(MAX_DEPTH + 1), true],
  ["objects", '{"a":'.repeat(MAX_DEPTH + 1) + "1" + "}".repeat(MAX_DEPTH + 1), true],
  ["as deep as a body can be", lists(120_000), true],
  ["wide", JSON.stringify(Array.from({ length: 20_000 }, () => [{}])), false],
])("%s", (_, text, expected) => {
  expect(isNestedTooDeep(JSON.parse(text))).toBe(expected);
});
