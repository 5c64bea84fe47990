import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { base62Width, decodeBase62, encodeBase62 } from "./base62.ts";
import { toHex, utf8 } from "./bytes.ts";
import { crc32 } from "./crc32.ts";
import {
  TOKEN_PATTERN,
  displayToken,
  hashToken,
  importTagKey,
  mintToken,
  newLocator,
  parseToken,
  verifyTag,
} from "./token.ts";

let tagKey: CryptoKey;
beforeAll(async () => {
  tagKey = await importTagKey(btoa("k".repeat(32)));
});

async function mint(kind: "proxy" | "mgmt" = "proxy"): Promise<string> {
  const { token } = await mintToken(kind, kind === "proxy" ? newLocator() : null, tagKey);
  return token.reveal();
}

test("CRC-32's check value", () => {
  expect(crc32(utf8("123456789"))).toBe(0xcbf43926);
});

test("base62 round-trips at a fixed width, and refuses what does not fit", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (value) => {
      const text = encodeBase62(value);
      expect(text).toHaveLength(base62Width(value.length));
      expect(decodeBase62(text, value.length)).toEqual(value);
      expect(decodeBase62(`0${text}`, value.length)).toBeNull();
    }),
  );
  expect(decodeBase62("z".repeat(base62Width(4)), 4)).toBeNull();
});

describe("a token", () => {
  test("has the documented form", async () => {
    const locator = newLocator();
    const { token, hash, display } = await mintToken("proxy", locator, tagKey);
    const text = token.reveal();
    expect(text).toMatch(/^rk_proxy_[0-9A-Za-z]{56}$/);
    expect(await mint("mgmt")).toMatch(/^rk_mgmt_[0-9A-Za-z]{45}$/);
    expect(parseToken(text)).toMatchObject({ kind: "proxy", locator });
    expect(display).toBe(`rk_proxy_…${text.slice(-4)}`);
    expect(displayToken(text)).toBe(display);
    expect(hash).toBe(toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text)))));
    expect(await hashToken(text)).toBe(hash);
  });

  test("is made the same from the same bytes: a test vector", async () => {
    const { token } = await mintToken("proxy", "0001020304050607", tagKey, (n) => new Uint8Array(n).fill(7));
    expect(token.reveal()).toMatchInlineSnapshot(
      `"rk_proxy_04abFExCA5v8HUgeB8yK9FTPWmujlMlUDFAI47qy7ZGjpB4Fj82BHWl4"`,
    );
  });

  test("does not leave by accident", async () => {
    const { token } = await mintToken("proxy", newLocator(), tagKey);
    expect(`${String(token)} ${JSON.stringify({ token })} ${Object.values(token).join("")}`).toBe(
      `[secret] {"token":"[secret]"} `,
    );
  });

  test("any changed, added or dropped character is noticed offline", async () => {
    const text = await mint();
    const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (let index = 0; index < text.length; index += 1) {
      for (const letter of alphabet) {
        if (letter === text.charAt(index)) continue;
        expect(parseToken(text.slice(0, index) + letter + text.slice(index + 1))).toBeNull();
      }
    }
    for (const wrong of [`${text}0`, text.slice(0, -1), ` ${text}`, text.toLowerCase(), ""])
      expect(parseToken(wrong)).toBeNull();
  });

  test("with right check digits but another installation's tag is not verified", async () => {
    const other = await importTagKey(btoa("o".repeat(32)));
    const { token } = await mintToken("proxy", newLocator(), other);
    const parsed = parseToken(token.reveal());
    expect(parsed).not.toBeNull();
    expect(parsed !== null && (await verifyTag(parsed, tagKey))).toBe(false);
    expect(parsed !== null && (await verifyTag(parsed, other))).toBe(true);
  });

  test("of one kind is never taken for the other", async () => {
    const text = await mint("mgmt");
    expect(parseToken(text)?.kind).toBe("mgmt");
    expect(parseToken(text.replace("rk_mgmt_", "rk_proxy_"))).toBeNull();
  });

  test("is found inside a larger text", async () => {
    const tokens = [await mint(), await mint("mgmt")];
    expect(`a ${tokens.join(",")} rk_live_x`.match(TOKEN_PATTERN)).toEqual(tokens);
  });

  test("has no dot, which SDKs take for a JWT", async () => {
    expect(await mint()).not.toContain(".");
  });
});

test.each(["", "short", btoa("x".repeat(31)), btoa("x".repeat(33)), "!".repeat(44)])(
  "tag key %j is refused",
  async (text) => {
    await expect(importTagKey(text)).rejects.toThrow(RangeError);
  },
);
