/** Spellings of ".." that some decoder, normaliser or file system has understood, and near misses of them. */
const DOTS = [
  "..",
  "%2e%2e",
  "%2E%2e",
  ".%2e",
  "%2E.",
  "%252e%252e",
  "%25%32%65%25%32%65",
  "%%32%65%%32%65",
  "%2%65%2%65",
  "%c0%ae%c0%ae",
  "%c0%2e%c0%2e",
  "%e0%80%ae%e0%80%ae",
  "%f0%80%80%ae%f0%80%80%ae",
  "%u002e%u002e",
  "%25u002e%25u002e",
  "%uff0e%uff0e",
  "%ef%bc%8e%ef%bc%8e",
  "%e2%80%a4%e2%80%a4",
  "%e2%80%a5",
  "%ef%b9%92%ef%b9%92",
  "%ef%bc%852e%ef%bc%852e",
  "..;",
  "..%3b",
  "..%ef%bc%9b",
  "..%cd%be",
  "..;a=b",
  "..%00",
  "..%20",
  "%20..",
  ".%20.",
  "..%09",
  "..%0a",
  "..%0d%0a",
  "..%c2%85",
  "..%c2%a0",
  ".%e2%80%8b.",
  "..%ef%bb%bf",
  ".%c2%ad.",
  "..%ff",
  "..%23",
  "..%3f",
  ".%00.",
  "..%01",
  "..%e2%80%ae",
  "...%20",
] as const;

/** Spellings of "/" of the same kinds. */
const SLASHES = [
  "/",
  "%2f",
  "%2F",
  "\\",
  "%5c",
  "%252f",
  "%255c",
  "%25%32%66",
  "%%32%66",
  "%c0%af",
  "%e0%80%af",
  "%c1%9c",
  "%ef%bc%8f",
  "%ef%bc%bc",
  "%ef%b9%a8",
  "%ef%bc%852f",
  "%e2%88%95",
  "%e2%81%84",
  "%e2%88%96",
  "%u2215",
  "%u2216",
  "%25u2215",
  "//",
  "/./",
  "/%2e/",
  ";/",
  "%00/",
  "%0a/",
  "%20/",
] as const;

/** Ways out of `/v1/allowed/` towards `/v1/secret/x`: every spelling of ".." with every spelling of "/". */
export function escapes(): string[] {
  const targets = new Set<string>();
  for (const dots of DOTS) {
    for (const slash of SLASHES) {
      targets.add(`/v1/allowed/${dots}${slash}secret/x`);
      if (slash !== "/") targets.add(`/v1/allowed/sub${slash}${dots}${slash}${dots}${slash}secret${slash}x`);
    }
    targets.add(`/v1/allowed/${dots}`);
    targets.add(`/v1/allowed/${dots}/`);
    targets.add(`/v1/allowed/sub/${dots}/${dots}/secret/x`);
    targets.add(`/v1/${dots}/v1/allowed/${dots}/secret/x`);
  }
  for (const slash of SLASHES) {
    targets.add(`/v1/allowed${slash}..${slash}secret${slash}x`);
    targets.add(`/v1/allowed/${slash}v1${slash}secret${slash}x`);
    targets.add(`/v1/secret${slash}x${slash}..${slash}..${slash}allowed${slash}ok`);
  }
  return [...targets];
}

