import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTarget } from "./target.ts";

const strict = { allowEncodedSlash: false };

describe("what two parsers could read differently is refused", () => {
  test.each([
    ["dot segments", ["/a/../b", "/a/./b", "/..", "/.", "/a/..", "/%2e%2e/b", "/%2E./b", "/.%2e", "/a/%2e"]],
    [
      "dots with white space",
      ["/a/%20../b", "/a/..%20/b", "/a/.%09", "/a/.%20./b", "/a/...%20/b", "/a/%20/b"],
    ],
    ["dots with characters of no shape", ["/a/.%e2%80%8b./b", "/a/..%ef%bb%bf/b", "/a/.%c2%ad./b"]],
    ["dots in front of an encoded ? or #", ["/a/..%23/b", "/a/.%3fx"]],
    ["encoded slash and backslash", ["/a%2fb", "/a%2Fb", "/a%5cb", "/a%5C..%5Cb", "/a\\b"]],
    ["double encoding", ["/a%252fb", "/%252e%252e", "/a%25%32%66", "/%25u002e", "/%ef%bc%852e"]],
    ["controls", ["/a%00", "/a%0a", "/a%0d%0ab", "/a%7f", "/a%c2%85", "/a\tb", "/a b", "/a\u0000"]],
    [
      "invalid or overlong UTF-8",
      ["/%c0%af", "/%c0%ae%c0%ae", "/%ff", "/%e0%80%af", "/%ed%a0%80", "/%f8%88%80%80%af"],
    ],
    ["empty segments", ["//", "//a", "/a//b", "/a//"]],
    ["parameters", ["/a;b", "/a;jsessionid=1", "/..;/b", "/a%3bb", "/a%ef%bc%9bb", "/a%cd%beb"]],
    ["malformed escapes", ["/%", "/%2", "/%zz", "/a%2g", "/%u002e"]],
    ["fragments and queries inside the path", ["/a#b", "/a?b"]],
    ["characters that a parser rewrites", [`/a"b`, "/a<b", "/a`b", "/a{b}", "/a^b", "/a|b", "/é", "/a[b]"]],
    ["compatibility forms", ["/%ef%bc%8e%ef%bc%8e", "/a%ef%bc%8fb", "/a%ef%bc%bcb", "/%e2%80%a5"]],
    ["slashes of a best-fit conversion", ["/a%e2%88%95b", "/a%e2%81%84b", "/a%e2%88%96b"]],
    ["no slash in front", ["", "a", "*", "http://x/"]],
  ])("%s", (_, paths) => {
    for (const path of paths) expect([path, parseTarget(path, "", strict).ok]).toEqual([path, false]);
  });

  test.each(["a#b", "a b", "a%zz", "a=%", "a=\u0001", `a="`, "a=<", "a=é", "a=%00"])("query %j", (query) => {
    expect(parseTarget("/a", query, strict).ok).toBe(false);
  });

  test.each([
    "_method=DELETE",
    "a=1&%5fMETHOD=DELETE",
    "a=1;_method=DELETE",
    "+.method=DELETE",
    "_HttpMethod=PATCH",
    "%24httpMethod=PUT",
    "X-HTTP-Method-Override=PUT",
  ])("query %j, by which a server changes the method", (query) => {
    expect(parseTarget("/a", query, strict).ok).toBe(false);
  });

  test("a target of unreasonable length", () => {
    expect(parseTarget(`/${"a".repeat(20_000)}`, "", strict).ok).toBe(false);
  });
});

describe("what vendors' SDKs send is not", () => {
  test.each([
    "/",
    "/v1/chat/completions",
    "/v1/models/ft:gpt-4o:acme::abc",
    "/v1beta/models/gemini-2.5-flash:generateContent",
    "/v1beta/tunedModels/a-b:generateContent",
    "/repos/o/r/contents/a%20b/%E6%BC%A2.txt",
    "/repos/o/r/compare/main...feature",
    "/repos/o/r/labels/C%23",
    "/2010-04-01/Accounts/AC123/Messages.json",
    "/2010-04-01/Accounts/AC123/AvailablePhoneNumbers/US/Local.json",
    "/v1/customers/cus_123/",
    "/users/@me",
    "/users/%40me",
    "/.well-known/openid-configuration",
    "/v1/files/...",
    "/a+b,c=d~e!f$g'h(i)j*k&l:m",
    "/v1/threads/100%25",
    "/repos/o/r/contents/%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB.md",
    "/a/%C2%BD%20cup.txt",
    "/a/what%3F",
  ])("%s", (path) => {
    expect(parseTarget(path, "", strict)).toMatchObject({ ok: true, target: { path } });
  });

  test.each([
    "a=1&b=%2F",
    "expand[]=data.customer&created[gt]=1",
    "q=a+b%20c",
    "q=it%27s",
    "alt=sse",
    "a=?/:@",
    "x|y={1}",
    "",
    "a=%E6%BC%A2",
    "a=%FF",
    "method=card&shipping_method=air",
  ])("query %j", (query) => {
    expect(parseTarget("/a", query, strict)).toMatchObject({ ok: true, target: { query } });
  });
});

test("an integration can admit an encoded slash, and nothing worse with it", () => {
  const open = { allowEncodedSlash: true };
  expect(parseTarget("/projects/group%2Fname", "", open)).toMatchObject({
    ok: true,
    target: { path: "/projects/group%2Fname", segments: ["projects", "group/name"] },
  });
  for (const path of ["/a%2F..%2Fb", "/%2e%2e%2fb", "/a%2f%2fb", "/a%5cb", "/a%252fb", "/a%ef%bc%8fb"]) {
    expect([path, parseTarget(path, "", open).ok]).toEqual([path, false]);
  }
});

test("an accepted target survives a URL parser byte for byte, and means the same after one more decode", () => {
  const piece = fc.constantFrom(
    "a",
    ".",
    "..",
    "%2e",
    "%2F",
    "%5c",
    "/",
    "//",
    "%25",
    ";",
    "%c3%a9",
    "@",
    ":",
    "~",
    "%20",
    "\\",
    "é",
    "?",
    "#",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = `/${pieces.join("")}`;
      const result = parseTarget(path, "", strict);
      if (!result.ok) return;
      expect(new URL(`https://h${path}`).href).toBe(`https://h${path}`);
      const decoded = decodeURIComponent(path);
      expect(decoded.split("/")).toEqual(["", ...result.target.segments]);
      expect(decoded.split(/[\\/]/)).not.toContain("..");
    }),
    { numRuns: 2_000 },
  );
});
