import * as z from "zod/mini";
import { isId } from "./ids.ts";

/** Something an organization's admins, and its webhooks, are told of. The names are public: webhooks carry them as `type`. */
export const NOTICE_TYPES = {
  "key.created": "A key was issued",
  "key.revoked": "A key was revoked",
  "key.expiring": "A key expires soon",
  "key.frozen": "A key was frozen",
  "key.unfrozen": "A key was unfrozen",
  "key.blocked_storm": "Many requests of a key are blocked",
  "holder.network_pending": "A new address waits for confirmation",
  "holder.network_confirmed": "A new address was confirmed",
  "holder.network_removed": "A holder stopped trusting an address",
  "holder.confirmation_storm": "Many new addresses at once",
  "holder.mail_failed": "Mail to a holder does not arrive",
  "integration.failing": "A vendor refuses its key",
  "custody.key_refused": "A customer-managed key refuses to open vendor keys",
  "audit.chain_broken": "The audit log does not fit its chain",
  "webhook.disabled": "A webhook endpoint was disabled",
  "webhook.test": "A test of a webhook endpoint",
} as const;

export type NoticeType = keyof typeof NOTICE_TYPES;

/**
 * `data.reason` of `holder.mail_failed`: what became of mail to the holder's address (`data.address`). Only "undelivered"
 * leaves the address usable: it was the sending that failed.
 */
export type MailFailure = "bounced" | "complained" | "undelivered";

/** One happening, as the queue `relaykey-notices` carries it from the planes to the control plane. */
export interface Notice {
  readonly v: 1;
  readonly type: NoticeType;
  /** The same happening reported again has the same. */
  readonly dedupeKey: string;
  readonly organizationId: string;
  readonly keyId: string | null;
  readonly holderId: string | null;
  readonly integrationId: string | null;
  /** Epoch ms. */
  readonly at: number;
  /** Facts for people and programs; never a secret. */
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

const id = z.string().check(z.refine(isId, "not a UUID"));

const schema = z.strictObject({
  v: z.literal(1),
  type: z.enum(Object.keys(NOTICE_TYPES) as [NoticeType, ...NoticeType[]]),
  dedupeKey: z.string().check(z.minLength(1), z.maxLength(256)),
  organizationId: id,
  keyId: z.nullable(id),
  holderId: z.nullable(id),
  integrationId: z.nullable(id),
  at: z.int().check(z.minimum(0)),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

export function encodeNotice(notice: Notice): string {
  return JSON.stringify(schema.parse(notice));
}

/** @returns null when the text is no notice of this format. */
export function decodeNotice(text: string): Notice | null {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
