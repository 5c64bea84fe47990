import { Hono } from "hono";
import { describeError } from "../log.ts";
import type { ServiceDependencies } from "../service/dependencies.ts";
import { authenticate } from "./auth.ts";
import { reply } from "./context.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { API_ERRORS, ApiError, problem } from "./errors.ts";
import type { ApiErrorCode } from "./errors.ts";
import { auditRoutes } from "./routes/audit.ts";
import { holderRoutes } from "./routes/holders.ts";
import { integrationRoutes } from "./routes/integrations.ts";
import { keyRoutes } from "./routes/keys.ts";
import { organizationRoutes } from "./routes/organizations.ts";

/**
 * The management API. Everything under `/api/v1` but the list of errors needs a management token, also paths that do not
 * exist: a stranger learns nothing of what is here.
 */
export function createApi(deps: ServiceDependencies) {
  const v1 = new Hono<ApiEnv>()
    .get("/errors", () => reply(API_ERRORS))
    .use(authenticate(deps))
    .route("/", organizationRoutes(deps))
    .route("/", integrationRoutes(deps))
    .route("/", holderRoutes(deps))
    .route("/", keyRoutes(deps))
    .route("/", auditRoutes(deps));
  const app = new Hono<ApiEnv>().route("/api/v1", v1);

  app.notFound((context) => {
    const allowed = allowedMethods(app.routes, context.req.path);
    return allowed.length === 0
      ? refuse(context, "route_unknown")
      : problem({ code: "method_not_allowed" }, requestOf(context), { Allow: allowed.join(", ") });
  });

  app.onError((error, context) => {
    if (error instanceof ApiError) {
      return problem({ code: error.code, errors: error.errors }, requestOf(context));
    }
    deps.log("error", "api_failed", { requestId: context.env.requestId, error: describeError(error) });
    return refuse(context, "internal_error");
  });
  return app;
}

function refuse(context: ApiContext, code: ApiErrorCode): Response {
  return problem({ code }, requestOf(context));
}

function requestOf(context: ApiContext) {
  return { url: context.req.url, requestId: context.env.requestId };
}

/** Methods that other routes on this path answer. */
function allowedMethods(
  routes: readonly { readonly method: string; readonly path: string }[],
  path: string,
): string[] {
  const segments = path.split("/");
  const matches = routes.filter((route) => {
    const pattern = route.path.split("/");
    return (
      route.method !== "ALL" &&
      pattern.length === segments.length &&
      pattern.every((part, index) => part.startsWith(":") || part === segments[index])
    );
  });
  return [...new Set(matches.map(({ method }) => method))];
}
