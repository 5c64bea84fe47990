import { Hono } from "hono";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import { changeHolder, createHolder, listHolders, showHolder } from "../../service/holders.ts";
import { answer, reply, statusOf } from "../context.ts";
import type { ApiEnv } from "../context.ts";
import { readBody, readQuery } from "../input.ts";
import { presentHolder, presentPage } from "../presenters.ts";
import { withoutAbsent } from "../schemas/fields.ts";
import { holderChange, holderInput, holderQuery } from "../schemas/holders.ts";

export function holderRoutes(deps: ServiceDependencies) {
  return new Hono<ApiEnv>()
    .post("/holders", async (context) => {
      const input = await readBody(context, holderInput);
      return answer(context, await createHolder(deps, context.var.caller, input), (holder) => ({
        json: { holder: presentHolder(holder) },
        status: 201,
      }));
    })
    .get("/holders", async (context) => {
      const { limit, cursor = null } = readQuery(context, holderQuery);
      const page = await listHolders(deps, context.var.caller, { limit, cursor });
      return reply(presentPage(page, presentHolder));
    })
    .get("/holders/:holder", async (context) => {
      const outcome = await showHolder(deps, context.var.caller, context.req.param("holder"));
      return answer(context, outcome, (holder) => ({ json: { holder: presentHolder(holder) } }));
    })
    .patch("/holders/:holder", async (context) => {
      const change = withoutAbsent(await readBody(context, holderChange));
      const outcome = await changeHolder(deps, context.var.caller, context.req.param("holder"), change);
      return answer(context, outcome, ({ holder, enforcement }) => ({
        json: { holder: presentHolder(holder), enforcement },
        status: statusOf(enforcement),
      }));
    });
}
