import { connect } from "cloudflare:sockets";
import { utf8 } from "@relaykey/core/bytes";
import type { OutgoingMail } from "@relaykey/core/mail";
import { domainOf, isAddress } from "@relaykey/core/mailbox";
import type { Mailbox } from "@relaykey/core/mailbox";
import { toMime } from "../mime.ts";
import { Dialogue } from "./smtp-dialogue.ts";
import type { Reply } from "./smtp-dialogue.ts";
import type { SmtpSettings } from "@relaykey/core/smtp-url";
import { SENT, failed } from "./transport.ts";
import type { Delivery, Transport } from "./transport.ts";

const DEADLINE_MS = 30_000;

/** A mail server of the operator's (RFC 5321), with a connection for each mail. */
export function smtpTransport(settings: SmtpSettings, from: Mailbox): Transport {
  return {
    async send(mail) {
      if (!isAddress(mail.to)) return { state: "refused", fault: "address", detail: "malformed" };
      const { host: hostname, port, security } = settings;
      let dialogue: Dialogue | null = null;
      const deadline = timer(DEADLINE_MS);
      try {
        const secureTransport = security === "tls" ? "on" : security === "starttls" ? "starttls" : "off";
        const socket = connect({ hostname, port }, { secureTransport, allowHalfOpen: false });
        dialogue = new Dialogue(socket);
        return await Promise.race([converse(dialogue, settings, from, mail), deadline.over]);
      } catch {
        return failed("connection");
      } finally {
        deadline.stop();
        await dialogue?.close();
      }
    },
  };
}

async function converse(
  dialogue: Dialogue,
  settings: SmtpSettings,
  from: Mailbox,
  mail: OutgoingMail,
): Promise<Delivery> {
  const greeting = await dialogue.reply();
  if (greeting.code !== 220) return answered("greeting", greeting);
  const hello = `EHLO ${domainOf(from.address)}`;
  let features = await dialogue.command(hello);
  if (settings.security === "starttls") {
    if (!offers(features, "STARTTLS")) return failed("no_starttls");
    const go = await dialogue.command("STARTTLS");
    if (go.code !== 220) return answered("starttls", go);
    dialogue.secure();
    features = await dialogue.command(hello);
  }
  if (features.code !== 250) return answered("ehlo", features);
  if (settings.user !== "") {
    const login = await authenticate(dialogue, settings, features);
    if (login.code !== 235) return answered("auth", login);
  }
  const foreign = /[^\x20-\x7e]/.test(mail.to);
  if (foreign && !offers(features, "SMTPUTF8")) {
    return { state: "refused", fault: "address", detail: "no_smtputf8" };
  }
  const sender = await dialogue.command(`MAIL FROM:<${from.address}>${foreign ? " SMTPUTF8" : ""}`);
  if (sender.code !== 250) return answered("mail", sender);
  const recipient = await dialogue.command(`RCPT TO:<${mail.to}>`);
  if (recipient.code !== 250 && recipient.code !== 251) return recipientRefused(recipient);
  const ready = await dialogue.command("DATA");
  if (ready.code !== 354) return answered("data", ready);
  const taken = await dialogue.data(toMime(mail, from, Date.now()));
  if (taken.code === 250) return SENT;
  return taken.code >= 500
    ? { state: "refused", fault: "mail", detail: detailOf("content", taken) }
    : answered("content", taken);
}

async function authenticate(
  dialogue: Dialogue,
  { user, password }: SmtpSettings,
  features: Reply,
): Promise<Reply> {
  if (offers(features, "AUTH", "PLAIN")) {
    return dialogue.command(`AUTH PLAIN ${base64(`\0${user}\0${password.reveal()}`)}`);
  }
  const asked = await dialogue.command("AUTH LOGIN");
  if (asked.code !== 334) return asked;
  const named = await dialogue.command(base64(user));
  return named.code === 334 ? dialogue.command(base64(password.reveal())) : named;
}

/** Whether the answer to EHLO lists an extension, with a parameter where one is asked for. */
function offers({ lines }: Reply, name: string, parameter?: string): boolean {
  const words = lines.map((line) => line.toUpperCase().split(/[ =]/));
  return words.some(
    ([first, ...rest]) => first === name && (parameter === undefined || rest.includes(parameter)),
  );
}

/** 5.7.x is about us (relaying, reputation), not about the address (RFC 3463 §3.8). */
function recipientRefused(reply: Reply): Delivery {
  const isPermanent = reply.code >= 500 && reply.status?.startsWith("5.7.") !== true;
  return isPermanent
    ? { state: "refused", fault: "address", detail: detailOf("recipient", reply) }
    : answered("recipient", reply);
}

/** What the operator, or time, can put right. */
function answered(step: string, reply: Reply): Delivery {
  return failed(detailOf(step, reply));
}

function detailOf(step: string, { code, status }: Reply): string {
  return `${step} ${String(code)}${status === null ? "" : ` ${status}`}`;
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...utf8(text)));
}

function timer(milliseconds: number): { readonly over: Promise<Delivery>; stop(): void } {
  let handle: ReturnType<typeof setTimeout>;
  const over = new Promise<Delivery>((resolve) => {
    handle = setTimeout(() => {
      resolve(failed("deadline"));
    }, milliseconds);
  });
  return {
    over,
    stop: () => {
      clearTimeout(handle);
    },
  };
}
