import { dryRun } from "../../service/dry-run.ts";
import { showCatalogue } from "../../service/catalogue.ts";
import { presentCatalogueEntry, presentDryRun } from "../presenters.ts";
import { answered, route } from "../route.ts";
import { catalogueAnswer } from "../schemas/catalogue.ts";
import { dryRunAnswer, dryRunInput } from "../schemas/dry-run.ts";

export const policyRoutes = [
  route({
    method: "POST",
    path: "/policy/dry-run",
    id: "dryRunPolicy",
    changes: "nothing",
    action: "policy.dry_run",
    tag: "Policy",
    summary: "Would this request be allowed, and why not?",
    description:
      "Judges an imagined request by a key's policy, or by a draft, with the very code of the proxy. Nothing is changed. Rate, use and concurrency limits are not part of it.",
    body: dryRunInput,
    example: {
      draft: { integration: "openai", allow: ["GET /v1/models"] },
      method: "POST",
      target: "/v1/models",
      ip: "203.0.113.7",
    },
    answer: dryRunAnswer,
    statuses: [200],
    errors: ["not_found", "integration_unknown", "data_plane_away"],
    handle: async ({ deps, caller, body: { which, request } }) =>
      answered(await dryRun(deps, caller, which, request), (run) => ({
        json: presentDryRun(run),
      })),
  }),
  route({
    method: "GET",
    path: "/catalogue",
    id: "listCatalogue",
    action: "catalogue.read",
    tag: "Integrations",
    summary: "List known vendors",
    description: "Starting points for integrations and for the rules of their keys.",
    answer: catalogueAnswer,
    statuses: [200],
    handle: ({ caller }) =>
      Promise.resolve(
        answered(showCatalogue(caller), (entries) => ({
          json: { data: entries.map(presentCatalogueEntry) },
        })),
      ),
  }),
];
