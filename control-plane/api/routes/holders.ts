import {
  changeHolder,
  createHolder,
  deleteHolder,
  freezeHolder,
  listHolders,
  showHolder,
} from "../../service/holders.ts";
import type { Holder } from "@relaykey/db/queries/holders";
import { presentHolder, presentPage } from "../presenters.ts";
import { statusOf } from "../respond.ts";
import { answered, route } from "../route.ts";
import { deletedAnswer } from "../schemas/answers.ts";
import { pageRequest, withoutAbsent } from "../schemas/fields.ts";
import {
  holderAnswer,
  holderChange,
  holderChangeAnswer,
  holderInput,
  holderPage,
  holderParams,
  holderQuery,
} from "../schemas/holders.ts";

function presented(holder: Holder) {
  return { json: { holder: presentHolder(holder) } };
}

export const holderRoutes = [
  route({
    method: "POST",
    path: "/holders",
    id: "createHolder",
    action: "holder.change",
    tag: "Holders",
    summary: "Create a holder",
    description: "A person, or an application, service, agent or vendor, who holds keys.",
    body: holderInput,
    example: { name: "ci", kind: "service" },
    answer: holderAnswer,
    statuses: [201],
    errors: ["name_taken"],
    creates: async ({ deps, caller, made }) => answered(await showHolder(deps, caller, made.id), presented),
    handle: async ({ deps, caller, body }) => answered(await createHolder(deps, caller, body), presented),
  }),
  route({
    method: "GET",
    path: "/holders",
    id: "listHolders",
    action: "holder.read",
    tag: "Holders",
    summary: "List holders",
    query: holderQuery,
    answer: holderPage,
    statuses: [200],
    handle: async ({ deps, caller, query }) =>
      answered(await listHolders(deps, caller, pageRequest(query)), (page) => ({
        json: presentPage(page, presentHolder),
      })),
  }),
  route({
    method: "GET",
    path: "/holders/{holder}",
    id: "showHolder",
    action: "holder.read",
    tag: "Holders",
    summary: "Show a holder",
    params: holderParams,
    answer: holderAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await showHolder(deps, caller, params.holder), (holder) => ({
        json: { holder: presentHolder(holder) },
        revision: holder.revision,
      })),
  }),
  route({
    method: "PATCH",
    path: "/holders/{holder}",
    id: "changeHolder",
    action: "holder.change",
    tag: "Holders",
    summary: "Change a holder",
    description: "Its keys follow: the answer says whether the change is in force for all of them.",
    params: holderParams,
    body: holderChange,
    example: { limits: { rate: "100/minute" } },
    answer: holderChangeAnswer,
    statuses: [200, 202],
    errors: ["name_taken"],
    conditional: true,
    handle: async ({ deps, caller, params, body, expected }) =>
      answered(
        await changeHolder(deps, caller, params.holder, withoutAbsent(body), expected),
        ({ holder, enforcement }) => ({
          json: { holder: presentHolder(holder), enforcement },
          status: statusOf(enforcement, 200),
        }),
      ),
  }),
  ...([true, false] as const).map((frozen) =>
    route({
      method: "POST",
      path: `/holders/{holder}/${frozen ? "freeze" : "unfreeze"}`,
      id: frozen ? "freezeHolder" : "unfreezeHolder",
      action: "holder.change",
      tag: "Holders",
      summary: frozen
        ? "Refuse every key of a holder until it is unfrozen"
        : "Let a frozen holder's keys work again",
      params: holderParams,
      answer: holderChangeAnswer,
      statuses: [200, 202],
      handle: async ({ deps, caller, params }) =>
        answered(await freezeHolder(deps, caller, params.holder, frozen), ({ holder, enforcement }) => ({
          json: { holder: presentHolder(holder), enforcement },
          status: statusOf(enforcement, 200),
        })),
    }),
  ),
  route({
    method: "DELETE",
    path: "/holders/{holder}",
    id: "deleteHolder",
    action: "holder.change",
    tag: "Holders",
    summary: "Delete a holder that was never issued a key",
    params: holderParams,
    answer: deletedAnswer,
    statuses: [200],
    errors: ["in_use"],
    conditional: true,
    handle: async ({ deps, caller, params, expected }) =>
      answered(await deleteHolder(deps, caller, params.holder, expected), () => ({
        json: { deleted: true as const },
      })),
  }),
];
