import type { Secret } from "@relaykey/core/secret";
import {
  changeKey,
  createKey,
  inspectKey,
  listKeys,
  revokeKey,
  showCreatedKey,
  showKey,
  showReceipts,
} from "../../service/keys.ts";
import type { KeyAnswer } from "../../service/keys.ts";
import {
  presentEnforcement,
  presentInspection,
  presentKey,
  presentListedKey,
  presentPage,
  presentReceipt,
} from "../presenters.ts";
import { statusOf } from "../respond.ts";
import { answered, route, secretOf } from "../route.ts";
import { pageRequest } from "../schemas/fields.ts";
import {
  createdKeyAnswer,
  inspectionAnswer,
  keyAnswer,
  keyChange,
  keyChangeAnswer,
  keyInput,
  keyPage,
  keyParams,
  keyQuery,
  receiptsAnswer,
  revokedKeyAnswer,
} from "../schemas/keys.ts";

function withText({ token, ...changed }: KeyAnswer & { readonly token: Secret }) {
  return {
    json: { ...presentChange(changed), token: token.reveal() },
    status: statusOf(changed.enforcement, 201),
  };
}

/** A change is answered when it is in force (200, 201), or says that it is still pending (202). */
export const keyRoutes = [
  route({
    method: "POST",
    path: "/keys",
    id: "createKey",
    action: "key.create",
    tag: "Keys",
    summary: "Create a key",
    description: "The key itself is in this answer and nowhere else.",
    body: keyInput,
    example: {
      holder: "ci",
      integration: "openai",
      allow: ["POST /v1/chat/completions"],
      expires_in: "7d",
      limits: { rate: "100/minute" },
    },
    answer: createdKeyAnswer,
    statuses: [201, 202],
    errors: ["plan_limit", "holder_unknown", "integration_unknown", "too_many_alive"],
    creates: async ({ deps, caller, made }) =>
      answered(await showCreatedKey(deps, caller, made.id), (changed) =>
        withText({ ...changed, token: secretOf(made) }),
      ),
    handle: async ({ deps, caller, body }) =>
      answered(await createKey(deps, caller, body(deps.now())), withText),
  }),
  route({
    method: "GET",
    path: "/keys",
    id: "listKeys",
    action: "key.read",
    tag: "Keys",
    summary: "List keys",
    description: "Newest first.",
    query: keyQuery,
    answer: keyPage,
    statuses: [200],
    errors: ["holder_unknown", "integration_unknown"],
    handle: async ({ deps, caller, query: { limit, cursor, sort, ...which } }) =>
      answered(await listKeys(deps, caller, which, pageRequest({ limit, cursor }), sort), (keys) => ({
        json: presentPage(keys, presentListedKey),
      })),
  }),
  route({
    method: "GET",
    path: "/keys/{key}",
    id: "showKey",
    action: "key.read",
    tag: "Keys",
    summary: "Show a key",
    params: keyParams,
    answer: keyAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await showKey(deps, caller, params.key), (key) => ({
        json: { key: presentListedKey(key) },
        revision: key.policyVersion,
        // Use and enforcement go on by themselves: a change is worked out from what the key may do.
        validated: [key.id, key.policyVersion],
      })),
  }),
  route({
    method: "GET",
    path: "/keys/{key}/enforcement",
    id: "inspectKey",
    action: "key.read",
    tag: "Keys",
    summary: "Show what the proxy has of a key",
    params: keyParams,
    answer: inspectionAnswer,
    statuses: [200],
    errors: ["data_plane_away"],
    handle: async ({ deps, caller, params }) =>
      answered(await inspectKey(deps, caller, params.key), (inspection) => ({
        json: { inspection: presentInspection(inspection) },
      })),
  }),
  route({
    method: "GET",
    path: "/keys/{key}/receipts",
    id: "showReceipts",
    action: "key.read",
    tag: "Keys",
    summary: "Show since when each change of a key holds",
    params: keyParams,
    answer: receiptsAnswer,
    statuses: [200],
    handle: async ({ deps, caller, params }) =>
      answered(await showReceipts(deps, caller, params.key), (receipts) => ({
        json: { data: receipts.map(presentReceipt) },
      })),
  }),
  route({
    method: "PATCH",
    path: "/keys/{key}",
    id: "changeKey",
    action: "key.change",
    tag: "Keys",
    summary: "Change what a key may do",
    description: "Answers when the change is in force, or 202 when that is still pending.",
    params: keyParams,
    body: keyChange,
    example: { allow: ["GET /v1/models"] },
    answer: keyChangeAnswer,
    statuses: [200, 202],
    errors: ["key_revoked", "changed_meanwhile"],
    conditional: true,
    handle: async ({ deps, caller, params, body, expected }) =>
      answered(await changeKey(deps, caller, params.key, body(deps.now()), expected), (changed) => ({
        json: presentChange(changed),
        status: statusOf(changed.enforcement, 200),
      })),
  }),
  route({
    method: "POST",
    path: "/keys/{key}/revoke",
    id: "revokeKey",
    action: "key.revoke",
    tag: "Keys",
    summary: "Revoke a key",
    description: "For good. When this answers 200, no request starts under the key any more, anywhere.",
    params: keyParams,
    answer: revokedKeyAnswer,
    statuses: [200, 202],
    handle: async ({ deps, caller, params }) => {
      const revoked = await revokeKey(deps, caller, params.key);
      if (!revoked.ok) return revoked;
      const receipts = await showReceipts(deps, caller, params.key);
      const newest = receipts.ok ? receipts.value[0] : undefined;
      return answered(revoked, (changed) => ({
        json: {
          ...presentChange(changed),
          receipt:
            newest === undefined || changed.enforcement.state === "pending" ? null : presentReceipt(newest),
        },
        status: statusOf(changed.enforcement, 200),
      }));
    },
  }),
];

/** A change of one key. */
export function presentChange({ key, enforcement }: KeyAnswer) {
  return { key: presentKey(key), enforcement: presentEnforcement(enforcement) };
}
