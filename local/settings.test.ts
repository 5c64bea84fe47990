import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { StartError } from "./config/error.ts";
import { EVALUATION, readSettings } from "./settings.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "relaykey-settings-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const URLS = {
  RELAYKEY_PROXY_URL: "https://keys.example.com",
  RELAYKEY_CONTROL_URL: "https://relaykey.example.com",
  RELAYKEY_CONFIRM_URL: "https://confirm.example.com",
};
const SMTP = {
  RELAYKEY_MAIL_TRANSPORT: "smtp",
  RELAYKEY_MAIL_FROM: "RelayKey <relaykey@example.com>",
  SMTP_URL: "smtps://relay:p%3Ass@mail.example.com:465",
};
const RESEND = {
  RELAYKEY_MAIL_TRANSPORT: "resend",
  RELAYKEY_MAIL_FROM: "relaykey@example.com",
  RESEND_API_KEY: "re_123456",
};

test("who says nothing gets an evaluation; also where variables are empty, or another program's", () => {
  expect(readSettings({})).toEqual(EVALUATION);
  const others = { RESEND_API_KEY: "re_other", SMTP_URL: "?", STRIPE_SECRET_KEY: "sk_test_other" };
  expect(readSettings({ RELAYKEY_MAIL_TRANSPORT: "", ...others })).toEqual(EVALUATION);
});

test("a whole installation is read; without its own word it admits no upstream on this machine", () => {
  const publicUrls = {
    proxy: URLS.RELAYKEY_PROXY_URL,
    controlPlane: URLS.RELAYKEY_CONTROL_URL,
    confirm: URLS.RELAYKEY_CONFIRM_URL,
  };
  expect(readSettings({ ...URLS, ...SMTP, RELAYKEY_TRUSTED_PROXIES: "127.0.0.1/32,10.0.0.0/8" })).toEqual({
    publicUrls,
    trustedProxies: "127.0.0.1/32,10.0.0.0/8",
    devUpstreams: false,
    mail: { transport: "smtp", from: SMTP.RELAYKEY_MAIL_FROM, url: SMTP.SMTP_URL, authorities: [] },
    stripe: {},
    custody: {},
  });
  expect(readSettings({ ...URLS, RELAYKEY_DEV_UPSTREAMS: "loopback" })).toMatchObject({
    publicUrls,
    devUpstreams: true,
  });
});

test("Stripe is handed on as it is; the control plane says what is missing", () => {
  const stripe = { STRIPE_SECRET_KEY: "sk_test_1", STRIPE_PRICE_TEAM: "price_1" };
  expect(readSettings({ ...stripe, STRIPE_API_URL: "" }).stripe).toEqual(stripe);
});

test("Resend is read, with and without its webhook", () => {
  const { mail } = readSettings(RESEND);
  expect(mail).toMatchObject({ apiKey: "re_123456", webhookSecret: null, baseUrl: null });
  const webhookSecret = `whsec_${btoa("s".repeat(24))}`;
  expect(readSettings({ ...RESEND, RESEND_WEBHOOK_SECRET: webhookSecret }).mail).toMatchObject({
    webhookSecret,
  });
});

test("certificates of one's own authority are read from their file", () => {
  const file = join(folder, "ca.pem");
  const [one = "", other = ""] = rootCertificates;
  writeFileSync(file, `# ours\n${one}\n\n${other}\n`);
  expect(readSettings({ ...SMTP, SMTP_CA_FILE: file }).mail).toMatchObject({ authorities: [one, other] });
  writeFileSync(file, one.replace("MII", "hunter2"));
  expect(() => readSettings({ ...SMTP, SMTP_CA_FILE: file })).toThrow("SMTP_CA_FILE");
});

const CONTROL_ONLY = { RELAYKEY_CONTROL_URL: URLS.RELAYKEY_CONTROL_URL };

test.each<[string, Record<string, string>, RegExp?]>([
  ["RELAYKEY_PROXY_URL", CONTROL_ONLY, /RELAYKEY_PROXY_URL and RELAYKEY_CONFIRM_URL must be set too/],
  ["RELAYKEY_PROXY_URL", { ...URLS, RELAYKEY_PROXY_URL: "http://hunter2.example.com" }],
  ["RELAYKEY_CONTROL_URL", { ...URLS, RELAYKEY_CONTROL_URL: "https://hunter2.example.com/path" }],
  ["RELAYKEY_CONFIRM_URL", { ...URLS, RELAYKEY_CONFIRM_URL: "hunter2.example.com" }],
  ["RELAYKEY_CONFIRM_URL", { ...URLS, RELAYKEY_CONFIRM_URL: URLS.RELAYKEY_CONTROL_URL }, /different/],
  ["RELAYKEY_DEV_UPSTREAMS", { RELAYKEY_DEV_UPSTREAMS: "hunter2" }],
  ["RELAYKEY_TRUSTED_PROXIES", { RELAYKEY_TRUSTED_PROXIES: "hunter2" }],
  ["RELAYKEY_TRUSTED_PROXIES", { RELAYKEY_TRUSTED_PROXIES: "0.0.0.0/0" }],
  ["RELAYKEY_MAIL_TRANSPORT", { RELAYKEY_MAIL_TRANSPORT: "hunter2" }],
  ["RELAYKEY_MAIL_FROM", { ...SMTP, RELAYKEY_MAIL_FROM: "" }],
  ["RELAYKEY_MAIL_FROM", { ...RESEND, RELAYKEY_MAIL_FROM: "hunter2" }],
  ["SMTP_URL", { ...SMTP, SMTP_URL: "" }],
  ["SMTP_URL", { ...SMTP, SMTP_URL: "smtp://u:hunter2@mail.example.com?security=none" }],
  ["SMTP_CA_FILE", { ...SMTP, SMTP_CA_FILE: "/nowhere/hunter2" }, /cannot be read/],
  ["SMTP_CA_FILE", { ...SMTP, SMTP_CA_FILE: "/dev/null" }, /no certificate/],
  ["RESEND_API_KEY", { ...RESEND, RESEND_API_KEY: "" }],
  ["RESEND_API_KEY", { ...RESEND, RESEND_API_KEY: "re_hunter2\r\nX: y" }],
  ["RESEND_WEBHOOK_SECRET", { ...RESEND, RESEND_WEBHOOK_SECRET: "whsec_hunter2" }],
  ["RESEND_BASE_URL", { ...RESEND, RESEND_BASE_URL: "https://hunter2.example.com" }],
])("%s is named when it is wrong, and not repeated: %j", (name, environment, words) => {
  let problem: unknown;
  try {
    readSettings(environment);
  } catch (error) {
    problem = error;
  }
  expect(problem).toBeInstanceOf(StartError);
  expect((problem as Error).message).toContain(name);
  if (words !== undefined) expect((problem as Error).message).toMatch(words);
  expect((problem as Error).message).not.toContain("hunter2");
});
