import { Hono } from "hono";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import {
  changeIntegration,
  createIntegration,
  listIntegrations,
  showIntegration,
} from "../../service/integrations.ts";
import { answer, reply, statusOf } from "../context.ts";
import type { ApiEnv } from "../context.ts";
import { readBody, readQuery } from "../input.ts";
import { presentIntegration, presentPage } from "../presenters.ts";
import { integrationChange, integrationInput, integrationQuery } from "../schemas/integrations.ts";

/** A vendor key goes in and never comes out again, not even sealed. */
export function integrationRoutes(deps: ServiceDependencies) {
  return new Hono<ApiEnv>()
    .post("/integrations", async (context) => {
      const input = await readBody(context, integrationInput);
      return answer(context, await createIntegration(deps, context.var.caller, input), (integration) => ({
        json: { integration: presentIntegration(integration) },
        status: 201,
      }));
    })
    .get("/integrations", async (context) => {
      const { limit, cursor = null } = readQuery(context, integrationQuery);
      const page = await listIntegrations(deps, context.var.caller, { limit, cursor });
      return reply(presentPage(page, presentIntegration));
    })
    .get("/integrations/:integration", async (context) => {
      const outcome = await showIntegration(deps, context.var.caller, context.req.param("integration"));
      return answer(context, outcome, (integration) => ({
        json: { integration: presentIntegration(integration) },
      }));
    })
    .patch("/integrations/:integration", async (context) => {
      const change = await readBody(context, integrationChange);
      const reference = context.req.param("integration");
      const outcome = await changeIntegration(deps, context.var.caller, reference, change);
      return answer(context, outcome, ({ integration, enforcement }) => ({
        json: { integration: presentIntegration(integration), enforcement },
        status: statusOf(enforcement),
      }));
    });
}
