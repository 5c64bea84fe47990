import { Hono } from "hono";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import {
  changeOrganization,
  continueEnforcement,
  createOrganization,
  freezeOrganization,
  showOrganization,
} from "../../service/organizations.ts";
import { answer, reply, statusOf } from "../context.ts";
import type { ApiContext, ApiEnv } from "../context.ts";
import { ApiError } from "../errors.ts";
import { readBody } from "../input.ts";
import { presentOrganization } from "../presenters.ts";
import { organizationInput } from "../schemas/organizations.ts";

/** `/organizations` is the installation's; `/organization` is the caller's own. */
export function organizationRoutes(deps: ServiceDependencies) {
  return new Hono<ApiEnv>()
    .post("/organizations", async (context) => {
      if (!context.var.isBootstrap) throw new ApiError("bootstrap_only");
      const input = await readBody(context, organizationInput);
      const outcome = await createOrganization(deps, context.var.caller, input);
      return answer(context, outcome, ({ organization, managementToken }) => ({
        json: {
          organization: presentOrganization(organization),
          management_token: managementToken.reveal(),
        },
        status: 201,
      }));
    })
    .get("/organization", async (context) =>
      answer(context, await showOrganization(deps, context.var.caller), (organization) => ({
        json: { organization: presentOrganization(organization) },
      })),
    )
    .patch("/organization", async (context) => {
      const input = await readBody(context, organizationInput);
      return answer(context, await changeOrganization(deps, context.var.caller, input), (organization) => ({
        json: { organization: presentOrganization(organization) },
      }));
    })
    .post("/organization/freeze", async (context) => setFrozen(context, true))
    .post("/organization/unfreeze", async (context) => setFrozen(context, false))
    .post("/organization/enforce", async (context) => {
      const enforcement = await continueEnforcement(deps, context.var.caller);
      return reply({ enforcement }, statusOf(enforcement));
    });

  async function setFrozen(context: ApiContext, frozen: boolean): Promise<Response> {
    const outcome = await freezeOrganization(deps, context.var.caller, frozen);
    return answer(context, outcome, ({ organization, enforcement }) => ({
      json: { organization: presentOrganization(organization), enforcement },
      status: statusOf(enforcement),
    }));
  }
}
