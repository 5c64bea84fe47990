import * as z from "zod";
import { ok } from "../../service/outcome.ts";
import { API_ERRORS } from "../errors.ts";
import { openApiDocument } from "../openapi.ts";
import { publicRoute } from "../route.ts";
import type { Route } from "../route.ts";

/** What the API says of itself, to anybody. */
export function referenceRoutes(routes: () => readonly Route[]) {
  let document: ReturnType<typeof openApiDocument> | null = null;
  return [
    publicRoute({
      method: "GET",
      path: "/openapi.json",
      id: "showDocument",
      tag: "Installation",
      summary: "Show this document",
      answer: z.looseObject({ openapi: z.string() }),
      statuses: [200],
      handle: () => {
        document ??= openApiDocument(routes());
        return Promise.resolve(ok({ json: { openapi: "3.1.0", ...document } }));
      },
    }),
    publicRoute({
      method: "GET",
      path: "/errors",
      id: "listErrors",
      tag: "Installation",
      summary: "List every error of this API",
      description: "What the `type` of a problem points at.",
      answer: z.record(
        z.string(),
        z.strictObject({ status: z.int(), title: z.string(), detail: z.string() }),
      ),
      statuses: [200],
      handle: () => Promise.resolve(ok({ json: API_ERRORS })),
    }),
  ];
}
