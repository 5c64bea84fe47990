import { expect, test } from "vitest";
import { ConfigurationError, configure } from "../../config.ts";

const KEY = btoa("k".repeat(32));

/** The environment of a control plane that is whole. */
const WHOLE = {
  KEY_CONTROL: { apply: () => undefined },
  ASSETS: { fetch: () => undefined },
  MAIL_QUEUE: { send: () => undefined },
  RELAYKEY_EDITION: "cloudflare",
  RELAYKEY_CONTROL_URL: "https://relaykey.example.com",
  RELAYKEY_CONTROL_KEY: KEY,
  RELAYKEY_SECURITY_CONTACT: "mailto:security@example.com",
  DATABASE_URL: "postgres://user:password@database.example.com/relaykey",
  RELAYKEY_SQL_ENDPOINT: "",
  RELAYKEY_SEALING_KEY: KEY.replace(/=+$/, ""),
  RELAYKEY_TOKEN_KEY: KEY,
  RELAYKEY_PROXY_URL: "https://proxy.example.com",
  RELAYKEY_DEV_UPSTREAMS: "",
  RELAYKEY_ALLOW_INSECURE_COOKIES: "",
};

function configured(changes: Record<string, unknown>) {
  return configure({ ...WHOLE, ...changes });
}

test("a whole environment is accepted, with the development flags off", async () => {
  expect(await configured({})).toMatchObject({ development: false, insecureCookies: false });
  const local = {
    RELAYKEY_PROXY_URL: "http://localhost:8787",
    RELAYKEY_DEV_UPSTREAMS: "loopback",
    RELAYKEY_ALLOW_INSECURE_COOKIES: "1",
  };
  expect(await configured(local)).toMatchObject({ development: true, insecureCookies: true });
});

test.each(Object.keys(WHOLE))("%s missing is named", async (name) => {
  const error: unknown = await configured({ [name]: undefined }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigurationError);
  expect((error as Error).message).toContain(name);
});

test.each([
  ["DATABASE_URL", "mysql://user:hunter2@host/db"],
  ["RELAYKEY_SQL_ENDPOINT", "hunter2"],
  ["RELAYKEY_SEALING_KEY", "hunter2"],
  ["RELAYKEY_EDITION", "hunter2"],
  ["RELAYKEY_CONTROL_URL", "hunter2"],
  ["RELAYKEY_CONTROL_KEY", "hunter2"],
  ["RELAYKEY_TOKEN_KEY", "hunter2"],
  ["RELAYKEY_PROXY_URL", "hunter2"],
  ["RELAYKEY_DEV_UPSTREAMS", "hunter2"],
  ["RELAYKEY_ALLOW_INSECURE_COOKIES", "hunter2"],
  ["RELAYKEY_DEV_UPSTREAMS", "loopback"],
  ["RELAYKEY_ALLOW_INSECURE_COOKIES", "1"],
])("%s malformed is named and not repeated", async (name, value) => {
  const error: unknown = await configured({ [name]: value }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigurationError);
  expect((error as Error).message).toContain(name);
  expect((error as Error).message).not.toContain("hunter2");
});
