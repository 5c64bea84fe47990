import fc from "fast-check";
import { expect, test } from "vitest";
import { returnPathOf, safePath } from "../../../app/.server/return-path.ts";

test.each(["/keys", "/keys?state=active&q=a%20b", "/invitations/abc_-", "/settings/members?leave"])(
  "%s is gone on to as it is",
  (path) => {
    expect(safePath(path)).toBe(path);
  },
);

test.each([
  "",
  "keys",
  "https://evil.example/",
  "//evil.example",
  "///evil.example",
  "/\\evil.example",
  "/\t/evil.example",
  "/ /evil.example",
  "/\n//evil.example",
  "/.//evil.example",
  "/a/..//evil.example",
  "/%2e//evil.example",
  "javascript:alert(1)",
  "/sign-in",
  "/sign-in/link?token=x",
  "/sign-out",
  "/keys\r\nSet-Cookie: a=b",
  `/${"a".repeat(600)}`,
])("%j leads nowhere but to the first page", (path) => {
  expect(safePath(path)).toBe("/");
});

test("whatever is asked for, a browser stays here", () => {
  const parts = fc.constantFrom(
    "/",
    "\\",
    ".",
    "..",
    "@",
    ":",
    "//",
    "evil.example",
    "%2f",
    "\t",
    "?",
    "#",
    "a",
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 8 }), (pieces) => {
      const path = safePath(pieces.join(""));
      const url = new URL(path, "https://relaykey.example/sign-in");
      expect(url.origin).toBe("https://relaykey.example");
      expect(`${url.pathname}${url.search}`).toBe(path);
    }),
    { numRuns: 5_000 },
  );
});

test("the page that was opened, or whose form was sent, is come back to", () => {
  const url = "https://relaykey.example/settings/members?leave";
  expect(returnPathOf(new Request(url))).toBe("?return_to=%2Fsettings%2Fmembers%3Fleave");
  expect(returnPathOf(new Request(url, { method: "POST" }))).toBe("?return_to=%2Fsettings%2Fmembers%3Fleave");
  expect(returnPathOf(new Request("https://relaykey.example/"))).toBe("");
});
