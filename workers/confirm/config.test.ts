import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { ConfigurationError, configure } from "./config.ts";
import type { ConfirmEnv } from "./config.ts";

test("a whole environment is accepted", async () => {
  expect(await configure(env as ConfirmEnv)).toMatchObject({ origin: "https://confirm.example.com" });
});

test.each<[string, unknown, Record<string, unknown>]>([
  ["CONFIRMATIONS", undefined, {}],
  ["NOTICE_QUEUE", undefined, {}],
  ["RELAYKEY_EDITION", "hunter2", {}],
  ["RELAYKEY_CONFIRM_URL", "http://confirm.example.com", { RELAYKEY_EDITION: "cloudflare" }],
  ["RELAYKEY_CONFIRM_URL", "https://hunter2.example.com/path", {}],
  ["RELAYKEY_TRUSTED_PROXIES", "hunter2", { RELAYKEY_EDITION: "local" }],
  ["RELAYKEY_CONFIRM_KEY", undefined, {}],
  ["RELAYKEY_CONFIRM_KEY", "hunter2", {}],
  ["RELAYKEY_MAIL_FROM", "hunter2", {}],
  ["RELAYKEY_MAIL_FROM", "A <a@example.com>\r\nBcc: hunter2@example.com", {}],
  ["RELAYKEY_MAIL_TRANSPORT", "pigeon", {}],
  ["RESEND_API_KEY", undefined, { RELAYKEY_MAIL_TRANSPORT: "resend" }],
  ["SMTP_URL", undefined, { RELAYKEY_MAIL_TRANSPORT: "smtp" }],
  ["SMTP_URL", "smtp://user:hunter2@mail.example.com?security=none", { RELAYKEY_MAIL_TRANSPORT: "smtp" }],
  ["OUTBOX", undefined, { RELAYKEY_MAIL_TRANSPORT: "outbox" }],
  ["RESEND_WEBHOOK_SECRET", "hunter2", {}],
  ["RESEND_BASE_URL", "http://127.0.0.1:9000", { RELAYKEY_MAIL_TRANSPORT: "resend", RESEND_API_KEY: "re_1" }],
  [
    "RESEND_BASE_URL",
    "https://hunter2.example.com",
    { RELAYKEY_MAIL_TRANSPORT: "resend", RESEND_API_KEY: "re_1", RELAYKEY_EDITION: "local" },
  ],
])("%s = %s is named and not repeated", async (name, value, more) => {
  const error: unknown = await configure({ ...env, ...more, [name]: value }).catch(
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ConfigurationError);
  expect((error as Error).message).toContain(name);
  expect((error as Error).message).not.toContain("hunter2");
});
