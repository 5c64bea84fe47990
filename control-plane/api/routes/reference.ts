import * as z from "zod";
import { ok } from "../../service/outcome.ts";
import { API_ERRORS } from "../errors.ts";
import { publicRoute } from "../route.ts";

export const referenceRoutes = [
  publicRoute({
    method: "GET",
    path: "/errors",
    id: "listErrors",
    tag: "Installation",
    summary: "List every error of this API",
    description: "What the `type` of a problem points at.",
    answer: z.record(z.string(), z.strictObject({ status: z.int(), title: z.string(), detail: z.string() })),
    statuses: [200],
    handle: () => Promise.resolve(ok({ json: API_ERRORS })),
  }),
];
