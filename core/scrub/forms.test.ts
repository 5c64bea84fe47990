import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex, utf8 } from "../bytes.ts";
import { MIN_SECRET_BYTES, secretForms } from "./forms.ts";
import { SecretMatcher } from "./matcher.ts";
import { createScrubber, REDACTED, scrubText } from "./scrubber.ts";

const KEY = `sk-proj_A9/b+c=d&e'f"g<h>i:j.k l%m\\n`;
const secret = fc.oneof(
  fc.string({ unit: "grapheme-ascii", minLength: 8, maxLength: 60 }),
  fc.string({ unit: "binary", minLength: 8, maxLength: 20 }),
  fc.constant(KEY),
);

const percentEach = (text: string): string => toHex(utf8(text)).replace(/../g, "%$&");
const jsonInner = (text: string): string => JSON.stringify(text).slice(1, -1);
const hex4 = (text: string): string => text.charCodeAt(0).toString(16).padStart(4, "0");
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const base64url = (text: string): string => Buffer.from(text).toString("base64url");
const codePoint = (text: string): number => text.codePointAt(0) ?? 0;
const phpHtml: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#039;",
};

/** What vendors' frameworks do to a text on its way into a response. */
const ENCODERS: readonly (readonly [string, (text: string) => string])[] = [
  ["raw", (text) => text],
  ["encodeURIComponent", encodeURIComponent],
  [
    "encodeURIComponent, lower case",
    (text) => encodeURIComponent(text).replace(/%../g, (m) => m.toLowerCase()),
  ],
  ["encodeURI", encodeURI],
  ["form-urlencoded", (text) => new URLSearchParams({ a: text }).toString().slice(2)],
  ["percent-encoded whole", percentEach],
  ["percent-encoded whole, upper case", (text) => percentEach(text).toUpperCase()],
  ["percent-encoded twice", (text) => encodeURIComponent(encodeURIComponent(text))],
  ["percent-encoded thrice", (text) => [1, 2, 3].reduce((value) => encodeURIComponent(value), text)],
  ["JSON", jsonInner],
  ["JSON in JSON", (text) => jsonInner(jsonInner(text))],
  ["JSON in JSON in JSON", (text) => jsonInner(jsonInner(jsonInner(text)))],
  ["JSON by PHP", (text) => jsonInner(text).replaceAll("/", "\\/")],
  ["JSON by PHP in JSON by PHP", (text) => jsonInner(jsonInner(text).replaceAll("/", "\\/"))],
  ["JSON by Python", (text) => jsonInner(text).replace(/[\u007f-\uffff]/g, (m) => `\\u${hex4(m)}`)],
  ["JSON by Go, .NET", (text) => text.replace(/[^A-Za-z0-9]/g, (m) => `\\u${hex4(m)}`)],
  [
    "JSON by Go, .NET, upper case",
    (text) => text.replace(/[^A-Za-z0-9]/g, (m) => `\\u${hex4(m).toUpperCase()}`),
  ],
  ["\\u escapes throughout", (text) => text.replace(/[^]/g, (m) => `\\u${hex4(m)}`)],
  ["bytes by Python", (text) => toHex(utf8(text)).replace(/../g, "\\x$&")],
  ["percent-encoded in JSON", (text) => jsonInner(encodeURIComponent(text))],
  ["HTML by PHP", (text) => text.replace(/[&<>"']/g, (m) => phpHtml[m] ?? m)],
  ["HTML by Python", (text) => text.replace(/[&<>"']/g, (m) => (m === "'" ? "&#x27;" : (phpHtml[m] ?? m)))],
  ["HTML, twice", (text) => [1, 2].reduce((v) => v.replace(/[&<>"']/g, (m) => phpHtml[m] ?? m), text)],
  ["HTML, decimal", (text) => Array.from(text, (m) => `&#${String(codePoint(m))};`).join("")],
  ["HTML, hexadecimal", (text) => Array.from(text, (m) => `&#x${codePoint(m).toString(16)};`).join("")],
  [
    "HTML, hexadecimal, upper case",
    (text) => Array.from(text, (m) => `&#X${codePoint(m).toString(16).toUpperCase()};`).join(""),
  ],
  ["hexadecimal", (text) => toHex(utf8(text))],
  ["hexadecimal, upper case", (text) => toHex(utf8(text)).toUpperCase()],
  ["hexadecimal, apart", (text) => toHex(utf8(text)).replace(/..(?=.)/g, "$& ")],
  ["hexadecimal, colons", (text) => toHex(utf8(text)).replace(/..(?=.)/g, "$&:")],
  ["base64url", base64url],
  ["base64, unpadded", (text) => base64(text).replace(/=+$/, "")],
  ["base64 by PHP in JSON", (text) => base64(text).replace(/=+$/, "").replaceAll("/", "\\/")],
  [
    "base64 in JSON, percent-encoded, HTML",
    (text) => base64(text).replace(/=+$/, "").replaceAll("+", "%2B").replaceAll("/", "&#x2F;"),
  ],
  [
    "base64 in lines",
    (text) =>
      base64(text)
        .replace(/=+$/, "")
        .replace(/.{20}(?=.)/g, "$&\r\n"),
  ],
];

describe("G4 every spelling of the vendor key is found", () => {
  test.each(ENCODERS)("%s", (_, encode) => {
    fc.assert(
      fc.property(secret, (value) => {
        const matcher = new SecretMatcher([value]);
        // The marks around it are part of no spelling, so nothing else may be gone.
        expect(scrubText(matcher, `\u0001${encode(value)}\u0002`)).toBe(`\u0001${REDACTED}\u0002`);
      }),
    );
  });

  test("any mixture of spellings, character by character", () => {
    const encoders = ENCODERS.slice(
      0,
      ENCODERS.findIndex(([name]) => name === "hexadecimal"),
    );
    const choices = fc.array(fc.nat(), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(secret, choices, (value, picks) => {
        const text = Array.from(value, (char, at) => {
          const [, encode] = encoders[(picks[at] ?? 0) % encoders.length] ?? [];
          return encode?.(char) ?? char;
        }).join("");
        expect(scrubText(new SecretMatcher([value]), `\u0001${text}\u0002`)).toBe(`\u0001${REDACTED}\u0002`);
      }),
    );
  });

  test("base64 broken anywhere but in its first three digits", () => {
    const [, encode] = ENCODERS.find(([name]) => name === "base64, unpadded") ?? [];
    const digits = encode?.(KEY) ?? "";
    for (let at = 3; at < digits.length; at += 1) {
      const text = `${digits.slice(0, at)}\n${digits.slice(at)}`;
      expect([at, scrubText(new SecretMatcher([KEY]), text)]).toEqual([at, REDACTED]);
    }
  });

  test("base64 of a text around the key, at each alignment", () => {
    const around = fc.string({ unit: "grapheme-ascii", maxLength: 7 });
    fc.assert(
      fc.property(secret, around, around, (value, before, after) => {
        const encoded = base64(before + value + after);
        const [head = "", tail, ...more] = scrubText(new SecretMatcher([value]), encoded).split(REDACTED);
        expect(more).toEqual([]);
        // All that is left are the digits that hold at least one bit of a neighbour.
        expect(head).toBe(encoded.slice(0, Math.ceil((before.length * 4) / 3)));
        const end = Math.floor(((before.length + utf8(value).length) * 4) / 3);
        expect([encoded.slice(end), encoded.slice(end + 1)]).toContain(tail);
      }),
    );
  });

  test("what was made of the key to be sent is found whole", () => {
    const matcher = new SecretMatcher([KEY, `api-user:${KEY}`]);
    expect(scrubText(matcher, `Basic ${base64(`api-user:${KEY}`)}`)).toMatch(
      /^Basic \[relaykey:redacted\]={0,2}$/,
    );
    expect(scrubText(matcher, `for api-user:${KEY}.`)).toBe(`for ${REDACTED}.`);
    expect(scrubText(matcher, `for other-user:${KEY}.`)).toBe(`for other-user:${REDACTED}.`);
  });
});

test("JSON stays JSON, also inside JSON", () => {
  // A key that ends in a backslash would take the escape of what follows along.
  const value = fc
    .string({ unit: "grapheme-ascii", minLength: 8, maxLength: 30 })
    .filter((text) => !text.endsWith("\\"));
  fc.assert(
    fc.property(value, fc.string(), fc.nat({ max: 2 }), (text, around, depth) => {
      // Ends with a mark, so that no escape of the surroundings touches the key.
      let json = JSON.stringify({ error: { message: `${around} ${text} "${around}"` } });
      for (let level = 0; level < depth; level += 1) json = JSON.stringify({ json });
      let scrubbed: unknown = JSON.parse(scrubText(new SecretMatcher([text]), json));
      for (let level = 0; level < depth; level += 1) {
        scrubbed = JSON.parse((scrubbed as { json: string }).json);
      }
      expect((scrubbed as { error: { message: string } }).error.message).toContain(REDACTED);
    }),
  );
});

test("a key of few bytes is not looked for, one of more characters' worth of bytes is", () => {
  expect(secretForms(["k".repeat(MIN_SECRET_BYTES - 1)])).toEqual([]);
  expect(secretForms(["é".repeat(MIN_SECRET_BYTES / 2)])).not.toEqual([]);
  expect(scrubText(new SecretMatcher(["1234567"]), "1234567")).toBe("1234567");
  expect(scrubText(new SecretMatcher([""]), "")).toBe("");
  expect(scrubText(new SecretMatcher([]), "text")).toBe("text");
});

test("near misses are left alone", () => {
  const matcher = new SecretMatcher(["sk-live_0123456789"]);
  for (const text of [
    "sk-live_012345678",
    "k-live_0123456789",
    "SK-LIVE_0123456789",
    "sk-live_01234567%3",
    "sk-live_0123456\\u003",
    "sk-live\\_012345678",
    "sk-live_01234 56789",
    "%73k-live_01234567&#5;9",
  ]) {
    expect(scrubText(matcher, text)).toBe(text);
  }
});

test("a header's value that shows UTF-8 byte by byte", () => {
  const matcher = new SecretMatcher(["schlüssel-漢字"]);
  const bytewise = Array.from(utf8("schlüssel-漢字"), (byte) => String.fromCharCode(byte)).join("");
  expect(scrubText(matcher, `é=${bytewise};`)).toBe(`é=${REDACTED};`);
  expect(scrubText(matcher, "é=schlüssel-漢字;")).toBe(`é=${REDACTED};`);
  expect(scrubText(matcher, "漢=schlüssel-漢字;")).toBe(`漢=${REDACTED};`);
  expect(scrubText(matcher, "lone \ud800 surrogate")).toBe("lone \ud800 surrogate");
});

test("neither JSON nor an inspection of the matcher shows the key", async () => {
  const { inspect } = await import("node:util");
  const matcher = new SecretMatcher(["sk-live_0123456789"]);
  scrubText(matcher, "sk-live_0123456789");
  expect(JSON.stringify(matcher)).toBe("{}");
  expect(inspect(matcher, { depth: 9 })).toBe("SecretMatcher {}");
  expect(inspect(createScrubber(matcher), { depth: 9, showHidden: true })).not.toContain("live");
});
