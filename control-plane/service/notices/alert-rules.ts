import type { Notice, NoticeType } from "@relaykey/core/notice";
import type { AlertThrottle } from "@relaykey/db/queries/notices";

const HOUR_MS = 3_600_000;

interface AlertRule {
  /** What happens again and again to the same subject is one mail in this time. */
  readonly windowMs: number;
  readonly subject: (notice: AlertSubject) => string | null;
  /** Mails of the kind in that time, over all subjects of the organization. */
  readonly mailsPerWindow: number;
}

type AlertSubject = Pick<Notice, "keyId" | "holderId" | "integrationId" | "data">;

/** Which notices are mailed to admins. The others are in the inbox, and go to webhooks. */
const RULES: Partial<Record<NoticeType, AlertRule>> = {
  "key.frozen": { windowMs: HOUR_MS, subject: ({ keyId }) => keyId, mailsPerWindow: 10 },
  "key.blocked_storm": { windowMs: 6 * HOUR_MS, subject: ({ keyId }) => keyId, mailsPerWindow: 3 },
  "key.expiring": { windowMs: 20 * HOUR_MS, subject: () => "all", mailsPerWindow: 1 },
  "holder.confirmation_storm": {
    windowMs: 6 * HOUR_MS,
    subject: ({ holderId }) => holderId,
    mailsPerWindow: 3,
  },
  "holder.mail_failed": { windowMs: 24 * HOUR_MS, subject: ({ holderId }) => holderId, mailsPerWindow: 5 },
  "integration.failing": {
    windowMs: HOUR_MS,
    subject: ({ integrationId }) => integrationId,
    mailsPerWindow: 5,
  },
  "custody.key_refused": { windowMs: 6 * HOUR_MS, subject: () => "all", mailsPerWindow: 1 },
  "audit.chain_broken": { windowMs: HOUR_MS, subject: () => "all", mailsPerWindow: 1 },
  "webhook.disabled": {
    windowMs: HOUR_MS,
    subject: ({ data }) => String(data["endpoint_id"]),
    mailsPerWindow: 5,
  },
};

/** How a notice is mailed; null: it is not. What an admin does is no news to admins: only the holder's freeze is mailed. */
export function alertThrottle(notice: AlertSubject & { readonly type: NoticeType }): AlertThrottle | null {
  const rule = RULES[notice.type];
  if (rule === undefined) return null;
  const { windowMs, mailsPerWindow } = rule;
  return { windowMs, mailsPerWindow, subject: rule.subject(notice) ?? "all" };
}
