import { isId } from "@relaykey/core/ids";
import type { AdminEventRecord } from "@relaykey/db/queries/admin-log";
import type { SubjectKind } from "@relaykey/db/queries/admin-events";
import { VIAS } from "@relaykey/db/schema/organizations";
import { queryAdminEvents, showAdminEvent } from "../../service/admin-log.ts";
import { readCursor, unwrap } from "./page.ts";
import type { Visit } from "./page.ts";

const PAGE = 50;

/** What an event can be about, in words, and where such a thing has its page. */
const SUBJECTS: Record<SubjectKind, { readonly noun: string; readonly page: string | null }> = {
  organization: { noun: "organization", page: null },
  integration: { noun: "integration", page: "/integrations" },
  holder: { noun: "holder", page: "/holders" },
  key: { noun: "key", page: "/keys" },
  management_token: { noun: "management token", page: null },
  user: { noun: "person", page: null },
  membership: { noun: "membership", page: null },
  invitation: { noun: "invitation", page: null },
  domain_claim: { noun: "domain", page: null },
  webhook_endpoint: { noun: "webhook", page: null },
  webhook_delivery: { noun: "webhook delivery", page: null },
  notice: { noun: "notice", page: null },
};

const VIA_WORDS: Record<(typeof VIAS)[number], string> = {
  api: "API",
  dashboard: "dashboard",
  cli: "CLI",
  confirmation: "confirmation page",
  system: "the installation",
};

const ACTOR_WORDS: Record<AdminEventRecord["actorKind"], string> = {
  management_token: "a management token",
  user: "a person",
  holder: "a holder",
  system: "the installation",
};

/** The words for who acted and through what; what is not known is shown as it is. */
export function actorWords(kind: string): string {
  return Object.hasOwn(ACTOR_WORDS, kind) ? ACTOR_WORDS[kind as AdminEventRecord["actorKind"]] : kind;
}

export function viaWords(via: string): string {
  return Object.hasOwn(VIA_WORDS, via) ? VIA_WORDS[via as (typeof VIAS)[number]] : via;
}

/** An event as a list shows it. Every member is named: nothing of a row reaches a page by itself. */
function show(event: AdminEventRecord) {
  const subject = isSubjectKind(event.subjectKind) ? SUBJECTS[event.subjectKind] : null;
  return {
    id: event.id,
    at: event.at.toISOString(),
    action: event.action,
    says: sayAction(event.action),
    subject: event.subjectName ?? event.subjectId,
    subjectNoun: subject?.noun ?? event.subjectKind,
    subjectPage: subject?.page === null || subject === null ? null : `${subject.page}/${event.subjectId}`,
    actor: event.actorName ?? ACTOR_WORDS[event.actorKind],
    via: VIA_WORDS[event.via],
    ip: event.ip,
  };
}

export type ShownAdminEvent = ReturnType<typeof show>;

export async function readAdminEvents({ deps, caller, url }: Visit) {
  const search = url.searchParams;
  const subject = search.get("subject") ?? "";
  const subjectId = search.get("subject_id") ?? "";
  const via = VIAS.find((name) => name === search.get("via"));
  const page = unwrap(
    await queryAdminEvents(
      deps,
      caller,
      {
        ...(isSubjectKind(subject) ? { subjectKind: subject } : {}),
        ...(isId(subjectId) ? { subjectId } : {}),
        ...(via === undefined ? {} : { via }),
      },
      { limit: PAGE, cursor: readCursor(search) },
    ),
  );
  return {
    events: page.entries.map(show),
    nextCursor: page.nextCursor,
    subjectId: isId(subjectId) ? subjectId : null,
    subjects: Object.entries(SUBJECTS).map(([value, { noun }]) => ({ value, label: noun })),
    vias: VIAS.map((value) => ({ value, label: VIA_WORDS[value] })),
  };
}

export type AdminEvents = Awaited<ReturnType<typeof readAdminEvents>>;

/** One event with what there was before, and what there is since. */
export async function readAdminEvent({ deps, caller }: Visit, id: string) {
  const event = unwrap(await showAdminEvent(deps, caller, id));
  const { before, after } = event;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return {
    ...show(event),
    changes: names.map((name) => ({ name, before: print(before?.[name]), after: print(after?.[name]) })),
    more: Object.entries(parseFacts(event.metadata)).map(([name, value]) => ({
      name,
      value: print(value) ?? "",
    })),
  };
}

export type AdminEventDetail = Awaited<ReturnType<typeof readAdminEvent>>;

/** "key.revoked" is "Key revoked". */
function sayAction(action: string): string {
  const words = action.replaceAll(/[._]/g, " ");
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** null: it was not there. Texts as they are, all else as JSON. */
function print(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}

function parseFacts(json: string): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function isSubjectKind(text: string): text is SubjectKind {
  return Object.hasOwn(SUBJECTS, text);
}
