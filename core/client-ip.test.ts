import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clientIp, readClientIpSource } from "./client-ip.ts";
import type { ClientIpSource } from "./client-ip.ts";
import { canonicalIp, compileCidrs } from "./ip.ts";

const TRUSTED = "127.0.0.1/32, 10.0.0.0/8,fd00::/8";
const isTrusted = compileCidrs(["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]);

function source(edition: "cloudflare" | "local", trusted = ""): ClientIpSource {
  const result = readClientIpSource(edition, trusted);
  if (!result.ok) throw new Error(result.detail);
  return result.source;
}

function from(peer: string | null, headers: Record<string, string> = {}, trusted = TRUSTED): string | null {
  const cf = peer === null ? {} : { clientIp: peer };
  return clientIp({ headers: new Headers(headers), cf }, source("local", trusted))?.address ?? null;
}

/** How an address may be spelled on its way. */
const V4 = fc.ipV4().filter((address) => canonicalIp(address) !== null);
const V6 = fc.ipV6().filter((address) => canonicalIp(address) !== null);
const anyAddress = fc.oneof(
  V4,
  V6,
  V4.map((address) => `::ffff:${address}`),
  V6.map((address) => `[${address}]`),
);
const stranger = anyAddress.filter((address) => !isTrusted(canonicalIp(address)?.address ?? ""));
const proxy = fc.constantFrom("127.0.0.1", "10.1.2.3", "::ffff:10.0.0.9", "fd00::7", "[fd12::1]");
/** Whatever a header can carry. */
const claim = fc.oneof(
  anyAddress,
  proxy,
  fc.constantFrom("", "unknown", "_hidden", "127.0.0.1:80", "for=127.0.0.1", "10.0.0.1, ", "0x7f.1", "127.1"),
  fc.string({
    unit: fc.constantFrom(" ", ",", ".", ":", "[", "]", "=", "0", "1", "7", "a", "f"),
    maxLength: 30,
  }),
);

function peerOf(address: string): string {
  const canonical = canonicalIp(address)?.address ?? address;
  return canonical.includes(":") ? `[${canonical}]:4711` : `${canonical}:4711`;
}

describe("behind trusted proxies", () => {
  test("nothing that a caller sends makes it another, however many proxies it passes", () => {
    fc.assert(
      fc.property(
        stranger,
        fc.array(proxy, { minLength: 1, maxLength: 4 }),
        fc.option(claim),
        (caller, hops, said) => {
          // Each proxy appends whom it had the request from: the caller, then the proxies but the last, which is the peer.
          const chain = [...(said === null ? [] : [said]), caller, ...hops.slice(0, -1)].join(", ");
          const peer = peerOf(hops.at(-1) ?? "");
          expect(from(peer, { "X-Forwarded-For": chain, Forwarded: "for=127.0.0.1" })).toBe(
            canonicalIp(caller)?.address,
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("a caller who is no trusted proxy is itself, whatever it sends", () => {
    fc.assert(
      fc.property(stranger, claim, (caller, said) => {
        expect(from(peerOf(caller), { "X-Forwarded-For": said })).toBe(canonicalIp(caller)?.address);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ["one proxy", "127.0.0.1:1", "203.0.113.7", "203.0.113.7"],
    ["two", "127.0.0.1:1", "203.0.113.7, 10.0.0.1", "203.0.113.7"],
    ["a caller who says more", "127.0.0.1:1", "192.0.2.1, 203.0.113.7", "203.0.113.7"],
    ["IPv6", "[fd00::1]:1", "2001:db8::1", "2001:db8::1"],
    ["IPv6 in brackets and capitals", "127.0.0.1:1", "[2001:DB8:0::1]", "2001:db8::1"],
    ["IPv4-mapped", "127.0.0.1:1", "::ffff:203.0.113.7", "203.0.113.7"],
    ["a proxy that itself calls", "127.0.0.1:1", "10.0.0.5", "10.0.0.5"],
    ["proxies only", "127.0.0.1:1", "10.0.0.5, 10.0.0.6", "10.0.0.5"],
    ["a peer that is seen IPv4-mapped", "[::ffff:127.0.0.1]:1", "203.0.113.7", "203.0.113.7"],
  ])("%s", (_name, peer, list, address) => {
    expect(from(peer, { "X-Forwarded-For": list })).toBe(address);
  });

  test.each([
    ["no header", {}],
    ["an empty one", { "X-Forwarded-For": "" }],
    ["a hop that is no address", { "X-Forwarded-For": "203.0.113.7, unknown" }],
    ["an empty hop", { "X-Forwarded-For": "203.0.113.7," }],
    ["a hop with a port", { "X-Forwarded-For": "203.0.113.7:443" }],
    ["a short spelling", { "X-Forwarded-For": "127.1" }],
    ["an unreadable hop before a proxy", { "X-Forwarded-For": "203.0.113.7, nobody, 10.0.0.1" }],
    ["another header", { "X-Real-IP": "203.0.113.7", Forwarded: "for=203.0.113.7" }],
  ])("the caller is unknown, not the proxy: %s", (_name, headers) => {
    expect(from("127.0.0.1:1", headers)).toBeNull();
  });

  test("nobody is trusted unless it is said", () => {
    expect(from("127.0.0.1:1", { "X-Forwarded-For": "203.0.113.7" }, "")).toBe("127.0.0.1");
    expect(from(null, { "X-Forwarded-For": "203.0.113.7" })).toBeNull();
    expect(from("unix:/run/x", { "X-Forwarded-For": "203.0.113.7" })).toBeNull();
  });
});

test("on Cloudflare the edge's header counts, and no other", () => {
  const headers = new Headers({ "CF-Connecting-IP": "203.0.113.7", "X-Forwarded-For": "192.0.2.1" });
  const request = { headers, cf: { clientIp: "127.0.0.1:1" } };
  expect(clientIp(request, source("cloudflare"))?.address).toBe("203.0.113.7");
  headers.delete("CF-Connecting-IP");
  expect(clientIp(request, source("cloudflare"))).toBeNull();
});

test.each([
  ["local", "hunter2"],
  ["local", "127.0.0.1;10.0.0.0/8"],
  ["local", "10.1.2.3/8"],
  ["local", "127.0.0.1/33"],
  ["local", "0.0.0.0/0"],
  ["local", "127.0.0.1/32,::/0"],
  ["cloudflare", "127.0.0.1/32"],
] as const)("%s refuses %s and names the setting", (edition, text) => {
  const result = readClientIpSource(edition, text);
  expect(result).toMatchObject({
    ok: false,
    detail: expect.stringContaining("RELAYKEY_TRUSTED_PROXIES") as string,
  });
  expect(JSON.stringify(result)).not.toContain("hunter2");
});
