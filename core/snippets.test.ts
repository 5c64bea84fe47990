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
  ["openai", "GET /v1/models/*", "https://relay.example.com/live/v1", `client.get("/models/ID"`],
  ["anthropic", "POST /v1/messages", "https://relay.example.com/live", `client.post("/v1/messages"`],
  ["slack", "POST /api/chat.postMessage", "https://relay.example.com/live/api/", `("chat.postMessage"`],
  ["cloudflare", "GET /zones", "https://relay.example.com/live", `client.get("/zones"`],
])("%s: its SDK makes the call of %s at %s", (catalogue, rule, base, call) => {
  const { node, python, env } = made(catalogue, rule);
  for (const code of [node, python]) {
    expect(code).toContain(JSON.stringify(base));
    expect(code).toContain(call);
  }
  expect(env).toContain(`RELAYKEY_URL=${base}\n`);
});

test.each([
  ["a path that is not below the SDK's base", "GET /v10/models"],
  ["a method that the SDK has not", "OPTIONS /v1/models"],
])("%s is called without the SDK", (_, rule) => {
  const { node, python } = made("openai", rule);
  const [method = "", path = ""] = rule.split(" ");
  expect(node).toContain(`fetch("https://relay.example.com/live${path}", {\n  method: "${method}"`);
  expect(python).toContain("urllib.request");
});

test("the key is in no code, which is kept", () => {
  for (const { slug } of CATALOGUE) {
    const { node, python } = made(slug);
    expect(node + python).not.toContain("rk_proxy_X");
  }
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
