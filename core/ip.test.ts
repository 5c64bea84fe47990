import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalIp, compileCidrs, compileNetworks, formatCidr, parseCidr } from "./ip.ts";

test.each([
  ["203.0.113.7", "203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"],
  ["::ffff:cb00:7107", "203.0.113.7", "203.0.113.7"],
  ["64:ff9b::203.0.113.7", "203.0.113.7", "203.0.113.7"],
  ["2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1", "2001:db8::/64"],
  ["[2001:db8:1:2:3::4]", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"],
  ["::1", "::1", "::/64"],
])("%s is %s of %s", (text, address, network) => {
  expect(canonicalIp(text)).toEqual({ address, network });
});

test.each([
  "",
  "1.2.3",
  "01.2.3.4",
  "0x7f.1",
  "127.1",
  "2130706433",
  "1.2.3.4:80",
  "fe80::1%eth0",
  "[::1",
  "::1]",
  "a",
  "1.2.3.4 ",
])("%j is no address", (text) => {
  expect(canonicalIp(text)).toBeNull();
});

test("the prefix that counts as one is configurable", () => {
  expect(canonicalIp("2001:db8:1:2:3::4", { v6Prefix: 48 })?.network).toBe("2001:db8:1::/48");
});

test("canonicalising again changes nothing", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const once = canonicalIp(text);
      expect(once === null ? null : canonicalIp(once.address)).toEqual(once);
    }),
  );
});

describe("blocks", () => {
  test.each([
    ["10.0.0.0/8", "10.255.1.2", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["203.0.113.7", "203.0.113.7", true],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::", false],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "1.2.3.4", false],
  ])("%s holds %s: %s", (cidr, address, expected) => {
    expect(compileCidrs([cidr])(address)).toBe(expected);
  });

  test.each([
    "10.0.0.1/8",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "::ffff:10.0.0.0/104",
    "x/8",
    "10/8",
  ])("%s is refused", (text) => {
    expect(parseCidr(text)).toBeNull();
    expect(compileCidrs([text])("10.0.0.1")).toBe(false);
  });

  test.each([
    ["10.0.0.0/8", "10.1.2.3", true, true],
    ["10.1.2.3", "10.1.2.3", true, true],
    ["10.1.2.0/24", "10.1.0.0/16", false, true],
    ["10.1.2.0/24", "10.2.0.0/16", false, false],
    ["2001:db8:1::/48", "2001:db8:1:2::/64", true, true],
    ["2001:db8:1:2::/64", "2001:db8:1::/48", false, true],
    ["2001:db8:1:2::5/128", "2001:db8:1:2::/64", false, true],
    ["2001:db8:1:3::/64", "2001:db8:1:2::/64", false, false],
    ["::/0", "10.1.2.3", false, false],
    ["x", "10.1.2.3", false, false],
    ["10.0.0.0/8", "x", false, false],
  ])("of the network %s, %s: all %s, some %s", (block, network, contains, overlaps) => {
    const set = compileNetworks([block]);
    expect([set.contains(network), set.overlaps(network)]).toEqual([contains, overlaps]);
  });

  test("the printed form reads back", () => {
    for (const text of ["10.0.0.0/8", "2001:db8::/32", "1.2.3.4/32"]) {
      const cidr = parseCidr(text);
      expect(cidr === null ? null : formatCidr(cidr)).toBe(text);
    }
  });
});
