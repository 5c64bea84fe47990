import { Hono } from "hono";
import { isId } from "@relaykey/core/ids";
import type { ServiceDependencies } from "../../service/dependencies.ts";
import {
  changeKey,
  createKey,
  inspectKey,
  listKeys,
  revokeKey,
  showKey,
  showReceipts,
} from "../../service/keys.ts";
import type { KeyAnswer } from "../../service/keys.ts";
import { answer, statusOf } from "../context.ts";
import type { ApiEnv } from "../context.ts";
import { ApiError } from "../errors.ts";
import { readBody, readQuery } from "../input.ts";
import {
  presentEnforcement,
  presentInspection,
  presentKey,
  presentPage,
  presentReceipt,
} from "../presenters.ts";
import { withoutAbsent } from "../schemas/fields.ts";
import { keyChange, keyInput, keyQuery } from "../schemas/keys.ts";

/** A change is answered when it is in force (200, 201), or says that it is still pending (202). */
export function keyRoutes(deps: ServiceDependencies) {
  return new Hono<ApiEnv>()
    .post("/keys", async (context) => {
      const input = await readBody(context, keyInput(deps.now()));
      const outcome = await createKey(deps, context.var.caller, input);
      return answer(context, outcome, ({ token, ...changed }) => ({
        json: { ...presentChange(changed), token: token.reveal() },
        status: statusOf(changed.enforcement, 201),
      }));
    })
    .get("/keys", async (context) => {
      const { limit, cursor = null, ...filter } = readQuery(context, keyQuery);
      const outcome = await listKeys(deps, context.var.caller, withoutAbsent(filter), { limit, cursor });
      return answer(context, outcome, (keys) => ({ json: presentPage(keys, presentKey) }));
    })
    .get("/keys/:key", async (context) => {
      const outcome = await showKey(deps, context.var.caller, readId(context.req.param("key")));
      return answer(context, outcome, (key) => ({ json: { key: presentKey(key) } }));
    })
    .get("/keys/:key/enforcement", async (context) => {
      const outcome = await inspectKey(deps, context.var.caller, readId(context.req.param("key")));
      return answer(context, outcome, (inspection) => ({
        json: { inspection: presentInspection(inspection) },
      }));
    })
    .get("/keys/:key/receipts", async (context) => {
      const outcome = await showReceipts(deps, context.var.caller, readId(context.req.param("key")));
      return answer(context, outcome, (receipts) => ({ json: { data: receipts.map(presentReceipt) } }));
    })
    .patch("/keys/:key", async (context) => {
      const id = readId(context.req.param("key"));
      const change = await readBody(context, keyChange(deps.now()));
      return answer(context, await changeKey(deps, context.var.caller, id, change), (changed) => ({
        json: presentChange(changed),
        status: statusOf(changed.enforcement),
      }));
    })
    .post("/keys/:key/revoke", async (context) => {
      const id = readId(context.req.param("key"));
      const outcome = await revokeKey(deps, context.var.caller, id);
      if (!outcome.ok) return answer(context, outcome, () => ({ json: null }));
      const receipts = await showReceipts(deps, context.var.caller, id);
      const newest = receipts.ok ? receipts.value[0] : undefined;
      const { enforcement } = outcome.value;
      return answer(context, outcome, (changed) => ({
        json: {
          ...presentChange(changed),
          receipt: newest === undefined || enforcement.state === "pending" ? null : presentReceipt(newest),
        },
        status: statusOf(enforcement),
      }));
    });
}

function presentChange({ key, enforcement }: KeyAnswer) {
  return { key: presentKey(key), enforcement: presentEnforcement(enforcement) };
}

/** What is no id is no key of the caller's. */
function readId(text: string): string {
  if (!isId(text)) throw new ApiError("not_found");
  return text;
}
