import { data } from "@remix-run/cloudflare";
import type { ServerBuild } from "@remix-run/cloudflare";
import { isDatabaseAway } from "@relaykey/db/client";
import { BROKEN, DATABASE_AWAY } from "./app/components/failure.ts";
import { describeError } from "@relaykey/core/log";

/**
 * Makes of every loader and action one that answers with a page that says so when something is wrong: 503 while the database
 * is away, 500 for a bug. The page has the id under which the log tells more, and nothing else of the error.
 */
export function sayFaults(build: ServerBuild): ServerBuild {
  const routes = Object.entries(build.routes).map(([id, route]) => {
    const { loader, action } = route.module;
    const module = {
      ...route.module,
      ...(loader === undefined ? {} : { loader: guarded(loader) }),
      ...(action === undefined ? {} : { action: guarded(action) }),
    };
    return [id, { ...route, module }] as const;
  });
  return { ...build, routes: Object.fromEntries(routes) };
}

type Handler = NonNullable<ServerBuild["routes"][string]["module"]["loader"]>;

function guarded(handler: Handler): Handler {
  return async (args) => {
    try {
      return await handler(args);
    } catch (error) {
      const { request, context } = args;
      // Whoever throws an answer has said what is wrong.
      if (!(error instanceof Error) || request.signal.aborted) throw error;
      const { deps, requestId } = context;
      const isAway = isDatabaseAway(error);
      const { pathname: path } = new URL(request.url);
      deps.log("error", isAway ? "database_away" : "page_failed", {
        requestId,
        path,
        error: describeError(error),
      });
      const failure = { ...(isAway ? DATABASE_AWAY : BROKEN), requestId };
      const answer = isAway ? { status: 503, headers: { "Retry-After": "5" } } : { status: 500 };
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is how a loader shows another page
      throw data(failure, answer);
    }
  };
}
