import { approveNetwork, dismissPending, removeNetwork, showNetworks } from "../../service/networks.ts";
import { presentNetworks } from "../presenters.ts";
import { answered, route } from "../route.ts";
import {
  dismissedAnswer,
  networkAnswer,
  networkInput,
  networkQuery,
  networksAnswer,
  networksParams,
  pendingParams,
} from "../schemas/networks.ts";

/** From where a holder's keys may be used, where addresses are confirmed. */
export const networkRoutes = [
  route({
    method: "GET",
    path: "/holders/{holder}/networks",
    id: "showNetworks",
    action: "network.read",
    tag: "Holders",
    summary: "Show the trusted and the pending networks of a holder",
    params: networksParams,
    answer: networksAnswer,
    statuses: [200],
    errors: ["data_plane_away"],
    handle: async ({ deps, caller, params }) =>
      answered(await showNetworks(deps, caller, params.holder), (networks) => ({
        json: presentNetworks(networks),
      })),
  }),
  route({
    method: "POST",
    path: "/holders/{holder}/networks",
    id: "approveNetwork",
    action: "network.change",
    tag: "Holders",
    summary: "Trust a network in the holder's stead",
    params: networksParams,
    body: networkInput,
    example: { network: "203.0.113.0/24" },
    answer: networkAnswer,
    statuses: [200],
    errors: ["data_plane_away"],
    handle: async ({ deps, caller, params, body }) =>
      answered(await approveNetwork(deps, caller, params.holder, body.network), (trusted) => ({
        json: { network: trusted, trusted: true },
      })),
  }),
  route({
    method: "DELETE",
    path: "/holders/{holder}/networks",
    id: "removeNetwork",
    action: "network.change",
    tag: "Holders",
    summary: "Stop trusting a network",
    description: "Answers when no request starts from it any more.",
    params: networksParams,
    query: networkQuery,
    answer: networkAnswer,
    statuses: [200],
    errors: ["data_plane_away"],
    handle: async ({ deps, caller, params, query }) =>
      answered(await removeNetwork(deps, caller, params.holder, query.network), () => ({
        json: { network: query.network, trusted: false },
      })),
  }),
  route({
    method: "POST",
    path: "/holders/{holder}/pending/{pending}/dismiss",
    id: "dismissPending",
    action: "network.change",
    tag: "Holders",
    summary: "Drop a pending network without trusting it",
    params: pendingParams,
    answer: dismissedAnswer,
    statuses: [200],
    errors: ["data_plane_away"],
    handle: async ({ deps, caller, params }) =>
      answered(await dismissPending(deps, caller, params.holder, params.pending), () => ({
        json: { dismissed: true as const },
      })),
  }),
];
