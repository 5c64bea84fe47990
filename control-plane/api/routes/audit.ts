import { Hono } from "hono";
import { queryAuditEvents } from "../../service/audit.ts";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import { answer } from "../context.ts";
import type { ApiEnv } from "../context.ts";
import { readQuery } from "../input.ts";
import { presentAuditEvent, presentPage } from "../presenters.ts";
import { auditQuery } from "../schemas/audit.ts";
import { withoutAbsent } from "../schemas/fields.ts";

export function auditRoutes(deps: ServiceDependencies) {
  return new Hono<ApiEnv>().get("/audit-events", async (context) => {
    const { limit, cursor = null, key, request_id, ...same } = readQuery(context, auditQuery);
    const filter = withoutAbsent({ ...same, keyId: key, requestId: request_id });
    const outcome = await queryAuditEvents(deps, context.var.caller, filter, { limit, cursor });
    return answer(context, outcome, (page) => ({ json: presentPage(page, presentAuditEvent) }));
  });
}
