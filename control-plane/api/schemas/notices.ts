import * as z from "zod";
import { NOTICE_TYPES } from "@relaykey/core/notice";
import type { NoticeType } from "@relaykey/core/notice";
import type { NoticeRow } from "@relaykey/db/queries/notices";
import { at, pageOf, uuid } from "./answers.ts";
import { id, page, strict } from "./fields.ts";

const names = Object.keys(NOTICE_TYPES) as [NoticeType, ...NoticeType[]];

export const noticeType = z.enum(names, `Give one of: ${names.join(", ")}.`);

export const noticeQuery = strict({
  ...page,
  type: noticeType.optional(),
  unseen: z.literal("true", "Give true, or leave it out.").optional(),
});

/** Either some, or all up to the newest that was looked at. */
export const seenInput = z.union(
  [
    strict({ ids: z.array(id).min(1, "Give at least one id.").max(200, "Give at most 200 ids.") }),
    strict({ up_to: id }),
  ],
  "Give either ids or up_to.",
);

const noticeShape = z
  .strictObject({
    id: uuid,
    type: z.enum(names),
    title: z.string(),
    key_id: uuid.nullable(),
    holder_id: uuid.nullable(),
    integration_id: uuid.nullable(),
    data: z.record(z.string(), z.unknown()),
    at,
    seen_at: at.nullable(),
  })
  .meta({ id: "Notice" });

export const noticePage = pageOf(noticeShape);
export const seenAnswer = z.strictObject({ marked: z.int() });

export function presentNotice(notice: NoticeRow): z.output<typeof noticeShape> {
  const type = notice.type as NoticeType;
  return {
    id: notice.id,
    type,
    title: NOTICE_TYPES[type],
    key_id: notice.keyId,
    holder_id: notice.holderId,
    integration_id: notice.integrationId,
    data: { ...notice.data },
    at: notice.at,
    seen_at: notice.seenAt,
  };
}
