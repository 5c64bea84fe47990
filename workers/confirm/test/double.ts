import { env } from "cloudflare:workers";
import type { MailMessage, OutgoingMail } from "@relaykey/core/mail";
import type { ConfirmationMail, ConfirmationView, ReviewMail } from "@relaykey/core/rpc";
import { configure } from "../config.ts";
import type { Dependencies } from "../config.ts";
import type { QueuedMail } from "../mail/consume.ts";
import type { Transport } from "../mail/transports/transport.ts";

/** The stand-ins beside the Worker (confirmations.js, outbox.js), as tests speak to them. */
interface Doubles {
  readonly CONFIRMATIONS: {
    arrangeMail(pendingId: string, mail: ConfirmationMail | "down"): Promise<void>;
    arrangeReview(generation: number, mail: ReviewMail): Promise<void>;
  };
  readonly OUTBOX: { kept(to: string): Promise<OutgoingMail[]> };
}

export const doubles = env as unknown as Doubles;

export const ORGANIZATION = "0195d8f0-0000-7000-8000-000000000001";
export const HOLDER = "0195d8f0-0000-7000-8000-000000000002";

export function aView(more: Partial<ConfirmationView> = {}): ConfirmationView {
  return {
    state: "pending",
    pending: {
      id: "pending",
      network: "203.0.113.7",
      keyId: "0195d8f0-0000-7000-8000-000000000003",
      request: {
        method: "POST",
        path: "/v1/chat/completions",
        userAgent: "curl/8.14.1",
        integration: "openai",
        address: "203.0.113.7",
        place: {
          country: "DE",
          region: "Berlin",
          city: "Berlin",
          asn: 3_320,
          network: "Deutsche Telekom AG",
        },
      },
      since: Date.UTC(2026, 10, 24, 14, 5),
      lastSeen: Date.UTC(2026, 10, 24, 14, 6),
      attempts: 1,
      expiresAt: Date.UTC(2026, 10, 24, 14, 20),
      mailed: true,
    },
    keyName: "Laptop",
    keyDisplay: "rk_proxy_…a1b2",
    holderName: "Ann",
    organizationName: "Acme",
    numberMatching: false,
    expiresAt: Date.UTC(2026, 10, 24, 14, 20),
    ...more,
  };
}

/** Arranges a mail that is due; its message for the queue. */
export async function dueMail(
  to: string,
  view: ConfirmationView = aView(),
): Promise<{ message: MailMessage; mail: ConfirmationMail }> {
  const pendingId = crypto.randomUUID();
  const mail: ConfirmationMail = {
    to,
    view,
    token: "A".repeat(43),
    mailId: `mail-${pendingId}`,
    organizationId: ORGANIZATION,
    holderId: HOLDER,
  };
  await doubles.CONFIRMATIONS.arrangeMail(pendingId, mail);
  return { message: { v: 1, kind: "confirmation", holderLocator: "0123456789abcdef", pendingId }, mail };
}

let generations = 0;

/** Arranges a mail that its holder has asked for; its message for the queue. */
export async function dueReview(
  to: string,
  change: Partial<ReviewMail> = {},
): Promise<{ message: MailMessage; mail: ReviewMail }> {
  generations += 1;
  const mail: ReviewMail = {
    to,
    organizationId: ORGANIZATION,
    holderId: HOLDER,
    holderName: "Ann",
    organizationName: "Acme",
    token: "A".repeat(43),
    mailId: `review-${crypto.randomUUID()}`,
    expiresAt: Date.UTC(2026, 10, 24, 14, 50),
    ...change,
  };
  await doubles.CONFIRMATIONS.arrangeReview(generations, mail);
  const message = {
    v: 1,
    kind: "review",
    holderLocator: "0123456789abcdef",
    generation: generations,
  } as const;
  return { message, mail };
}

/** The Worker's own dependencies, with notices kept in a list and, where a test wants it, another transport. */
export async function dependencies(
  transport?: Transport,
): Promise<{ deps: Dependencies; notices: Record<string, unknown>[] }> {
  const notices: Record<string, unknown>[] = [];
  const deps = await configure(env);
  const send = (body: unknown): Promise<QueueSendResponse> => {
    notices.push(JSON.parse(String(body)) as Record<string, unknown>);
    return Promise.resolve({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } });
  };
  return { deps: { ...deps, notices: { send }, ...(transport === undefined ? {} : { transport }) }, notices };
}

/** A message of the queue that notes what became of it. */
export function queued(body: unknown, attempts = 1): QueuedMail & { fate: string } {
  return {
    id: crypto.randomUUID(),
    body,
    attempts,
    fate: "forgotten",
    ack() {
      this.fate = "acked";
    },
    retry(options) {
      this.fate = `retried in ${String(options?.delaySeconds)}`;
    },
  };
}
