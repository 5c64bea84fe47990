import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { fromAnyBase64 } from "@relaykey/core/bytes";
import { parseMailbox } from "@relaykey/core/mailbox";
import { parseSmtpUrl } from "@relaykey/core/smtp-url";
import { StartError } from "./config/error.ts";
import type { Outbound } from "./config/workerd.ts";

/** How mail leaves. */
export type MailSettings =
  | { readonly transport: "outbox" }
  | {
      readonly transport: "smtp";
      readonly from: string;
      /** Holds the password. */
      readonly url: string;
      /** Certificates (PEM) that vouch for the server, beside those that browsers trust. */
      readonly authorities: readonly string[];
    }
  | {
      readonly transport: "resend";
      readonly from: string;
      readonly apiKey: string;
      readonly webhookSecret: string | null;
      /** A server on this machine that answers in Resend's place. */
      readonly baseUrl: string | null;
    };

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws StartError naming the first variable that is missing or malformed. What another transport needs is not looked at. */
export function readMailSettings(environment: Environment): MailSettings {
  const transport = environment["RELAYKEY_MAIL_TRANSPORT"] || "outbox";
  if (transport !== "outbox" && transport !== "smtp" && transport !== "resend") {
    throw new StartError(`RELAYKEY_MAIL_TRANSPORT must be "outbox", "smtp" or "resend".`);
  }
  switch (transport) {
    case "outbox":
      return { transport };
    case "smtp":
      return { transport, from: readFrom(environment), ...readSmtp(environment) };
    case "resend":
      return { transport, from: readFrom(environment), ...readResend(environment) };
  }
}

function readFrom(environment: Environment): string {
  const from = environment["RELAYKEY_MAIL_FROM"] ?? "";
  if (parseMailbox(from) !== null) return from;
  throw new StartError(
    `RELAYKEY_MAIL_FROM must be whom mail is from: an address, or "Name <address>", that your mail server may send for.`,
  );
}

function readSmtp(environment: Environment): { url: string; authorities: string[] } {
  const url = environment["SMTP_URL"] ?? "";
  if (parseSmtpUrl(url) === null) {
    throw new StartError(
      "SMTP_URL must be smtps://…@HOST:465 or smtp://…@HOST:587, with USER:PASSWORD before the @ where the server asks for them.",
    );
  }
  const file = environment["SMTP_CA_FILE"] ?? "";
  return { url, authorities: file === "" ? [] : readAuthorities(file) };
}

function readAuthorities(file: string): string[] {
  const certificates = readText(file).match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (certificates?.every(isCertificate) !== true) {
    throw new StartError("SMTP_CA_FILE holds no certificate, or one that cannot be read: it must be PEM.");
  }
  return certificates;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new StartError("SMTP_CA_FILE cannot be read: it must be the path of a file of certificates (PEM).");
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function readResend(environment: Environment): {
  apiKey: string;
  webhookSecret: string | null;
  baseUrl: string | null;
} {
  const apiKey = environment["RESEND_API_KEY"] ?? "";
  if (!/^re_[\x21-\x7e]+$/.test(apiKey)) {
    throw new StartError("RESEND_API_KEY must be the re_… that Resend shows.");
  }
  const webhookSecret = environment["RESEND_WEBHOOK_SECRET"] ?? "";
  const bytes = webhookSecret.startsWith("whsec_")
    ? fromAnyBase64(webhookSecret.slice("whsec_".length))
    : null;
  if (webhookSecret !== "" && (bytes?.length ?? 0) < 16) {
    throw new StartError("RESEND_WEBHOOK_SECRET must be the whsec_… that Resend shows.");
  }
  const baseUrl = environment["RESEND_BASE_URL"] ?? "";
  if (baseUrl !== "" && !/^http:\/\/127\.0\.0\.1:\d{1,5}$/.test(baseUrl)) {
    throw new StartError("RESEND_BASE_URL must be empty, or http://127.0.0.1:PORT for development.");
  }
  return {
    apiKey,
    webhookSecret: webhookSecret === "" ? null : webhookSecret,
    baseUrl: baseUrl === "" ? null : baseUrl,
  };
}

/** Where the Worker that sends mail may connect to. */
export function mailOutbound(mail: MailSettings): Outbound {
  switch (mail.transport) {
    case "outbox":
      return { kind: "nothing" };
    case "smtp":
      // A mail server may well stand in the operator's own network, or be this machine.
      return { kind: "network", allow: ["public", "private", "local"], trust: mail.authorities };
    case "resend":
      return { kind: "network", allow: [mail.baseUrl === null ? "public" : "local"] };
  }
}
