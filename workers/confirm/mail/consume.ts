import { decodeMail } from "@relaykey/core/mail";
import type { MailMessage } from "@relaykey/core/mail";
import type { Dependencies } from "../config.ts";
import { log } from "@relaykey/core/log";
import { compose, dueToHolder } from "./compose.ts";
import type { HolderMessage } from "./compose.ts";
import { reportFailure } from "./failure.ts";

/** A queue message, as far as it matters here. */
export interface QueuedMail {
  readonly id: string;
  readonly body: unknown;
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds: number }): void;
}

const FIRST_RETRY_SECONDS = 10;
const LAST_RETRY_SECONDS = 900;

/** Sends what is queued, one after another, each on its own: a mail that fails holds none back. */
export async function sendMail(messages: readonly QueuedMail[], deps: Dependencies): Promise<void> {
  for (const message of messages) {
    try {
      const pause = await sendOne(message, deps);
      if (pause === null) message.ack();
      else message.retry({ delaySeconds: pause });
    } catch {
      // The data plane or the notice queue did not answer.
      log("error", "mail_not_composed", { message: message.id, attempts: message.attempts });
      message.retry({ delaySeconds: backOff(message.attempts) });
    }
  }
}

/** What could not be sent for as long as the queue tries: it is told, and not tried again. */
export async function buryMail(messages: readonly QueuedMail[], deps: Dependencies): Promise<void> {
  for (const message of messages) {
    const mail = read(message);
    log("error", "mail_given_up", { message: message.id, kind: mail?.kind ?? "unreadable" });
    try {
      if (mail?.kind === "confirmation" || mail?.kind === "review")
        await reportUnsent(mail, message.id, deps);
      message.ack();
    } catch {
      message.retry({ delaySeconds: backOff(message.attempts) });
    }
  }
}

/** @returns seconds until the next attempt, or null when it is done with. */
async function sendOne(message: QueuedMail, deps: Dependencies): Promise<number | null> {
  const parsed = read(message);
  if (parsed === null) {
    log("error", "mail_unreadable", { message: message.id });
    return null;
  }
  const composed = await compose(parsed, deps);
  if (composed === null) {
    log("info", "mail_not_due", { message: message.id });
    return null;
  }
  const { mail, addressee } = composed;
  const delivery = await deps.transport.send(mail, addressee);
  const about = { message: message.id, kind: parsed.kind, attempts: message.attempts };
  switch (delivery.state) {
    case "sent":
      log("info", "mail_sent", about);
      return null;
    case "refused":
      log("error", "mail_refused", { ...about, fault: delivery.fault, detail: delivery.detail });
      if (addressee !== null) {
        const reason = delivery.fault === "address" ? "bounced" : "undelivered";
        await reportFailure(deps, addressee, { id: mail.id, reason, address: mail.to, at: Date.now() });
      }
      return null;
    case "failed":
      log("warn", "mail_failed", { ...about, detail: delivery.detail });
      return Math.max(delivery.retryAfterSeconds ?? 0, backOff(message.attempts));
  }
}

async function reportUnsent(message: HolderMessage, id: string, deps: Dependencies): Promise<void> {
  const due = await dueToHolder(message, deps);
  if (due === null) return;
  await reportFailure(deps, due, { id, reason: "undelivered", address: due.to, at: Date.now() });
}

function read({ body }: QueuedMail): MailMessage | null {
  return decodeMail(typeof body === "string" ? body : JSON.stringify(body));
}

/** Doubles from 10 s up to 15 min. */
function backOff(attempts: number): number {
  return Math.min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.min(attempts - 1, 10));
}
