import { setPlan, showPlan } from "../../service/plans.ts";
import { statusOf } from "../respond.ts";
import { answered, route } from "../route.ts";
import { planAnswer, planChangeAnswer, planInput, presentPlan } from "../schemas/plan.ts";

export const planRoutes = [
  route({
    method: "GET",
    path: "/plan",
    id: "showPlan",
    action: "plan.read",
    tag: "Plan",
    summary: "Show the plan and what is used of it",
    answer: planAnswer,
    statuses: [200],
    handle: async ({ deps, caller }) =>
      answered(await showPlan(deps, caller), (plan) => ({ json: { plan: presentPlan(plan) } })),
  }),
  route({
    method: "PUT",
    path: "/plan",
    id: "setPlan",
    action: "plan.set",
    tag: "Plan",
    summary: "Set the plan",
    description:
      "By the operator of the installation, with the bootstrap token. The retention of the audit log follows within a day when it grows, and after a week when it shrinks.",
    body: planInput,
    example: { plan: "team" },
    answer: planChangeAnswer,
    statuses: [200, 202],
    handle: async ({ deps, caller, body }) =>
      answered(await setPlan(deps, caller, body.plan), ({ plan, enforcement }) => ({
        json: { plan: presentPlan(plan), enforcement },
        status: statusOf(enforcement, 200),
      })),
  }),
];
