import type { NoticeRow } from "@relaykey/db/queries/notices";

/** What a receiver gets of a notice. The members are public and stay; new ones may come. */
export function webhookPayload(notice: NoticeRow): string {
  return JSON.stringify({
    type: notice.type,
    timestamp: notice.at.toISOString(),
    data: {
      id: notice.id,
      organization_id: notice.organizationId,
      key_id: notice.keyId,
      holder_id: notice.holderId,
      integration_id: notice.integrationId,
      ...notice.data,
    },
  });
}
