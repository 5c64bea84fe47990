import { changeCustody, goOnRewrapping, showCustody } from "../../service/custody.ts";
import type { Custody } from "../../service/custody.ts";
import { answered, route } from "../route.ts";
import { custodyAnswer, custodyInput, presentCustody } from "../schemas/custody.ts";

/** Progress is no part of what the ETag stands for: a change is conditional on the setting. */
function reply(custody: Custody) {
  const { customerKey, revision } = custody;
  return { json: { custody: presentCustody(custody) }, revision, validated: { customerKey, revision } };
}

/** For whom vendor keys are sealed. No envelope is in any answer. */
export const custodyRoutes = [
  route({
    method: "GET",
    path: "/custody",
    id: "showCustody",
    action: "custody.read",
    tag: "Custody",
    summary: "Show for whom vendor keys are sealed, and how far rewrapping is",
    answer: custodyAnswer,
    statuses: [200],
    handle: async ({ deps, caller }) => answered(await showCustody(deps, caller), reply),
  }),
  route({
    method: "PUT",
    path: "/custody",
    id: "changeCustody",
    action: "custody.change",
    tag: "Custody",
    summary: "Set or remove the customer-managed key",
    description:
      "The proxy proves first that it may use the key. Then all vendor keys are rewrapped for it, here as far as one call gets and then each minute; their plaintext is not touched. While the former key is needed for some of them, do not disable it.",
    body: custodyInput,
    example: { customer_key: null },
    answer: custodyAnswer,
    statuses: [200],
    errors: ["custody_unproven", "data_plane_away"],
    conditional: true,
    handle: async ({ deps, caller, body, expected }) =>
      answered(await changeCustody(deps, caller, body, expected), reply),
  }),
  route({
    method: "POST",
    path: "/custody/rewrap",
    id: "goOnRewrapping",
    action: "custody.rewrap",
    tag: "Custody",
    summary: "Go on rewrapping now",
    description:
      "What waits is rewrapped each minute anyway. One call does a part: repeat it until nothing is pending.",
    answer: custodyAnswer,
    statuses: [200],
    handle: async ({ deps, caller }) =>
      answered(await goOnRewrapping(deps, caller), (custody) => ({
        json: { custody: presentCustody(custody) },
      })),
  }),
];
