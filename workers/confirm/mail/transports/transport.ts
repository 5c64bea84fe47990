import type { OutgoingMail } from "@relaykey/core/mail";

/** Whom a mail is for, where that is a key holder: what a bounce is reported about. */
export interface Addressee {
  readonly organizationId: string;
  readonly holderId: string;
}

/** What became of an attempt to send. Details are codes, never an address or a server's words. */
export type Delivery =
  | { readonly state: "sent" }
  /** For good: by what is wrong with the address, or with the mail. */
  | { readonly state: "refused"; readonly fault: "address" | "mail"; readonly detail: string }
  /** Not now. */
  | { readonly state: "failed"; readonly detail: string; readonly retryAfterSeconds: number | null };

/** A way for mail to leave. Never throws: what cannot be sent is a value. */
export interface Transport {
  send(mail: OutgoingMail, addressee: Addressee | null): Promise<Delivery>;
}

export const SENT: Delivery = { state: "sent" };

export function failed(detail: string, retryAfterSeconds: number | null = null): Delivery {
  return { state: "failed", detail, retryAfterSeconds };
}
