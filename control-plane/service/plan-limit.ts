import { PLANS, PLAN_RESOURCES, planFor } from "@relaykey/core/plans";
import type { PlanResource } from "@relaykey/core/plans";
import { findOrganization } from "@relaykey/db/queries/organizations";
import { isPlanLimit } from "@relaykey/db/queries/plans";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { fail, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/**
 * Runs a create whose batch begins with `planGuard`, and turns what the plan refuses into a refusal that names the plan
 * which would allow it.
 */
export async function withinPlan<T>(
  deps: ServiceDependencies,
  { organizationId }: Caller,
  resource: PlanResource,
  create: () => Promise<T>,
): Promise<Outcome<T>> {
  try {
    return ok(await create());
  } catch (error) {
    if (!isPlanLimit(error)) throw error;
    const organization = await findOrganization(deps.db, organizationId);
    const plan = organization?.plan ?? "free";
    const allowed = PLANS[plan].limits[resource];
    const next = planFor(resource, allowed + 1);
    const way =
      next === null
        ? "Remove some first."
        : `Remove some, or change to ${PLANS[next].title}, which allows ${String(PLANS[next].limits[resource])}.`;
    return fail("plan_limit", {
      detail: `The plan ${PLANS[plan].title} allows ${String(allowed)} ${PLAN_RESOURCES[resource]}. ${way}`,
    });
  }
}
