import { expect, test } from "vitest";
import { readLifetime } from "./policy-options.ts";

test.each([
  [undefined, {}],
  ["7d", { expires_in: "7d" }],
  ["2027-01-31T12:00:00Z", { expires_at: "2027-01-31T12:00:00Z" }],
  ["none", { expires_at: null }],
])("a lifetime of %s", (text, members) => {
  expect(readLifetime(text)).toEqual(members);
});

test.each(["tomorrow", "2 weeks", "7", "99999d", ""])(
  "%j is no lifetime: all that is one is named",
  (text) => {
    expect(() => readLifetime(text)).toThrow(/such as 7d.*2027-01-31T12:00:00Z.*none/);
  },
);