/** Paths that must be refused, by class. Latin-1: one character, one byte. */
export const REFUSED_PATHS: Readonly<Record<string, readonly string[]>> = {
  "dot segments": ["/..", "/.", "/a/../b", "/a/./b", "/a/..", "/a/.", "/../", "/./"],
  "dot segments, encoded": ["/%2e%2e/b", "/%2E./b", "/.%2e", "/a/%2e", "/a/%2E%2E/"],
  "dot segments, encoded twice or in pieces": [
    "/%252e%252e",
    "/%25%32%65%25%32%65",
    "/%%32%65%%32%65",
    "/%2%65%2%65",
    "/%25252e%25252e",
    "/%ef%bc%852e%ef%bc%852e",
  ],
  "dot segments and slashes, overlong": [
    "/%c0%ae%c0%ae",
    "/%e0%80%ae%e0%80%ae",
    "/%f0%80%80%ae%f0%80%80%ae",
    "/%f8%80%80%80%ae",
    "/a%c0%afb",
    "/a%e0%80%afb",
    "/a%c1%9cb",
  ],
  "dot segments with what file systems drop": [
    "/a/..%20/b",
    "/a/%20../b",
    "/a/.%20./b",
    "/a/..%c2%a0/b",
    "/a/.%e2%80%8b./b",
    "/a/..%ef%bb%bf/b",
    "/a/.%c2%ad./b",
    "/a/...%20/b",
    "/a/%20/b",
    "/a/%e2%80%8b/b",
  ],
  "dot segments in front of an encoded ? or #": ["/a/..%23/b", "/a/..%3f/b", "/a/.%3Fx", "/a/%2e%2e%23x"],
  "encoded slashes": ["/a%2fb", "/a%2Fb", "/%2f", "/a%2f", "/%2fa"],
  backslashes: ["/a\\b", "/\\a", "/a%5cb", "/a%5C", "/..%5c..%5cb", "\\a"],
  "empty segments": ["//", "//a", "/a//b", "/a//", "///"],
  "NUL and controls": [
    "/a%00",
    "/a%00.txt",
    "/a%0a",
    "/a%0d%0ab",
    "/a%09b",
    "/a%1f",
    "/a%7f",
    "/a%c2%80",
    "/a%c2%85",
    "/a\0",
    "/a\tb",
    "/a\nb",
    "/a\rb",
    "/a b",
    "/a\x7f",
  ],
  "invalid UTF-8": ["/%ff", "/%80", "/%c3", "/%c3%28", "/%ed%a0%80", "/%f4%90%80%80", "/a%fe%ff"],
  parameters: ["/a;b", "/a;jsessionid=1", "/..;/b", "/a/;/b", "/a%3bb", "/a%ef%bc%9bb", "/a%cd%beb"],
  "fragments and queries inside the path": ["/a#b", "/a?b", "/#", "/a/#/../b"],
  "full-width and look-alike dots": [
    "/%ef%bc%8e%ef%bc%8e",
    "/%e2%80%a4%e2%80%a4",
    "/%e2%80%a5",
    "/%ef%b9%92",
  ],
  "full-width and look-alike slashes": [
    "/a%ef%bc%8fb",
    "/a%ef%bc%bcb",
    "/a%ef%b9%a8b",
    "/a%e2%88%95b",
    "/a%e2%81%84b",
    "/a%e2%88%96b",
    "/a%e2%84%80b",
  ],
  "malformed escapes": ["/%", "/%2", "/%zz", "/a%2g", "/%u002e", "/%25u002e", "/%u2215"],
  "characters that a parser rewrites": ['/a"b', "/a<b", "/a>b", "/a`b", "/a{b}", "/a^b", "/a|b", "/a[b]"],
  "raw bytes above ASCII": ["/\xe9", "/\xc3\xa9", "/\xc0\xae", "/\uff0e\uff0e", "/\u2215", "/漢"],
  "other forms of a target": ["", "*", "a", "http://h/a", "https:/a", "h:443", "?a", "#a", ".", ".."],
  "very long": [`/${"a".repeat(16_384)}`, `/${"a/".repeat(8_192)}`, `/${"%61".repeat(5_462)}`],
};

/** Queries that must be refused, by class. */
export const REFUSED_QUERIES: Readonly<Record<string, readonly string[]>> = {
  "raw characters that a parser rewrites": ['a="', "a=<", "a=>", "a b", "a=\u00e9", "a='", "a=\\", "a#b"],
  controls: ["a=\0", "a=\t", "a=\n", "a=\r\nX: y", "a=\x7f", "a=%00", "%00"],
  "malformed escapes": ["a=%", "a=%2", "a=%zz", "a=%u002e"],
  "another method": [
    "_method=DELETE",
    "a=1&_method=DELETE",
    "a=1;_method=DELETE",
    "_METHOD=delete",
    "%5fmethod=DELETE",
    "_%6dethod=DELETE",
    ".method=DELETE",
    "+_method=DELETE",
    "%20_method=DELETE",
    "[method=DELETE",
    "_method[]=DELETE",
    "_HttpMethod=PATCH",
    "$httpMethod=DELETE",
    "%24httpMethod=DELETE",
    "X-HTTP-Method-Override=PUT",
    "x-http-method=PUT",
    "x-method-override=PUT",
    "_method",
  ],
};

/** Queries that are odd, mean one thing as bytes, and go on unchanged. */
export const ODD_QUERIES = [
  "a=1;b=2",
  "a=1&a=2",
  "a=+&b=%2B",
  "a=%26b%3D1",
  "a[]=1&a[]=2",
  "a[b][c]=1",
  "a%5B%5D=1",
  "a==b",
  "=",
  "&",
  "&&a",
  "a&b",
  "?",
  "a=/../b",
  "a=//x",
  "a=%2e%2e%2f",
  "a=http://h:80/x?y",
  "a=%0d%0a",
  "a=%FF",
  "a=%25",
  "a=%252e",
  "x|y={1}`^~",
  "method=card",
  "shipping_method=air",
] as const;

/** A repeatable stream of numbers below `limit` (mulberry32). */
export function sequence(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const PIECES = [
  ...DOTS,
  ...SLASHES,
  ...[
    "/",
    "/",
    "a",
    "v1",
    "%61",
    "%c3%a9",
    "%20",
    "%25",
    "%",
    "%2",
    "%u",
    "é",
    "?",
    "#",
    ":",
    "@",
    "~",
    "'",
    "+",
  ],
  ...["%e6%bc%a2", "%f0%9f%98%80", "\u0000", "\t", " ", "*", "C:", "|"],
];

/** Random paths out of all the pieces above. */
export function randomPaths(seed: number, count: number): string[] {
  const below = sequence(seed);
  return Array.from({ length: count }, () => {
    const pieces = Array.from({ length: 1 + below(7) }, () => PIECES[below(PIECES.length)] ?? "");
    return `/${pieces.join("")}`;
  });
}
