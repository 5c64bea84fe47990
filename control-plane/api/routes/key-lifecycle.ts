import { revokeKeys } from "../../service/bulk-revoke.ts";
import { freezeKey, rerollKey, showRerolledKey, unfreezeKey } from "../../service/key-lifecycle.ts";
import type { RerolledKey } from "../../service/key-lifecycle.ts";
import { presentKey, presentReceipt } from "../presenters.ts";
import { statusOf } from "../respond.ts";
import { answered, route, secretOf } from "../route.ts";
import {
  bulkRevokeAnswer,
  bulkRevokeInput,
  rerollInput,
  rerolledKeyAnswer,
} from "../schemas/key-lifecycle.ts";
import { keyChangeAnswer, keyParams } from "../schemas/keys.ts";
import { presentChange } from "./keys.ts";

function withText({ token, former, ...made }: RerolledKey) {
  const isPending = [made, former].some(({ enforcement }) => enforcement.state === "pending");
  return {
    json: { ...presentChange(made), token: token.reveal(), former: presentChange(former) },
    status: isPending ? (202 as const) : (201 as const),
  };
}

/** What becomes of a key after it was issued. As for every change of a key: 200 is in force, 202 still pending. */
export const keyLifecycleRoutes = [
  route({
    method: "POST",
    path: "/keys/{key}/reroll",
    id: "rerollKey",
    action: "key.change",
    tag: "Keys",
    summary: "Replace a key by a new one",
    description:
      "The new key may do what the former may. The former goes on for the overlap, then ends; without overlap, or frozen, it is " +
      "revoked at once. The new key itself is in this answer and nowhere else.",
    params: keyParams,
    body: rerollInput,
    example: { overlap: "24h" },
    answer: rerolledKeyAnswer,
    statuses: [201, 202],
    errors: ["plan_limit", "key_revoked", "changed_meanwhile"],
    creates: async ({ deps, caller, made }) =>
      answered(await showRerolledKey(deps, caller, made.id), (rerolled) =>
        withText({ ...rerolled, token: secretOf(made) }),
      ),
    handle: async ({ deps, caller, params, body }) =>
      answered(await rerollKey(deps, caller, params.key, body(deps.now())), withText),
  }),
  route({
    method: "POST",
    path: "/keys/{key}/freeze",
    id: "freezeKey",
    action: "key.change",
    tag: "Keys",
    summary: "Refuse every request of a key until it is unfrozen",
    params: keyParams,
    answer: keyChangeAnswer,
    statuses: [200, 202],
    errors: ["key_revoked"],
    handle: async ({ deps, caller, params }) =>
      answered(await freezeKey(deps, caller, params.key), (changed) => ({
        json: presentChange(changed),
        status: statusOf(changed.enforcement, 200),
      })),
  }),
  route({
    method: "POST",
    path: "/keys/{key}/unfreeze",
    id: "unfreezeKey",
    action: "key.change",
    tag: "Keys",
    summary: "Let a frozen key work again",
    description:
      "Also one that its holder froze (“this wasn't me”). A freeze that comes in meanwhile holds; one by the holder that was " +
      "not to be seen here before is refused with changed_meanwhile, and can be lifted by asking again.",
    params: keyParams,
    answer: keyChangeAnswer,
    statuses: [200, 202],
    errors: ["key_revoked", "data_plane_away", "changed_meanwhile"],
    handle: async ({ deps, caller, params }) =>
      answered(await unfreezeKey(deps, caller, params.key), (changed) => ({
        json: presentChange(changed),
        status: statusOf(changed.enforcement, 200),
      })),
  }),
  route({
    method: "POST",
    path: "/keys/bulk-revoke",
    id: "revokeKeys",
    action: "key.revoke",
    tag: "Keys",
    summary: "Revoke many keys",
    description:
      "Stores all revocations at once, then brings as many to the proxy as one call can. The rest is pending: it goes on by " +
      "itself, and at once with POST /organization/enforce.",
    body: bulkRevokeInput,
    example: { holder: "ci", dry_run: true },
    answer: bulkRevokeAnswer,
    statuses: [200, 202],
    errors: ["holder_unknown", "integration_unknown"],
    handle: async ({ deps, caller, body: { selection, rehearse } }) =>
      answered(await revokeKeys(deps, caller, selection, rehearse), ({ revoked, enforcement, keys }) => ({
        json: {
          revoked,
          enforcement,
          keys: keys.map(({ key, receipt }) => ({
            key: presentKey(key),
            receipt: receipt === null ? null : presentReceipt(receipt),
          })),
        },
        status: statusOf(enforcement, 200),
      })),
  }),
];
