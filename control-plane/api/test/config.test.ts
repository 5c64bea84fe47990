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
  RELAYKEY_AUDIT_PUBLIC_KEYS: KEY.replace(/=+$/, ""),
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
    RELAYKEY_EDITION: "local",
    RELAYKEY_CONTROL_URL: "http://localhost:8788",
    RELAYKEY_PROXY_URL: "http://localhost:8787",
    RELAYKEY_DEV_UPSTREAMS: "loopback",
    RELAYKEY_ALLOW_INSECURE_COOKIES: "1",
  };
  expect(await configured(local)).toMatchObject({ development: true, insecureCookies: true });
  const behindTls = { ...local, RELAYKEY_CONTROL_URL: "https://relaykey.example.com" };
  await expect(configured(behindTls)).rejects.toThrow("RELAYKEY_ALLOW_INSECURE_COOKIES");
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
  ["RELAYKEY_AUDIT_PUBLIC_KEYS", "hunter2"],
  ["RELAYKEY_EDITION", "hunter2"],
  ["RELAYKEY_CONTROL_URL", "hunter2"],
  ["RELAYKEY_CONTROL_KEY", "hunter2"],
  ["RELAYKEY_TOKEN_KEY", "hunter2"],
  ["RELAYKEY_PROXY_URL", "hunter2"],
  ["RELAYKEY_DEV_UPSTREAMS", "hunter2"],
  ["RELAYKEY_ALLOW_INSECURE_COOKIES", "hunter2"],
  ["RELAYKEY_DEV_UPSTREAMS", "loopback"],
  ["RELAYKEY_ALLOW_INSECURE_COOKIES", "1"],
  ["RELAYKEY_TRUSTED_PROXIES", "127.0.0.1/32"],
])("%s malformed is named and not repeated", async (name, value) => {
  const error: unknown = await configured({ [name]: value }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigurationError);
  expect((error as Error).message).toContain(name);
  expect((error as Error).message).not.toContain("hunter2");
});

const STRIPE = {
  STRIPE_SECRET_KEY: "sk_test_1",
  STRIPE_WEBHOOK_SECRET: `whsec_${"a".repeat(32)}`,
  STRIPE_PRICE_BUILDER: "price_1",
  STRIPE_PRICE_TEAM: "price_2",
  STRIPE_PRICE_BUSINESS: "price_3",
};

test("Stripe is configured as a whole or not at all", async () => {
  expect((await configured({})).stripe).toBeNull();
  expect((await configured(STRIPE)).stripe).toMatchObject({
    prices: { builder: "price_1", team: "price_2", business: "price_3" },
    apiUrl: "https://api.stripe.com",
    pageOrigins: ["https://checkout.stripe.com", "https://billing.stripe.com"],
  });
  const url = "http://127.0.0.1:9000";
  const onThisMachine = { RELAYKEY_EDITION: "local", STRIPE_API_URL: url };
  const local = await configured({
    ...STRIPE,
    ...onThisMachine,
    RELAYKEY_CONTROL_URL: "http://localhost:8788",
  });
  expect(local.stripe).toMatchObject({ apiUrl: url, pageOrigins: [url] });
  await expect(configured({ ...STRIPE, ...onThisMachine })).rejects.toThrow("development flag");
});

test.each(Object.keys(STRIPE))("Stripe without %s is named", async (name) => {
  const missing = `set ${name} too`;
  await expect(configured({ ...STRIPE, [name]: undefined })).rejects.toThrow(missing);
  await expect(configured({ ...STRIPE, [name]: "" })).rejects.toThrow(missing);
  const malformed: unknown = await configured({ ...STRIPE, [name]: "hunter2" }).catch(
    (reason: unknown) => reason,
  );
  expect(malformed).toBeInstanceOf(ConfigurationError);
  expect((malformed as Error).message).toContain(name);
  expect((malformed as Error).message).not.toContain("hunter2");
});

test.each([
  [{ STRIPE_PRICE_TEAM: "price_1" }, "three prices"],
  [{ STRIPE_API_URL: "http://127.0.0.1:9000" }, "STRIPE_API_URL"],
  [{ RELAYKEY_EDITION: "local", STRIPE_API_URL: "https://stripe.example.com" }, "STRIPE_API_URL"],
])("Stripe with %j is refused", async (change, named) => {
  await expect(configured({ ...STRIPE, ...change })).rejects.toThrow(named);
});
