import { listNotices, markNoticesSeen } from "../../service/notices/inbox.ts";
import { presentPage } from "../presenters.ts";
import { answered, route } from "../route.ts";
import { pageRequest } from "../schemas/fields.ts";
import { noticePage, noticeQuery, presentNotice, seenAnswer, seenInput } from "../schemas/notices.ts";

export const noticeRoutes = [
  route({
    method: "GET",
    path: "/notices",
    id: "listNotices",
    action: "notice.read",
    tag: "Notices",
    summary: "List notices",
    description: "What admins should know, newest first. Webhooks carry the same.",
    query: noticeQuery,
    answer: noticePage,
    statuses: [200],
    handle: async ({ deps, caller, query }) => {
      const filter = {
        ...(query.type === undefined ? {} : { type: query.type }),
        unseen: query.unseen !== undefined,
      };
      return answered(await listNotices(deps, caller, filter, pageRequest(query)), (page) => ({
        json: presentPage(page, presentNotice),
      }));
    },
  }),
  route({
    method: "POST",
    path: "/notices/seen",
    id: "markNoticesSeen",
    action: "notice.change",
    tag: "Notices",
    summary: "Mark notices as seen",
    description: "For everybody in the organization.",
    body: seenInput,
    example: { up_to: "01890a5d-ac96-774b-bcce-b302099a8057" },
    answer: seenAnswer,
    statuses: [200],
    handle: async ({ deps, caller, body }) =>
      answered(
        await markNoticesSeen(deps, caller, "ids" in body ? { ids: body.ids } : { upTo: body.up_to }),
        (json) => ({ json }),
      ),
  }),
];
