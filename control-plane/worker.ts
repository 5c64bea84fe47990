import { clientIp } from "@relaykey/core/client-ip";
import { newId } from "@relaykey/core/ids";
import { destroyRetiredSecrets } from "@relaykey/db/queries/vendor-keys";
import { createApi } from "./api/app.ts";
import { referencePage } from "./api/reference-page.ts";
import { handleApp } from "./app-handler.ts";
import { ConfigurationError, configure } from "./config.ts";
import type { Dependencies } from "./config.ts";
import { describeError, log } from "./log.ts";
import { retryOpenChanges } from "./service/enforcement.ts";

interface ControlPlane {
  readonly deps: Dependencies;
  readonly api: ReturnType<typeof createApi>;
}

let started: Promise<ControlPlane> | null = null;

async function start(env: Env): Promise<ControlPlane> {
  const deps = await configure(env);
  return { deps, api: createApi(deps) };
}

export default {
  async fetch(request, env): Promise<Response> {
    const requestId = newId();
    let plane: ControlPlane;
    try {
      plane = await (started ??= start(env));
    } catch (error) {
      return notConfigured(error, requestId);
    }
    const answer = await dispatch(request, requestId, plane);
    const response = new Response(answer.body, answer);
    response.headers.set("RelayKey-Request-Id", requestId);
    return response;
  },

  /** Tries again what the data plane has not confirmed; destroys vendor keys that can no longer be restored. */
  async scheduled(_controller, env): Promise<void> {
    const { deps } = await (started ??= start(env));
    const result = await retryOpenChanges(deps);
    if (result.keys > 0) log(result.pending === 0 ? "info" : "warn", "outbox_retried", { ...result });
    const destroyed = await destroyRetiredSecrets(deps.db, new Date(deps.now()));
    if (destroyed > 0) log("info", "vendor_keys_destroyed", { destroyed });
  },
} satisfies ExportedHandler<Env>;

async function dispatch(request: Request, requestId: string, { deps, api }: ControlPlane): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/healthz") return Response.json({ status: "ok" });
  if (pathname === "/docs/api") return referencePage();
  if (pathname === "/api" || pathname.startsWith("/api/")) {
    return api.fetch(request, { requestId, ip: clientIp(request, deps.edition)?.address ?? null });
  }
  try {
    return await handleApp(request, deps);
  } catch (error) {
    log("error", "app_failed", { requestId, error: describeError(error) });
    return new Response(`Something went wrong. Please quote ${requestId}.`, { status: 500 });
  }
}

function notConfigured(error: unknown, requestId: string): Response {
  const detail =
    error instanceof ConfigurationError ? error.message : "The control plane could not be configured.";
  log("error", "not_configured", { detail });
  return Response.json(
    {
      title: "The control plane is not configured",
      status: 503,
      detail,
      code: "not_configured",
      request_id: requestId,
    },
    {
      status: 503,
      headers: {
        "Content-Type": "application/problem+json",
        "RelayKey-Request-Id": requestId,
        "Cache-Control": "no-store",
      },
    },
  );
}
