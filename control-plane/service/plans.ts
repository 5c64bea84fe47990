import { PLANS } from "@relaykey/core/plans";
import type { Plan, PlanResource } from "@relaykey/core/plans";
import { findOrganization } from "@relaykey/db/queries/organizations";
import * as queries from "@relaykey/db/queries/plans";
import { authorize } from "./authorization.ts";
import { adminEvent } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { enforceKeys } from "./enforcement.ts";
import type { FanOut } from "./enforcement.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** The plan an organization is on, and how much of it is used. */
export interface PlanInUse {
  readonly plan: Plan;
  readonly auditRetentionDays: number;
  readonly usage: Readonly<Record<PlanResource, number>> & { readonly requests: number };
}

/** What an organization that a person opens begins on: where plans are paid for, on the one that costs nothing. */
export function firstPlan({ stripe }: Pick<ServiceDependencies, "stripe">): {
  readonly plan: Plan;
  readonly auditRetentionDays: number;
} {
  const plan = stripe === null ? "business" : "free";
  return { plan, auditRetentionDays: PLANS[plan].auditRetentionDays };
}

export async function showPlan(deps: ServiceDependencies, caller: Caller): Promise<Outcome<PlanInUse>> {
  const allowed = authorize(caller, "plan.read");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  const [organization, usage] = await Promise.all([
    findOrganization(deps.db, organizationId),
    queries.readUsage(deps.db, organizationId, new Date(deps.now())),
  ]);
  if (organization === null) return fail("not_found");
  const { plan, auditRetentionDays } = organization;
  return ok({
    plan,
    auditRetentionDays,
    usage,
  });
}

/**
 * Puts the caller's organization on a plan: by the operator, who holds the bootstrap token. What exceeds a smaller plan
 * stays; only creates are refused. Retention follows for events that are there as well (docs/storage.md).
 */
export async function setPlan(
  deps: ServiceDependencies,
  caller: Caller,
  plan: Plan,
): Promise<Outcome<{ readonly plan: PlanInUse; readonly enforcement: FanOut }>> {
  const allowed = authorize(caller, "plan.set");
  if (!allowed.ok) return allowed;
  const enforcement = await changePlan(deps, caller, plan);
  if (!enforcement.ok) return enforcement;
  const shown = await showPlan(deps, caller);
  return shown.ok ? ok({ plan: shown.value, enforcement: enforcement.value }) : shown;
}

/** For services that have authorized an action of their own. */
export async function changePlan(
  deps: ServiceDependencies,
  caller: Caller,
  plan: Plan,
  metadata: Record<string, unknown> = {},
): Promise<Outcome<FanOut>> {
  const { organizationId } = caller;
  const organization = await findOrganization(deps.db, organizationId);
  if (organization === null) return fail("not_found");
  const event = adminEvent(
    caller,
    "plan.changed",
    { kind: "organization", id: organizationId },
    {
      before: { plan: organization.plan, auditRetentionDays: organization.auditRetentionDays },
      after: { plan, auditRetentionDays: PLANS[plan].auditRetentionDays },
      metadata,
    },
  );
  const keyIds = await queries.changePlan(deps.db, organizationId, {
    plan,
    now: new Date(deps.now()),
    event,
  });
  return ok(await enforceKeys(deps, organizationId, keyIds ?? []));
}
