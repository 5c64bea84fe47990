import { clientIp } from "@relaykey/core/client-ip";
import { newId } from "@relaykey/core/ids";
import { createApi } from "./api/app.ts";
import { referencePage } from "./api/reference-page.ts";
import { handleApp } from "./app-handler.ts";
import { ConfigurationError, configure } from "./config.ts";
import type { Dependencies } from "./config.ts";
import { describeError, log } from "@relaykey/core/log";
import { runJobs, tellOutside } from "./jobs.ts";
import { baseFields } from "./security-fields.ts";
import { securityTxt } from "./security-txt.ts";
import { consumeNotices } from "./service/notices/consume.ts";
import { staticFile } from "./static-file.ts";
import { STRIPE_WEBHOOK_PATH, answerStripe } from "./stripe-webhook.ts";

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
  async fetch(incoming, env, ctx): Promise<Response> {
    const requestId = newId();
    let plane: ControlPlane;
    try {
      plane = await (started ??= start(env));
    } catch (error) {
      return secured(notConfigured(error, requestId), requestId, "");
    }
    const request = asCalled(incoming, plane.deps.controlUrl);
    const answer = await dispatch(request, requestId, plane);
    // What a change has to say to webhooks and admins goes out now; the minutely run is for what is left.
    if (request.method !== "GET" && request.method !== "HEAD") ctx.waitUntil(tellOutside(plane.deps));
    return secured(answer, requestId, plane.deps.controlUrl);
  },

  /** Takes from the queue of notices and from its dead-letter queue alike: what is in both must be written. */
  async queue(batch, env, ctx): Promise<void> {
    const { deps } = await (started ??= start(env));
    const consumed = await consumeNotices(deps, batch.messages);
    log(consumed.retried === 0 ? "info" : "error", "notices_consumed", { queue: batch.queue, ...consumed });
    ctx.waitUntil(tellOutside(deps));
  },

  async scheduled(_controller, env): Promise<void> {
    const { deps } = await (started ??= start(env));
    await runJobs(deps);
  },
} satisfies ExportedHandler<Env>;

/** The request with the URL that its caller used: a front that ends TLS passes it on by http. */
function asCalled(request: Request, controlUrl: string): Request {
  const url = new URL(request.url);
  const { protocol, host } = new URL(controlUrl);
  if (url.host !== host || url.protocol === protocol) return request;
  url.protocol = protocol;
  return new Request(url, request);
}

/** No answer leaves without these fields. */
function secured(answer: Response, requestId: string, controlUrl: string): Response {
  const response = new Response(answer.body, answer);
  response.headers.set("RelayKey-Request-Id", requestId);
  for (const [name, value] of Object.entries(baseFields(controlUrl))) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

async function dispatch(request: Request, requestId: string, { deps, api }: ControlPlane): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/healthz") return Response.json({ status: "ok" });
  const file = await staticFile(request, deps.assets);
  if (file !== null) return file;
  if (pathname === "/docs/api") return referencePage();
  if (pathname === "/.well-known/security.txt") {
    return securityTxt(deps.securityContact, deps.controlUrl, deps.now());
  }
  if (pathname === "/api" || pathname.startsWith("/api/")) {
    return api.fetch(request, { requestId, ip: clientIp(request, deps.clientIps)?.address ?? null });
  }
  try {
    // Before the dashboard, which refuses what is sent from elsewhere.
    return await (pathname === STRIPE_WEBHOOK_PATH ? answerStripe(request, deps) : handleApp(request, deps));
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
        "Cache-Control": "no-store",
      },
    },
  );
}
