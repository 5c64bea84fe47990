import { exportAuditEvents, queryAuditEvents } from "../../service/audit.ts";
import { queryAdminEvents } from "../../service/admin-log.ts";
import { readChainState } from "../../service/audit-chain.ts";
import { exportAuditProof } from "../../service/audit-proof.ts";
import { ok } from "../../service/outcome.ts";
import { EXPORT_TYPES, exportStream, proofStream } from "../audit-export.ts";
import { presentAdminEvent, presentAuditEvent, presentPage } from "../presenters.ts";
import { answered, route, streamRoute } from "../route.ts";
import { adminEventPage, adminEventQuery } from "../schemas/admin-events.ts";
import { auditExportQuery, auditPage, auditProofQuery, auditQuery } from "../schemas/audit.ts";
import { auditChainAnswer, presentChain } from "../schemas/audit-chain.ts";
import { pageRequest } from "../schemas/fields.ts";

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
    handle: async ({ deps, caller, query: { filter, ...page } }) =>
      answered(await queryAuditEvents(deps, caller, filter, pageRequest(page)), (events) => ({
        json: presentPage(events, presentAuditEvent),
      })),
  }),
  streamRoute({
    method: "GET",
    path: "/audit-events/export",
    id: "exportAuditEvents",
    action: "audit.read",
    tag: "Audit",
    summary: "Export the audit log",
    description:
      "All events that the filter admits, newest first, as they are read. An export that was cut off goes on with the request_id of its last event as the cursor.",
    query: auditExportQuery,
    streams: [EXPORT_TYPES.ndjson, EXPORT_TYPES.csv],
    statuses: [200],
    errors: ["integration_unknown"],
    handle: async ({ deps, caller, query: { filter, format, cursor } }) => {
      const events = await exportAuditEvents(deps, caller, filter, cursor);
      return events.ok ? ok(exportStream(events.value, format)) : events;
    },
  }),
  streamRoute({
    method: "GET",
    path: "/audit-events/proof",
    id: "exportAuditProof",
    action: "audit_chain.read",
    tag: "Audit",
    summary: "Export the audit log with proofs",
    description:
      "Lines of JSON that prove without a network what they show: `rk audit verify` reads them. With no filter, or from and to only, the file proves that no event is missing; with others it proves the events that it has.",
    query: auditProofQuery,
    streams: [EXPORT_TYPES.ndjson],
    statuses: [200],
    errors: ["integration_unknown"],
    handle: async ({ deps, caller, query: { filter } }) => {
      const lines = await exportAuditProof(deps, caller, filter);
      return lines.ok ? ok(proofStream(lines.value)) : lines;
    },
  }),
  route({
    method: "GET",
    path: "/audit-chain",
    id: "getAuditChain",
    action: "audit_chain.read",
    tag: "Audit",
    summary: "Read how far the audit log is verified",
    description:
      "The chain's last signed entry, how far the chain was checked and what was found, and the public keys to check it with. Keep the head: a later proof must still have it.",
    answer: auditChainAnswer,
    statuses: [200],
    handle: async ({ deps, caller }) => {
      const state = await readChainState(deps, caller);
      return state.ok ? ok({ json: { audit_chain: await presentChain(state.value) } }) : state;
    },
  }),
  route({
    method: "GET",
    path: "/admin-events",
    id: "listAdminEvents",
    action: "admin_event.read",
    tag: "Audit",
    summary: "List what was changed, and by whom",
    description: "Newest first.",
    query: adminEventQuery,
    answer: adminEventPage,
    statuses: [200],
    handle: async ({ deps, caller, query: { filter, ...page } }) =>
      answered(await queryAdminEvents(deps, caller, filter, pageRequest(page)), (events) => ({
        json: presentPage(events, presentAdminEvent),
      })),
  }),
];
