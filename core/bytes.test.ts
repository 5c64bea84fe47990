import fc from "fast-check";
import { expect, test } from "vitest";
import { equalBytes, fromBase64Url, fromHex, fromUtf8, toBase64Url, toHex, utf8 } from "./bytes.ts";

const bytes = fc.uint8Array({ maxLength: 100 });

test("hex and base64url round-trip", () => {
  fc.assert(
    fc.property(bytes, (value) => {
      expect(fromHex(toHex(value))).toEqual(value);
      expect(fromBase64Url(toBase64Url(value))).toEqual(value);
    }),
  );
});

test.each(["AA==", "A", "AB", "A+", "A/", "AA\n"])(
  "base64url %j has another spelling and is refused",
  (text) => {
    expect(fromBase64Url(text)).toBeNull();
  },
);

test.each(["A", "0g", "AB", "ab "])("hex %j is refused", (text) => {
  expect(fromHex(text)).toBeNull();
});

test("UTF-8 that is not well-formed is refused", () => {
  expect(fromUtf8(Uint8Array.of(0xc0, 0xaf))).toBeNull();
  expect(fromUtf8(utf8("漢"))).toBe("漢");
});

test("equality of bytes", () => {
  expect(equalBytes(utf8("abc"), utf8("abc"))).toBe(true);
  expect(equalBytes(utf8("abc"), utf8("abd"))).toBe(false);
  expect(equalBytes(utf8("abc"), utf8("ab"))).toBe(false);
});
