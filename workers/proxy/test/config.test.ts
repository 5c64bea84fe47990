import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { ConfigurationError, configure } from "../config.ts";
import worker from "../index.ts";

async function problem(changes: Record<string, unknown>): Promise<string> {
  const error: unknown = await configure({ ...env, ...changes }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigurationError);
  return (error as Error).message;
}

test("a whole environment is accepted, with the development flag off", async () => {
  expect(await configure(env)).toMatchObject({ clientIps: { kind: "edge" }, development: false });
  const local = { RELAYKEY_EDITION: "local", RELAYKEY_DEV_UPSTREAMS: "loopback" } as const;
  expect(await configure({ ...env, ...local })).toMatchObject({
    clientIps: { kind: "peer" },
    development: true,
  });
});

test.each([
  "KEY_HOLDER",
  "POLICY",
  "AUDIT_QUEUE",
  "MAIL_QUEUE",
  "NOTICE_QUEUE",
  "RELAYKEY_EDITION",
  "RELAYKEY_PROXY_URL",
  "RELAYKEY_DOCS_URL",
  "RELAYKEY_DEV_UPSTREAMS",
  "RELAYKEY_TOKEN_KEY",
  "RELAYKEY_MASTER_KEY",
])("%s missing is named", async (name) => {
  expect(await problem({ [name]: undefined })).toContain(name);
});

test.each([
  ["RELAYKEY_EDITION", "hunter2"],
  ["RELAYKEY_DOCS_URL", "hunter2"],
  ["RELAYKEY_PROXY_URL", "hunter2"],
  ["RELAYKEY_PROXY_URL", "http://hunter2.example.com"],
  ["RELAYKEY_PROXY_URL", "https://hunter2.example.com/path"],
  ["RELAYKEY_TRUSTED_PROXIES", "127.0.0.1/32"],
  ["RELAYKEY_DEV_UPSTREAMS", "hunter2"],
  ["RELAYKEY_DEV_UPSTREAMS", "loopback"],
  ["RELAYKEY_TOKEN_KEY", "hunter2"],
  ["RELAYKEY_TOKEN_KEY", btoa("k".repeat(31))],
  ["RELAYKEY_MASTER_KEY", "hunter2"],
  ["RELAYKEY_MASTER_KEY", btoa("k".repeat(33))],
])("%s malformed is named and not repeated", async (name, value) => {
  const message = await problem({ [name]: value });
  expect(message).toContain(name);
  if (value !== "loopback") expect(message).not.toContain(value);
});

test("a Worker that is not whole relays nothing and says what is missing", async () => {
  const broken = { ...env, RELAYKEY_MASTER_KEY: "" };
  const context = { waitUntil: () => undefined } as unknown as ExecutionContext;
  for (const path of ["/healthz", "/vendor/v1/things"]) {
    const request = new Request<unknown, IncomingRequestCfProperties>(`https://proxy.example.com${path}`);
    const response = await worker.fetch(request, broken, context);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("RELAYKEY_MASTER_KEY");
  }
});
