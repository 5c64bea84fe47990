import type { Secret } from "@relaykey/core/secret";
import type { ManagementToken } from "@relaykey/db/queries/tokens";
import { createToken, listTokens, revokeToken, showToken } from "../../service/tokens.ts";
import { presentPage, presentToken } from "../presenters.ts";
import { answered, route, secretOf } from "../route.ts";
import { pageRequest } from "../schemas/fields.ts";
import {
  createdTokenAnswer,
  tokenAnswer,
  tokenInput,
  tokenPage,
  tokenParams,
  tokenQuery,
} from "../schemas/tokens.ts";

function withText({ record, token }: { readonly record: ManagementToken; readonly token: Secret }) {
  return { json: { management_token: presentToken(record), token: token.reveal() } };
}

export const tokenRoutes = [
  route({
    method: "POST",
    path: "/tokens",
    id: "createToken",
    action: "token.change",
    tag: "Tokens",
    summary: "Create a management token",
    description:
      "A token cannot create one that may do more than itself. A provisioner issues keys within its bounds, and sees those only.",
    body: tokenInput,
    example: {
      name: "deploy",
      role: "admin",
      allow: ["GET,POST /keys"],
      ips: ["203.0.113.0/24"],
      expires_in: "30d",
    },
    answer: createdTokenAnswer,
    statuses: [201],
    errors: ["holder_unknown", "integration_unknown"],
    creates: async ({ deps, caller, made }) =>
      answered(await showToken(deps, caller, made.id), (record) =>
        withText({ record, token: secretOf(made) }),
      ),
    handle: async ({ deps, caller, body }) =>
      answered(await createToken(deps, caller, body(deps.now())), withText),
  }),
  route({
    method: "GET",
    path: "/tokens",
    id: "listTokens",
    action: "token.read",
    tag: "Tokens",
    summary: "List management tokens",
    description: "Newest first, revoked ones too.",
    query: tokenQuery,
    answer: tokenPage,
    statuses: [200],
    handle: async ({ deps, caller, query }) =>
      answered(await listTokens(deps, caller, pageRequest(query)), (page) => ({
        json: presentPage(page, presentToken),
      })),
  }),
  route({
    method: "GET",
    path: "/tokens/{token}",
    id: "showToken",
    action: "token.read",
    tag: "Tokens",
    summary: "Show a management token",
    params: tokenParams,
    answer: tokenAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await showToken(deps, caller, params.token), (record) => ({
        json: { management_token: presentToken(record) },
      })),
  }),
  route({
    method: "POST",
    path: "/tokens/{token}/revoke",
    id: "revokeToken",
    action: "token.change",
    tag: "Tokens",
    summary: "Revoke a management token",
    description: "For good, and at once. Doing it again changes nothing. Keys that it issued go on.",
    params: tokenParams,
    answer: tokenAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await revokeToken(deps, caller, params.token), (record) => ({
        json: { management_token: presentToken(record) },
      })),
  }),
];
