import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { CATALOGUE, catalogueEntry } from "./catalogue/index.ts";
import { parseRule } from "./scope.ts";
import { integrationUrl, snippets } from "./snippets.ts";
import type { Snippet } from "./snippets.ts";

function made(catalogue: string | null, rule = "GET /v1/models/*", more = {}): Record<Snippet["id"], string> {
  const parsed = parseRule(rule);
  if (!parsed.ok) throw new Error(parsed.error);
  const all = snippets({
    proxy: "https://relay.example.com",
    slug: "live",
    entry: catalogue === null ? null : catalogueEntry(catalogue),
    token: "rk_proxy_X",
    rules: [parsed.rule],
    bindings: {},
    ...more,
  });
  return Object.fromEntries(all.map(({ id, text }) => [id, text])) as Record<Snippet["id"], string>;
}

test.each([
  ["openai", "https://relay.example.com/live/v1"],
  ["anthropic", "https://relay.example.com/live"],
  ["slack", "https://relay.example.com/live/api/"],
  ["cloudflare", "https://relay.example.com/live"],
])("%s is told the address its SDK wants: %s", (catalogue, base) => {
  expect(made(catalogue).node).toContain(JSON.stringify(base));
  expect(made(catalogue).python).toContain(JSON.stringify(base));
  expect(made(catalogue).env).toContain(`RELAYKEY_URL=${base}\n`);
});

test("Stripe is addressed by host name, also on this machine", () => {
  expect(made("stripe").node).toContain(
    `host: "live.relay.example.com",\n  port: "443",\n  protocol: "https"`,
  );
  expect(integrationUrl("http://127.0.0.1:8787", "stripe", "host")).toBe("http://stripe.localhost:8787");
});

test("the environment has the names that the SDK reads", () => {
  expect(made("openai").env.split("\n")).toEqual([
    "export RELAYKEY=rk_proxy_X",
    "export RELAYKEY_URL=https://relay.example.com/live/v1",
    "export OPENAI_API_KEY=rk_proxy_X",
    "export OPENAI_BASE_URL=https://relay.example.com/live/v1",
  ]);
});

test("curl makes a call that the key may make, with names filled in", () => {
  expect(made(null, "GET /zones/{zone}/x", { bindings: { zone: "a b" } }).curl).toContain(
    "/live/zones/a%20b/x'",
  );
  const post = made(null, "POST /v1/messages").curl;
  expect(post).toContain("-X POST");
  expect(post).toContain("-d '{}'");
});

test("nothing in a path is read by the shell", () => {
  const { curl } = made(null, "GET /a/$(touch&x)'y");
  const printed = execFileSync("sh", ["-c", curl.replace(/^curl/, "printf '%s\\n'")], { encoding: "utf8" });
  expect(printed.split("\n")[0]).toBe("https://relay.example.com/live/a/$(touch&x)'y");
});

test.each(CATALOGUE.map((entry) => entry.slug))("%s: four snippets, none empty", (slug) => {
  for (const text of Object.values(made(slug))) expect(text.length).toBeGreaterThan(20);
});
