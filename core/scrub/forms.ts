import { concatBytes, toBase64Url, toHex, utf8 } from "../bytes.ts";

/**
 * The ways to spell one step of a secret, as byte strings (one character per byte). The empty one says that the step
 * may be left out.
 */
export type Unit = readonly string[];

/** A secret, step by step: any spelling of its first unit, then any of its second, and so on, is an occurrence. */
export type Form = readonly Unit[];

/** Shorter secrets are not looked for: they occur by chance, and taking them out would corrupt ordinary data. */
export const MIN_SECRET_BYTES = 8;

/**
 * Everything that is looked for. Units spell independently, so that encoders need not be known one by one: a text of
 * which only some characters are percent-encoded, others JSON-escaped, in either hexadecimal case, is found as well.
 *
 * @param parts the vendor key, and what was made of it to be sent, such as "user:key" of a Basic credential.
 */
export function secretForms(parts: readonly string[]): readonly Form[] {
  return [...new Set(parts)].flatMap((part) => {
    const bytes = utf8(part);
    if (bytes.length < MIN_SECRET_BYTES) return [];
    return [
      Array.from(part, character),
      hexForm(bytes),
      // Three, because the secret may begin at any of the three bytes that share four base64 digits.
      ...[0, 1, 2].map((offset) => base64Form(bytes, offset)),
    ];
  });
}

/** Hexadecimal in either case; bytes may stand apart (`xxd`, fingerprints, Node's inspection of a Buffer). */
function hexForm(bytes: Uint8Array): Form {
  return Array.from(toHex(bytes), (digit, index) => {
    const unit = once(`hex ${digit}`, () => [digit, digit.toUpperCase()]);
    return index > 0 && index % 2 === 0 ? [HEX_GAP, unit] : [unit];
  }).flat();
}

/**
 * The base64 digits (RFC 4648 §4 and §5, also mixed) that depend on the secret alone when `offset` bytes come before it
 * in its group of three. What follows the secret decides on the last digit: it is taken where nothing follows.
 */
function base64Form(bytes: Uint8Array, offset: number): Form {
  const digits = toBase64Url(concatBytes(new Uint8Array(offset), bytes));
  const first = Math.ceil((offset * 8) / 6);
  const end = Math.floor(((offset + bytes.length) * 8) / 6);
  const form = Array.from(digits.slice(first, end), (digit, index) =>
    index >= UNBROKEN_DIGITS ? [BASE64_GAP, base64Digit(digit)] : [base64Digit(digit)],
  ).flat();
  return end < digits.length ? [...form, ["", ...base64Digit(digits.charAt(end))]] : form;
}

function base64Digit(digit: string): Unit {
  if (digit !== "-" && digit !== "_") return once(`base64 ${digit}`, () => [digit]);
  return once(`base64 ${digit}`, () => [...character(digit), ...character(digit === "-" ? "+" : "/")]);
}

/** What may stand between two bytes in hexadecimal. */
const HEX_GAP: Unit = ["", " ", ":", "-"];
/** So that the end of an ordinary line is not held back because its last letter could begin a base64 text. */
const UNBROKEN_DIGITS = 3;
/** Encoders of the MIME kind break lines after 60, 64 or 76 digits. */
const BASE64_GAP: Unit = ["", "\n", "\r\n", "\\n", "\\r\\n", "%0A", "%0D%0A", "%0a", "%0d%0a"];

/** A text in a JSON string in a JSON string … doubles its backslashes at each level, and adds one for an escape. */
const BACKSLASHES = Array.from({ length: 8 }, (_, index) => "\\".repeat(index + 1));
/** Percent-encoded once, twice, three times. */
const PERCENTS = ["%", "%25", "%2525"];
const AMPERSANDS = ["&", "&amp;", "&amp;amp;"];
const ZEROS = ["", "0", "00"];

/** Escapes of JSON (RFC 8259 §7) that are not the character itself after a backslash. */
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\b": "b",
  "\t": "t",
  "\n": "n",
  "\f": "f",
  "\r": "r",
};

/** HTML's names of the punctuation that keys are made of. */
const ENTITIES: Readonly<Record<string, string>> = {
  '"': "quot",
  "&": "amp",
  "'": "apos",
  "+": "plus",
  ".": "period",
  "/": "sol",
  ":": "colon",
  "<": "lt",
  "=": "equals",
  ">": "gt",
  _: "lowbar",
};

/** Every spelling of one character of a text. */
function character(char: string): Unit {
  return once(`text ${char}`, () => {
    const bytes = utf8(char);
    const code = char.codePointAt(0) ?? 0;
    const units = Array.from({ length: char.length }, (_, at) => hex(char.charCodeAt(at), 4)).join("");
    return [
      Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""),
      // Form encoding (WHATWG URL §5.2).
      ...(char === " " ? ["+"] : []),
      ...PERCENTS.flatMap((prefix) => escaped(toHex(bytes), 2, prefix)),
      ...BACKSLASHES.flatMap((prefix) => [
        ...escaped(units, 4, `${prefix}u`),
        ...escaped(toHex(bytes), 2, `${prefix}x`),
        ...shortEscape(char).map((letter) => prefix + letter),
      ]),
      ...AMPERSANDS.flatMap((prefix) => [
        ...(ENTITIES[char] === undefined ? [] : [`${prefix}${ENTITIES[char]};`]),
        ...ZEROS.flatMap((zeros) => [
          `${prefix}#${zeros}${code.toString()};`,
          ...casings(hex(code, 1)).flatMap((digits) => [
            `${prefix}#x${zeros}${digits};`,
            `${prefix}#X${zeros}${digits};`,
          ]),
        ]),
      ]),
    ];
  });
}

/** What follows a backslash: JSON's letter for a control, and punctuation itself (`\/`, `\"`, also shells' `\$`). */
function shortEscape(char: string): string[] {
  const letter = SHORT_ESCAPES[char];
  if (letter !== undefined) return [letter];
  return /^[!-/:-@[-`{-~]$/.test(char) ? [char] : [];
}

/** Puts the prefix before each group of hexadecimal digits. */
function escaped(digits: string, group: number, prefix: string): string[] {
  const groups = new RegExp(`.{${group.toString()}}`, "g");
  return casings(digits).map((text) => text.replace(groups, (match) => prefix + match));
}

/** An encoder does not change its mind about the case inside one character. */
function casings(digits: string): string[] {
  const upper = digits.toUpperCase();
  return upper === digits ? [digits] : [digits, upper];
}

function hex(value: number, length: number): string {
  return value.toString(16).padStart(length, "0");
}

/**
 * Units of ASCII are made once for all secrets: two equal ones are the same object. They say nothing about any secret;
 * others are rare, and are not kept.
 */
function once(name: string, make: () => Unit): Unit {
  const known = units.get(name);
  if (known !== undefined) return known;
  const unit = make();
  // eslint-disable-next-line no-control-regex -- ASCII is what is meant
  if (/^[\u0000-\u007f]*$/.test(name)) units.set(name, unit);
  return unit;
}

const units = new Map<string, Unit>();
