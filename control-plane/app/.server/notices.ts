import { NOTICE_TYPES } from "@relaykey/core/notice";
import type { NoticeType } from "@relaykey/core/notice";
import type { NoticeRow } from "@relaykey/db/queries/notices";
import { actorWords, viaWords } from "./admin-events.ts";

/** A notice as the inbox shows it. */
export interface ShownNotice {
  readonly id: string;
  readonly at: string;
  readonly title: string;
  readonly about: string;
  readonly to: string | null;
  readonly details: string;
  readonly isNew: boolean;
}

/** Facts that stand in a column of their own, or that people have no use for. */
const NOT_DETAILS = new Set([
  "key",
  "holder",
  "integration",
  "display",
  "pending_id",
  "endpoint_id",
  "reason",
  "freezes",
  "stage",
]);

/** What a fact is called, and its values, where people say it differently. */
const WORDS: Readonly<Record<string, (value: string) => string>> = {
  by: (kind) => `by ${actorWords(kind)}`,
  via: viaWords,
  reason_title: (title) => title,
  what: (text) => text,
};

const ISO_MOMENT = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z$/;

function sayFact(name: string, value: string): string {
  const say = WORDS[name];
  if (say !== undefined) return say(value);
  return `${name.replaceAll("_", " ")} ${value.replace(ISO_MOMENT, "$1 $2 UTC")}`;
}

export function showNotice(notice: NoticeRow): ShownNotice {
  const { data, keyId, holderId, integrationId } = notice;
  const fact = (name: string): string | null => {
    const value = data[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : null;
  };
  const endpoint = fact("endpoint_id");
  const to =
    keyId !== null
      ? `/keys/${keyId}`
      : holderId !== null
        ? `/holders/${holderId}`
        : integrationId !== null
          ? `/integrations/${integrationId}`
          : endpoint === null
            ? null
            : `/settings/webhooks/${endpoint}`;
  const names = [fact("key"), fact("holder") ?? fact("integration")].filter((name) => name !== null);
  return {
    id: notice.id,
    at: notice.at.toISOString(),
    title: NOTICE_TYPES[notice.type as NoticeType],
    about: names.length > 0 ? names.join(" · ") : (fact("url") ?? fact("address") ?? "Organization"),
    to,
    details: Object.keys(data)
      .filter((name) => !NOT_DETAILS.has(name) && fact(name) !== null)
      .map((name) => sayFact(name, fact(name) ?? ""))
      .join(" · "),
    isNew: notice.seenAt === null,
  };
}

/** The choice of notices for a webhook, with their titles. */
export const NOTICE_CHOICES: readonly { readonly value: NoticeType; readonly label: string }[] =
  Object.entries(NOTICE_TYPES)
    .filter(([type]) => type !== "webhook.test")
    .map(([type, title]) => ({ value: type as NoticeType, label: title }));

/** Of what a form sent, the types that there are. */
export function readTypes(values: readonly string[]): NoticeType[] {
  return values.filter((value): value is NoticeType => Object.hasOwn(NOTICE_TYPES, value));
}
