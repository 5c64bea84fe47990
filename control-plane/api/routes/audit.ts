import { queryAuditEvents } from "../../service/audit.ts";
import { presentAuditEvent, presentPage } from "../presenters.ts";
import { answered, route } from "../route.ts";
import { auditPage, auditQuery } from "../schemas/audit.ts";
import { pageRequest, withoutAbsent } from "../schemas/fields.ts";

export const auditRoutes = [
  route({
    method: "GET",
    path: "/audit-events",
    id: "listAuditEvents",
    action: "audit.read",
    tag: "Audit",
    summary: "Query the audit log",
    description: "Every request that was made with a key of the organization, newest first.",
    query: auditQuery,
    answer: auditPage,
    statuses: [200],
    errors: ["integration_unknown"],
    handle: async ({ deps, caller, query: { limit, cursor, key, request_id, ...same } }) => {
      const filter = withoutAbsent({ ...same, keyId: key, requestId: request_id });
      return answered(
        await queryAuditEvents(deps, caller, filter, pageRequest({ limit, cursor })),
        (page) => ({
          json: presentPage(page, presentAuditEvent),
        }),
      );
    },
  }),
];
