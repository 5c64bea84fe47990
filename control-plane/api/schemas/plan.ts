import * as z from "zod";
import { PLANS, PLAN_NAMES } from "@relaykey/core/plans";
import type { PlanInUse } from "../../service/plans.ts";
import { fanOutAnswer } from "./answers.ts";
import { strict } from "./fields.ts";

const plan = z.enum(PLAN_NAMES, `Give one of: ${PLAN_NAMES.join(", ")}.`);

export const planInput = strict({ plan });

const counts = z.strictObject({
  keys: z.int(),
  integrations: z.int(),
  members: z.int(),
  webhook_endpoints: z.int(),
  requests_per_month: z.int(),
});

const planShape = z
  .strictObject({
    plan,
    title: z.string(),
    audit_retention_days: z.int(),
    limits: counts,
    usage: counts,
  })
  .meta({ id: "Plan" });

export const planAnswer = z.strictObject({ plan: planShape });
export const planChangeAnswer = z.strictObject({ plan: planShape, enforcement: fanOutAnswer });

export function presentPlan({
  plan: name,
  auditRetentionDays,
  usage,
}: PlanInUse): z.output<typeof planShape> {
  const { title, limits, requestsPerMonth } = PLANS[name];
  return {
    plan: name,
    title,
    audit_retention_days: auditRetentionDays,
    limits: presentCounts({ ...limits, requests: requestsPerMonth }),
    usage: presentCounts(usage),
  };
}

function presentCounts({ keys, integrations, members, webhookEndpoints, requests }: PlanInUse["usage"]) {
  return {
    keys,
    integrations,
    members,
    webhook_endpoints: webhookEndpoints,
    requests_per_month: requests,
  };
}
