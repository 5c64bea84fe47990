import { Hono } from "hono";
import { compileScope, matchScope } from "@relaykey/core/scope";
import { describeError } from "@relaykey/core/log";
import { authorize } from "../service/authorization.ts";
import type { Caller } from "../service/caller.ts";
import type { ServiceDependencies } from "../service/dependencies.ts";
import { ok } from "../service/outcome.ts";
import type { Outcome } from "../service/outcome.ts";
import { authenticate } from "./auth.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { ApiError, problem } from "./errors.ts";
import type { ApiErrorCode } from "./errors.ts";
import { once } from "./idempotency.ts";
import { readBody, readQuery } from "./input.ts";
import { checkIfMatch, readingOf } from "./precondition.ts";
import { respond } from "./respond.ts";
import { DEFAULT_API_LIMITS } from "./throttle.ts";
import type { ApiLimits } from "./throttle.ts";
import type { Asked, RawCall, Reply, Route, Stream } from "./route.ts";
import { ROUTES } from "./routes/index.ts";

/** Where the API is mounted. */
export const API_BASE = "/api/v1";

/**
 * The management API, as the table of routes says. Everything but its public routes needs a management token, also paths
 * that do not exist: a stranger learns nothing of what is here.
 */
export function createApi(deps: ServiceDependencies, limits: ApiLimits = DEFAULT_API_LIMITS) {
  const v1 = new Hono<ApiEnv>();
  for (const route of ROUTES) {
    const path = honoPath(route);
    if (route.action === null) v1.on(route.method, path, (context) => serve(deps, context, route, null));
  }
  v1.use(authenticate(deps, limits));
  for (const route of ROUTES) {
    const path = honoPath(route);
    if (route.action === null) continue;
    v1.on(route.method, path, (context) => serve(deps, context, route, context.var.caller));
  }
  const app = new Hono<ApiEnv>().route(API_BASE, v1);

  app.notFound((context) => {
    const allowed = allowedMethods(context.req.path);
    return allowed.length === 0
      ? refuse(context, "route_unknown")
      : problem({ code: "method_not_allowed" }, requestOf(context), { Allow: allowed.join(", ") });
  });

  app.onError((error, context) => {
    if (error instanceof ApiError) {
      return problem(
        { code: error.code, errors: error.errors },
        requestOf(context),
        Object.fromEntries(error.headers),
      );
    }
    deps.log("error", "api_failed", { requestId: context.env.requestId, error: describeError(error) });
    return refuse(context, "internal_error");
  });
  return app;
}

/** One request of one operation: may the caller, is it well formed, do it. */
async function serve(
  deps: ServiceDependencies,
  context: ApiContext,
  route: Route,
  caller: Caller | null,
): Promise<Response> {
  if (route.action !== null && caller !== null) {
    const allowed = authorize(caller, route.action);
    if (!allowed.ok) return problem(allowed.failure, requestOf(context));
    if (!isInTokenScope(caller, context, route)) throw new ApiError("token_scope");
  }
  const { text, ...raw } = await readCall(context, route);
  const run = route.accept(raw);
  const asked = { deps, caller, ip: context.env.ip, expected: null };
  const expected = await expectedRevision(context, route, raw, asked);
  if (!expected.ok) return problem(expected.failure, requestOf(context));
  const answer = (outcome: Outcome<Reply<unknown> | Stream>) =>
    outcome.ok ? respond(route, outcome.value) : problem(outcome.failure, requestOf(context));
  const perform = async (as: Caller | null) =>
    answer(await run({ ...asked, caller: as, expected: expected.value }));
  const key = context.req.header("Idempotency-Key");
  const { creates } = route;
  if (creates === undefined || caller === null || key === undefined) return perform(caller);
  return once(deps, {
    caller,
    token: context.var.tokenText,
    key,
    content: [route.method, new URL(context.req.url).pathname, text],
    run: perform,
    again: async (made) => answer(await creates({ deps, caller, made })),
  });
}

async function expectedRevision(
  context: ApiContext,
  route: Route,
  raw: RawCall,
  asked: Asked,
): Promise<Outcome<number | null>> {
  const field = context.req.header("If-Match");
  if (route.conditional !== true || field === undefined) return ok(null);
  const reading = readingOf(route, ROUTES);
  if (reading === undefined) throw new TypeError(`Nothing shows what ${route.id} changes.`);
  return checkIfMatch(reading, field, raw, asked);
}

/**
 * Whether the rules of a token, if it has any, admit an operation. What is matched is the operation's own path with the
 * parameters that were read, so that no spelling of a path can name one thing here and another to the router. HEAD is GET.
 */
function isInTokenScope({ token }: Caller, context: ApiContext, route: Route): boolean {
  if (token === null || token.rules === null) return true;
  const params = context.req.param();
  const segments = route.path
    .slice(1)
    .split("/")
    .map((segment) => (segment.startsWith("{") ? (params[segment.slice(1, -1)] ?? "") : segment));
  const query = /\?([^#]*)/.exec(context.req.url)?.[1] ?? "";
  return matchScope(compileScope(token.rules, {}), route.method, segments, query).ok;
}

async function readCall(context: ApiContext, route: Route): Promise<RawCall & { readonly text: string }> {
  const unsafe = route.method !== "GET";
  const body = unsafe ? await readBody(context.req.raw, route.body !== null) : null;
  return {
    params: context.req.param(),
    query: readQuery(context.req.url),
    body: body?.value ?? null,
    text: body?.text ?? "",
  };
}

function refuse(context: ApiContext, code: ApiErrorCode): Response {
  return problem({ code }, requestOf(context));
}

function requestOf(context: ApiContext) {
  return { url: context.req.url, requestId: context.env.requestId };
}

function honoPath({ path }: Route): string {
  return path.replace(/\{(\w+)\}/g, ":$1");
}

/** Methods that routes on this path answer. Where GET is answered, HEAD is. */
function allowedMethods(path: string): string[] {
  const segments = path.slice(API_BASE.length).split("/");
  const matches = ROUTES.filter((route) => {
    const pattern = route.path.split("/");
    return (
      pattern.length === segments.length &&
      pattern.every((part, index) =>
        part.startsWith("{") ? segments[index] !== "" : part === segments[index],
      )
    );
  });
  const methods = new Set<string>(matches.map(({ method }) => method));
  return [...methods].flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
