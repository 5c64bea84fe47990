import { describe, expect, test } from "vitest";
import { CATALOGUE } from "./catalogue/index.ts";
import { credentialSchema, placeCredential } from "./credential.ts";
import { checkUpstream, headerPatternSchema, slugSchema } from "./integration.ts";
import { Secret } from "./secret.ts";
import { parseRule } from "./scope.ts";

const production = { development: false, ownZones: ["relay.example.net"] };

describe("addresses that vendor keys may be sent to", () => {
  test.each([
    ["https://api.openai.com", "https://api.openai.com", ""],
    ["https://api.cloudflare.com/client/v4", "https://api.cloudflare.com", "/client/v4"],
    ["https://api.cloudflare.com/client/v4/", "https://api.cloudflare.com", "/client/v4"],
    ["https://api.example.com:443", "https://api.example.com", ""],
    ["https://xn--bcher-kva.example", "https://xn--bcher-kva.example", ""],
  ])("%s", (url, origin, basePath) => {
    expect(checkUpstream(url, production)).toEqual({ ok: true, origin, basePath });
  });

  test.each([
    ["plain http", ["http://api.example.com"]],
    ["ports", ["https://api.example.com:8443", "https://api.example.com:80"]],
    [
      "IPv4 in all spellings",
      [
        "https://127.0.0.1",
        "https://10.0.0.1",
        "https://2130706433",
        "https://0x7f000001",
        "https://0177.0.0.1",
        "https://127.1",
        "https://1.1.1.1",
        "https://0x7f.1",
        "https://169.254.169.254",
        "https://0251.0376.0251.0376",
        "https://[::ffff:169.254.169.254]",
        "https://[64:ff9b::a9fe:a9fe]",
        "https://[2001:0:53aa:64c::1]",
        "https://127.0.0.1.",
        "https://１２７.0.0.1",
      ],
    ],
    [
      "IPv6 in all spellings",
      [
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://[64:ff9b::7f00:1]",
        "https://[2002:7f00:1::]",
        "https://[2001::1]",
        "https://[::7f00:1]",
        "https://[fe80::1%25eth0]",
      ],
    ],
    [
      "names inside networks",
      [
        "https://localhost",
        "https://a.localhost",
        "https://printer.local",
        "https://metadata.google.internal",
        "https://metadata",
        "https://instance-data.ec2.internal",
        "https://kubernetes.default.svc",
        "https://kubernetes.default.svc.cluster.local",
        "https://host.docker.internal",
        "https://app.corp",
        "https://router.lan",
        "https://nas.home.arpa",
      ],
    ],
    ["single labels and trailing dots", ["https://intranet", "https://api.example.com.", "https://."]],
    [
      "this installation and its platform",
      ["https://relay.example.net", "https://x.relay.example.net", "https://x.workers.dev"],
    ],
    [
      "user info, query, fragment",
      [
        "https://u:p@api.example.com",
        "https://api.example.com@evil.example",
        "https://api.example.com?x",
        "https://api.example.com#x",
      ],
    ],
    [
      "paths that could be rewritten",
      [
        "https://api.example.com/a/../b",
        "https://api.example.com/%2e%2e",
        "https://api.example.com//a",
        "https://api.example.com/a b",
        "https://api.example.com\\a",
      ],
    ],
    [
      "spellings a parser would change",
      [
        "https://API.example.com",
        "https://bücher.example",
        "HTTPS://api.example.com",
        " https://api.example.com",
        "https://api.example.com\n",
        "https:api.example.com",
        "//api.example.com",
        "",
      ],
    ],
  ])("%s are refused", (_, urls) => {
    for (const url of urls) expect([url, checkUpstream(url, production).ok]).toEqual([url, false]);
  });

  test("loopback over http is for development only", () => {
    const url = "http://127.0.0.1:8791/openai";
    expect(checkUpstream(url, { development: false }).ok).toBe(false);
    expect(checkUpstream(url, { development: true })).toMatchObject({ ok: true, basePath: "/openai" });
    expect(checkUpstream("http://10.0.0.1", { development: true }).ok).toBe(false);
  });
});

describe("placing a credential", () => {
  const secret = new Secret("s$&cret:x");

  test.each([
    [{ kind: "bearer" }, { header: ["authorization", "Bearer s$&cret:x"] }],
    [
      { kind: "basic", username: "{secret}", password: "" },
      { header: ["authorization", `Basic ${btoa("s$&cret:x")}`] },
    ],
    [
      { kind: "basic", username: "api", password: "{secret}" },
      { header: ["authorization", `Basic ${btoa("api:s$&cret:x")}`] },
    ],
    [{ kind: "header", name: "x-key", template: "t={secret}" }, { header: ["x-key", "t=s$&cret:x"] }],
    [{ kind: "query", name: "key" }, { query: ["key", "s%24%26cret%3Ax"] }],
  ] as const)("%j", (placement, expected) => {
    expect(placeCredential(placement, secret)).toEqual(expected);
  });

  test.each([
    { kind: "header", name: "Host", template: "{secret}" },
    { kind: "header", name: "cookie", template: "{secret}" },
    { kind: "header", name: "x-key", template: "no mark" },
    { kind: "header", name: "x-key", template: "{secret}\r\nx: y" },
    { kind: "basic", username: "a", password: "b" },
    { kind: "query", name: "a&b" },
    { kind: "bearer", extra: 1 },
    { kind: "body" },
  ])("%j is refused", (placement) => {
    expect(credentialSchema.safeParse(placement).success).toBe(false);
  });
});

test("every catalogue entry is one that an integration could be made of", () => {
  for (const entry of CATALOGUE) {
    expect(slugSchema.safeParse(entry.slug).success).toBe(true);
    expect(checkUpstream(entry.upstream, production)).toMatchObject({ ok: true });
    expect(credentialSchema.safeParse(entry.credential).success).toBe(true);
    for (const name of entry.requestHeaders)
      expect([name, headerPatternSchema.safeParse(name).success]).toEqual([name, true]);
    for (const rule of entry.presets.flatMap(({ allow }) => allow))
      expect(parseRule(rule)).toMatchObject({ ok: true });
  }
});
