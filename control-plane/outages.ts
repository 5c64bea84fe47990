import { data } from "@remix-run/cloudflare";
import type { ServerBuild } from "@remix-run/cloudflare";
import { isDatabaseAway } from "@relaykey/db/client";
import { DATABASE_AWAY } from "./app/components/failure.ts";
import { describeError } from "@relaykey/core/log";

/** Makes of every loader and action one that answers 503, with a page that says so, while the database is away. */
export function sayOutages(build: ServerBuild): ServerBuild {
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
      if (!isDatabaseAway(error)) throw error;
      const { pathname } = new URL(args.request.url);
      args.context.deps.log("error", "database_away", { path: pathname, error: describeError(error) });
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is how a loader shows another page
      throw data(DATABASE_AWAY, { status: 503, headers: { "Retry-After": "5" } });
    }
  };
}
