import fc from "fast-check";
import { expect, test } from "vitest";
import { duplicateName } from "../duplicate-names.ts";

test.each([
  ['{"a":1,"a":2}', "a"],
  ['{"a":{"b":1},"c":{"b":1,"d":[{"x":0},{"x":0,"x":1}]}}', "c.d.1.x"],
  ['{"a":"\\"a\\":1,","b":2}', null],
  ['{"a":1,"\\u0061":2}', "a"],
  ['{"":1,"b":2}', null],
  ['{"a":"a","b":"a"}', null],
  ['["a","a"]', null],
  ['{"a":[1,2,{"b":"x"}],"b":3}', null],
])("%s: %j", (text, expected) => {
  expect(duplicateName(text)).toBe(expected);
});

test("what was made from objects has none; a member said twice is found wherever it is", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ minLength: 1 }), (value, name) => {
      const text = JSON.stringify(value);
      expect(duplicateName(text)).toBeNull();
      const key = JSON.stringify(name);
      expect(duplicateName(`{"deep":[${text},{${key}:${text},${key}:${text}}]}`)).toBe(`deep.1.${name}`);
    }),
  );
});
