import { fromAnyBase64 } from "@relaykey/core/bytes";
import type { Bytes } from "@relaykey/core/bytes";
import { readClientIpSource } from "@relaykey/core/client-ip";
import type { ClientIpSource } from "@relaykey/core/client-ip";
import type { OutboxApi } from "@relaykey/core/mail";
import type { ConfirmationsApi } from "@relaykey/core/rpc";
import { Secret } from "@relaykey/core/secret";
import { parseMailbox } from "@relaykey/core/mailbox";
import type { Mailbox } from "@relaykey/core/mailbox";
import { outboxTransport } from "./mail/transports/outbox.ts";
import { resendTransport } from "./mail/transports/resend.ts";
import { parseSmtpUrl } from "@relaykey/core/smtp-url";
import { smtpTransport } from "./mail/transports/smtp.ts";
import type { Transport } from "./mail/transports/transport.ts";

/** What pages and mail need, parsed once per isolate. Nothing behind this type reads `env` again. */
export interface Dependencies {
  /** Where the pages are: scheme, host and port. */
  readonly origin: string;
  readonly clientIps: ClientIpSource;
  readonly confirmations: ConfirmationsApi;
  /** Tags links, and binds page forms to a browser. */
  readonly key: CryptoKey;
  readonly from: string;
  readonly transport: Transport;
  readonly notices: Pick<Queue, "send">;
  /** Null where no provider reports bounces. */
  readonly webhookSecret: Bytes | null;
}

/** The environment with what only some installations have: which, the transport decides. */
export type ConfirmEnv = Env & {
  readonly RESEND_API_KEY?: string;
  readonly RESEND_WEBHOOK_SECRET?: string;
  readonly SMTP_URL?: string;
  readonly OUTBOX?: OutboxApi;
};

/** A binding, variable or secret is missing or malformed; the message names it and says what it must be. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

const RESEND_URL = "https://api.resend.com";
const KEY_BYTES = 32;

/** @throws ConfigurationError naming the first binding, variable or secret that is missing or malformed. */
export async function configure(env: ConfirmEnv): Promise<Dependencies> {
  for (const name of ["CONFIRMATIONS", "NOTICE_QUEUE"] as const) {
    // A service binding is callable where it is made by the runtime.
    if (!["object", "function"].includes(typeof env[name])) {
      throw new ConfigurationError(`The binding ${name} is missing: declare it in wrangler.toml.`);
    }
  }
  const edition = text(env, "RELAYKEY_EDITION");
  if (edition !== "cloudflare" && edition !== "local") {
    throw new ConfigurationError(`RELAYKEY_EDITION must be "cloudflare" or "local".`);
  }
  const from = text(env, "RELAYKEY_MAIL_FROM");
  const mailbox = parseMailbox(from);
  if (mailbox === null) {
    throw new ConfigurationError('RELAYKEY_MAIL_FROM must be an address, or "Name <address>".');
  }
  const trustedProxies: unknown = env.RELAYKEY_TRUSTED_PROXIES;
  const clientIps = readClientIpSource(edition, typeof trustedProxies === "string" ? trustedProxies : "");
  if (!clientIps.ok) throw new ConfigurationError(clientIps.detail);
  return {
    origin: parseOrigin(text(env, "RELAYKEY_CONFIRM_URL"), edition),
    clientIps: clientIps.source,
    confirmations: env.CONFIRMATIONS as unknown as ConfirmationsApi,
    key: await parseKey(text(env, "RELAYKEY_CONFIRM_KEY")),
    from,
    transport: parseTransport(env, mailbox, edition),
    notices: env.NOTICE_QUEUE,
    webhookSecret: parseWebhookSecret(env.RESEND_WEBHOOK_SECRET),
  };
}

function parseOrigin(text: string, edition: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const secure = url?.protocol === "https:" || (edition === "local" && url?.protocol === "http:");
  if (url === null || !secure || url.origin !== text.replace(/\/$/, "")) {
    throw new ConfigurationError("RELAYKEY_CONFIRM_URL must be an https URL without a path.");
  }
  return url.origin;
}

async function parseKey(text: string): Promise<CryptoKey> {
  const bytes = fromAnyBase64(text);
  if (bytes?.length !== KEY_BYTES) {
    throw new ConfigurationError("RELAYKEY_CONFIRM_KEY is malformed: it must be 32 random bytes in base64.");
  }
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

function parseTransport(env: ConfirmEnv, from: Mailbox, edition: string): Transport {
  const kind = text(env, "RELAYKEY_MAIL_TRANSPORT");
  switch (kind) {
    case "resend":
      return resendTransport(parseResendUrl(env, edition), new Secret(text(env, "RESEND_API_KEY")));
    case "smtp": {
      const settings = parseSmtpUrl(text(env, "SMTP_URL"));
      if (settings === null) {
        throw new ConfigurationError(
          "SMTP_URL is malformed: it must be smtps://…@HOST:465 or smtp://…@HOST:587, with USER:PASSWORD before the @.",
        );
      }
      return smtpTransport(settings, from);
    }
    case "outbox":
      if (env.OUTBOX === undefined) {
        throw new ConfigurationError(
          `The binding OUTBOX is missing: RELAYKEY_MAIL_TRANSPORT "outbox" works in the local edition only.`,
        );
      }
      return outboxTransport(env.OUTBOX);
    default:
      throw new ConfigurationError(`RELAYKEY_MAIL_TRANSPORT must be "resend", "smtp" or "outbox".`);
  }
}

/** Whoever answers there gets the API key and every link: a program on this machine, and only in development. */
function parseResendUrl(env: ConfirmEnv, edition: string): string {
  const url: unknown = env.RESEND_BASE_URL;
  if (url === undefined || url === "") return RESEND_URL;
  if (edition === "local" && typeof url === "string" && /^http:\/\/127\.0\.0\.1:\d{1,5}$/.test(url))
    return url;
  throw new ConfigurationError(
    `RESEND_BASE_URL must be empty; with RELAYKEY_EDITION "local" it may be http://127.0.0.1:PORT.`,
  );
}

/** Resend shows it as `whsec_` and base64 (Standard Webhooks). */
function parseWebhookSecret(secret: string | undefined): Bytes | null {
  if (secret === undefined || secret === "") return null;
  const bytes = secret.startsWith("whsec_") ? fromAnyBase64(secret.slice("whsec_".length)) : null;
  if (bytes === null || bytes.length < 16) {
    throw new ConfigurationError(
      "RESEND_WEBHOOK_SECRET is malformed: it must be the whsec_… that Resend shows.",
    );
  }
  return bytes;
}

type TextName = Exclude<keyof ConfirmEnv, "CONFIRMATIONS" | "NOTICE_QUEUE" | "OUTBOX">;

function text(env: ConfirmEnv, name: TextName): string {
  const value: unknown = env[name];
  if (typeof value !== "string" || value === "") {
    throw new ConfigurationError(`${name} is missing: set it as a variable or secret of this Worker.`);
  }
  return value;
}
