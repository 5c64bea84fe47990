import { newId } from "@relaykey/core/ids";
import { ConfigurationError, configure } from "./config.ts";
import type { Dependencies } from "./config.ts";
import { log } from "@relaykey/core/log";
import { relay } from "./relay.ts";

export { Confirmations } from "./confirmations.ts";
export { KeyControl } from "./control.ts";
export { KeyHolder } from "./objects/key-holder.ts";

let configured: Promise<Dependencies> | null = null;

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const requestId = newId();
    let deps: Dependencies;
    try {
      deps = await (configured ??= configure(env));
    } catch (error) {
      return notConfigured(error, requestId);
    }
    if (isHealthCheck(request, deps.proxyUrl.host)) {
      return Response.json({ status: "ok" }, { headers: { "RelayKey-Request-Id": requestId } });
    }
    const work = relay(request, requestId, deps, (promise) => {
      ctx.waitUntil(promise);
    });
    // A caller that hangs up must not end the work before it is recorded.
    ctx.waitUntil(work.catch(() => undefined));
    return work;
  },
} satisfies ExportedHandler<Env>;

/** Nothing reaches an upstream from a Worker that is not whole (G2). */
function notConfigured(error: unknown, requestId: string): Response {
  const detail = error instanceof ConfigurationError ? error.message : "The proxy could not be configured.";
  log("error", "not_configured", { detail });
  return Response.json(
    {
      title: "The proxy is not configured",
      status: 503,
      detail,
      code: "not_configured",
      request_id: requestId,
    },
    { status: 503, headers: { "RelayKey-Request-Id": requestId, "Cache-Control": "no-store" } },
  );
}

/** `/healthz` of the proxy itself; on an integration's own host the path belongs to the vendor. */
function isHealthCheck(request: Request, proxyHost: string): boolean {
  const match = /^https?:\/\/([^/]+)\/healthz$/.exec(request.url);
  const isRead = request.method === "GET" || request.method === "HEAD";
  return isRead && match !== null && match[1]?.endsWith(`.${proxyHost}`) !== true;
}
