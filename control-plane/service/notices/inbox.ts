import type { NoticeType } from "@relaykey/core/notice";
import * as queries from "@relaykey/db/queries/notices";
import type { NoticeRow } from "@relaykey/db/queries/notices";
import { authorize } from "../authorization.ts";
import { adminEvent } from "../caller.ts";
import type { Caller } from "../caller.ts";
import type { ServiceDependencies } from "../dependencies.ts";
import { ok } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { toPage } from "../page.ts";
import type { Page, PageRequest } from "../page.ts";

export async function listNotices(
  deps: ServiceDependencies,
  caller: Caller,
  filter: { readonly type?: NoticeType; readonly unseen?: boolean },
  page: PageRequest,
): Promise<Outcome<Page<NoticeRow>>> {
  const allowed = authorize(caller, "notice.read");
  if (!allowed.ok) return allowed;
  const rows = await queries.listNotices(deps.db, caller.organizationId, filter, {
    limit: page.limit + 1,
    before: page.cursor,
  });
  return ok(toPage(rows, page.limit, ({ id }) => id));
}

/** Marks notices as seen, for everybody in the organization. @returns how many were not before. */
export async function markNoticesSeen(
  deps: ServiceDependencies,
  caller: Caller,
  which: { readonly ids: readonly string[] } | { readonly upTo: string },
): Promise<Outcome<{ readonly marked: number }>> {
  const allowed = authorize(caller, "notice.change");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const event = adminEvent(
    caller,
    "notices.seen",
    { kind: "organization", id: organizationId },
    { metadata: { ...which } },
  );
  const marked = await queries.markSeen(deps.db, organizationId, which, new Date(deps.now()), event);
  return ok({ marked });
}
