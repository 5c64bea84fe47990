import * as z from "zod/mini";

/**
 * What the queue `relaykey-mail` carries to the confirm Worker, which alone has a mail credential. A confirmation names the
 * pending entry only, a review the holder and which mail it is: their links are made when the mail is, so that no queue
 * holds one and what was withdrawn is never mailed.
 */
export type MailMessage =
  | {
      readonly v: 1;
      readonly kind: "confirmation";
      readonly holderLocator: string;
      readonly pendingId: string;
    }
  | {
      readonly v: 1;
      readonly kind: "review";
      readonly holderLocator: string;
      readonly generation: number;
    }
  | {
      readonly v: 1;
      readonly kind: "sign_in";
      /** Makes a repeated delivery the same mail. */
      readonly id: string;
      readonly to: string;
      readonly link: string;
      readonly code: string;
      readonly ip: string | null;
      readonly userAgent: string | null;
      readonly expiresAt: number;
    }
  | {
      readonly v: 1;
      readonly kind: "invitation";
      readonly id: string;
      readonly to: string;
      readonly link: string;
      readonly organization: string;
      readonly invitedBy: string | null;
      readonly role: string;
      readonly expiresAt: number;
    }
  | {
      readonly v: 1;
      readonly kind: "alert";
      readonly id: string;
      readonly to: string;
      readonly organization: string;
      /** One line, also the subject. */
      readonly title: string;
      /** Paragraphs of plain text. */
      readonly text: readonly string[];
      readonly action: { readonly label: string; readonly url: string } | null;
    };

/** A mail as it leaves: rendered, for one address. */
export interface OutgoingMail {
  /** The same for a repeated delivery of the same mail. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

/** Where the local edition's mail ends: it keeps and shows what would have been sent. */
export interface OutboxApi {
  /** Keeps a mail; one that it has already changes nothing. */
  deliver(mail: OutgoingMail): Promise<void>;
}

const line = z.string().check(z.minLength(1), z.maxLength(512));
const url = z.string().check(z.regex(/^https?:\/\/\S+$/), z.maxLength(2_048));
const common = { v: z.literal(1), id: line, to: line };
const moment = z.int().check(z.minimum(0));

const schema = z.discriminatedUnion("kind", [
  z.strictObject({ v: z.literal(1), kind: z.literal("confirmation"), holderLocator: line, pendingId: line }),
  z.strictObject({ v: z.literal(1), kind: z.literal("review"), holderLocator: line, generation: moment }),
  z.strictObject({
    ...common,
    kind: z.literal("sign_in"),
    link: url,
    code: line,
    ip: z.nullable(z.string()),
    userAgent: z.nullable(z.string()),
    expiresAt: moment,
  }),
  z.strictObject({
    ...common,
    kind: z.literal("invitation"),
    link: url,
    organization: line,
    invitedBy: z.nullable(z.string()),
    role: line,
    expiresAt: moment,
  }),
  z.strictObject({
    ...common,
    kind: z.literal("alert"),
    organization: line,
    title: line,
    text: z.array(z.string().check(z.maxLength(4_096))).check(z.maxLength(50)),
    action: z.nullable(z.strictObject({ label: line, url })),
  }),
]);

export function encodeMail(message: MailMessage): string {
  return JSON.stringify(schema.parse(message));
}

/** @returns null when the text is no mail message of this format. */
export function decodeMail(text: string): MailMessage | null {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
